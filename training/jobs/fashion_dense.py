"""Transfer learning with a new last layer: EfficientNet-Lite0, its last stages fine-tuned.

First a new last layer is trained on the frozen network's features, then stages 6 and 7 and the head are
trained with it. The earlier stages keep their ImageNet weights, as do the means and variances of batch
normalization; the outputs of the frozen part are computed once and stored. AdamW with a cosine schedule, smoothed
labels and a running mean of the weights. Fashion-MNIST (Xiao et al., 2017) has 28×28 pixels and is
enlarged to 96×96. A folder with one subfolder per class gives a classifier of its images.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training import evaluation, fitting
from training.data import labelled_images
from training.evaluation import outliers
from training.export import batchnorm_folding
from training.job import Job, Signature, Splits
from training.pretrained import (
    class_activation,
    fashion_outliers,
    frozen_features,
)
from training.pretrained.frozen_features import TransferConfig

OUTLIER_LAYERS = ("stage4", "stage5", "stage6", "stage7")
BOUNDARY = "stage5"  # the last frozen layer
HEAD_EPOCHS = 20  # of the new last layer alone, on features: seconds each


@dataclass(frozen=True)
class Config(TransferConfig):
    """The recipe's numbers."""

    batch_size: int = 64
    epochs: int = 8
    learning_rate: float = 5e-4
    weight_decay: float = 1e-2
    label_smoothing: float = 0.1
    ema: float = 0.999
    dropout: float = 0.2


def build_model(config: Config) -> keras.Model:
    """Map float32 [B, H, W, C] in 0..255 to logits [B, classes]; frozen layers hold ImageNet's weights."""
    network = frozen_features.backbone(config)
    x = keras.layers.GlobalAveragePooling2D(name="avg_pool")(network.output)
    x = keras.layers.Dropout(config.dropout, name="dropout")(x)
    logits = keras.layers.Dense(config.classes, name="logits")(x)
    model = keras.Model(network.input, logits, name="fashion_dense")
    is_frozen = True
    for layer in model.layers:
        layer.trainable = not is_frozen and not isinstance(layer, keras.layers.BatchNormalization)
        is_frozen = is_frozen and layer.name != BOUNDARY
    return model


def train(model: keras.Model, splits: Splits, config: Config, workdir: Path) -> dict[str, Any]:
    """Fit the last layer, then everything behind the boundary; return the history of the latter."""
    trunk, tail = _cut(model)
    kept = {
        name: frozen_features.extract(
            trunk, getattr(splits, name).images, workdir / f"{BOUNDARY}-{name}"
        )
        for name in ("train", "validation")
    }
    fitted = _fit_last_layer(model, kept, splits, config)
    print(f"last layer alone: validation accuracy {fitted['value']:.4f}", flush=True)
    steps = config.epochs * max(1, len(splits.train.labels) // config.batch_size)
    fitting.compile_smoothed(tail, config, steps)
    labels = np.eye(config.classes, dtype=np.float32)
    validation = (kept["validation"].astype(np.float32), labels[splits.validation.labels])
    batches = _dataset(kept["train"], labels[splits.train.labels], config)
    history = fitting.fit(tail, batches, validation, config, workdir)
    return {**history, "last_layer_alone": fitted}


def _cut(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """The frozen trunk and the tail that learns, which share their layers with the model."""
    boundary = model.get_layer(BOUNDARY).output
    return keras.Model(model.input, boundary), keras.Model(boundary, model.output)


def _fit_last_layer(
    model: keras.Model, kept: Mapping[str, np.ndarray], splits: Splits, config: Config
) -> evaluation.Proportion:
    """Fit only the new layer, on features; return the validation accuracy of the frozen network with it."""
    boundary, pooled = (model.get_layer(name).output for name in (BOUNDARY, "avg_pool"))
    features, last = keras.Model(boundary, pooled), model.get_layer("logits")
    inputs = {name: frozen_features.predict(features, maps) for name, maps in kept.items()}
    fit_last_layer(last, inputs["train"], splits.train.labels)
    return evaluation.accuracy(np.asarray(last(inputs["validation"])), splits.validation.labels)


def fit_last_layer(last: keras.layers.Dense, features: np.ndarray, labels: np.ndarray) -> None:
    """Fit a layer of logits [B, classes] to float32 [B, F] and labels int64 [B], in place."""
    probe = keras.Sequential([keras.Input((features.shape[1],)), last])
    probe.compile(
        optimizer=keras.optimizers.AdamW(1e-3, weight_decay=1e-4),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    probe.fit(features, labels, batch_size=256, epochs=HEAD_EPOCHS, verbose=0)


def _dataset(maps: np.ndarray, labels: np.ndarray, config: Config) -> tf.data.Dataset:
    """Shuffled batches of kept maps, float32, and smoothable labels; each epoch in another order."""
    size = min(config.batch_size, len(labels))
    random = np.random.default_rng(config.seed)

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        order = random.permutation(len(labels))
        for start in range(0, len(order) - size + 1, size):
            chosen = np.sort(order[start : start + size])
            yield maps[chosen].astype(np.float32), labels[chosen]

    spec = (
        tf.TensorSpec((size, *maps.shape[1:]), tf.float32),
        tf.TensorSpec((size, labels.shape[1]), tf.float32),
    )
    dataset = tf.data.Dataset.from_generator(batches, output_signature=spec)
    steps = len(labels) // size
    return dataset.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(2)


def evaluate(model: keras.Model, splits: Splits) -> dict[str, Any]:
    """Fit the temperature on the validation split, then touch the test split once."""
    validation = frozen_features.predict(model, splits.validation.images)
    temperature = evaluation.fit_temperature(validation, splits.validation.labels)
    logits = frozen_features.predict(model, splits.test.images) / temperature
    probabilities = tf.nn.softmax(logits).numpy()
    metrics = {
        "validation_accuracy": evaluation.accuracy(validation, splits.validation.labels),
        **evaluation.classification(probabilities, splits.test.labels),
    }
    fitted = fashion_outliers.fit(model, splits, OUTLIER_LAYERS)
    metrics |= fashion_outliers.measure(model, splits, OUTLIER_LAYERS, fitted)
    calibration = {
        "temperature": temperature,
        "labels": list(splits.labels),
        "scores": "probability",
        **fitted,
    }
    return {"metrics": metrics, "calibration": calibration}


def signatures(model: keras.Model, calibration: Mapping[str, Any]) -> dict[str, Signature]:
    """Take images uint8 [B, H, W, C]: `serving_default` gives probabilities and the outlier score, others heat maps."""
    head = class_activation.find_head(model.output)
    assert head  # build_model ends so
    outputs = {name: model.get_layer(name).output for name in OUTLIER_LAYERS}
    outputs |= {"logits": model.output, "maps": head.maps}
    network = batchnorm_folding.fold(keras.Model(model.input, outputs))
    dense = network.get_layer(head.dense.name)

    def serving_default(images: tf.Tensor) -> dict[str, tf.Tensor]:
        found = outliers.pool(network(tf.cast(images, tf.float32), training=False))
        return {
            "scores": tf.nn.softmax(found["logits"] / calibration["temperature"]),
            **fashion_outliers.scored({n: found[n] for n in OUTLIER_LAYERS}, calibration),
        }

    def scores_and_maps(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        found = network(tf.cast(images, tf.float32), training=False)
        return tf.nn.softmax(found["logits"] / calibration["temperature"]), found["maps"]

    inputs = {"images": tf.TensorSpec([None, *model.input_shape[1:]], tf.uint8)}
    golden = frozen_features.golden_images(model)
    return {
        "serving_default": Signature(
            serving_default,
            inputs,
            {"scores": 1e-4, **fashion_outliers.tolerance(calibration)},
            golden,
        ),
        **class_activation.signatures(
            scores_and_maps, dense.kernel, golden["images"], scores="scores"
        ),
    }


JOB = Job(
    name="fashion-dense",
    description=__doc__,
    task=frozen_features.TASK,
    config=Config,
    load_data=labelled_images.load,
    build_model=build_model,
    train=train,
    evaluate=evaluate,
    signatures=signatures,
    input=frozen_features.INPUT,
    labels=[(name, name) for name in labelled_images.FASHION_LABELS],
    manifest_fields=frozen_features.manifest_fields,
)
