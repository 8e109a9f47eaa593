"""Code shared by all digit classifiers: evaluation, calibration and export.

A network maps float32 [B, 28, 28, 1] in 0..255 to logits [B, 10]. `/v1/digits/activations` shows its layers
by name.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training import evaluation
from training.data import mnist
from training.evaluation import outliers
from training.evaluation.batches import in_batches
from training.export import filters as layer_filters
from training.job import Arrays, Signature, Splits

TASK = "classify_digit"
INPUT = {"height": 28, "width": 28, "channels": 1}
LABELS = [(str(digit), str(digit)) for digit in range(10)]
SHOWN_LAYERS = (keras.layers.ReLU, keras.layers.MaxPooling2D, keras.layers.Dense)
BATCH = 500  # images per run during evaluation
FITTED_ON = 10_000  # number of training images to fit the outlier score


def predict(
    model: keras.Model, source: outliers.FeatureSource, images: np.ndarray
) -> dict[str, np.ndarray]:
    """Logits [B, 10] under "logits" and the features [B, C] of each layer of `source`, float32.

    images: uint8 [B, 28, 28, 1].
    """
    network = _inside(model, source.layers)
    return in_batches(
        lambda part: _forward(network, source, part.astype(np.float32)), images, rows=BATCH
    )


def evaluate(
    model: keras.Model, splits: Splits, *, source: outliers.FeatureSource
) -> dict[str, Any]:
    """Calibrate on the validation split, then evaluate once on the test split."""
    validation = predict(model, source, splits.validation.images)
    calibration = calibrate(model, splits, validation, source)
    test, labels = predict(model, source, splits.test.images), splits.test.labels
    probabilities = tf.nn.softmax(test["logits"] / calibration["temperature"]).numpy()
    features = {name: test[name] for name in source.layers}
    flagged = int((outliers.score(features, calibration).numpy() > 0.5).sum())
    metrics = {
        "validation_accuracy": evaluation.accuracy(validation["logits"], splits.validation.labels),
        **evaluation.classification(probabilities, labels),
        "test_called_outlier": evaluation.proportion(flagged, len(labels)),
    }
    return {"metrics": metrics, "calibration": calibration}


def calibrate(
    model: keras.Model,
    splits: Splits,
    validation: Mapping[str, np.ndarray],
    source: outliers.FeatureSource,
) -> dict[str, Any]:
    """Fit the temperature of the probabilities and the outlier score, only on digits.

    validation: the output of `predict` for the validation split.
    """
    fitted_on = slice(0, FITTED_ON)
    train = predict(model, source, splits.train.images[fitted_on])
    fitted = outliers.fit(
        {name: train[name] for name in source.layers},
        splits.train.labels[fitted_on],
        {name: validation[name] for name in source.layers},
    )
    temperature = evaluation.fit_temperature(validation["logits"], splits.validation.labels)
    return {"temperature": temperature, **fitted}


def signatures(
    model: keras.Model, calibration: Mapping[str, Any], *, source: outliers.FeatureSource
) -> dict[str, Signature]:
    """`serving_default` and `activations`, both on images uint8 [B, 28, 28, 1]."""
    shown = shown_layers(model)
    layers = keras.Model(model.inputs[0], {layer.name: layer.output for layer in shown})
    network = _inside(model, source.layers)

    def serving_default(images: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = _forward(network, source, tf.cast(images, tf.float32))
        features = {name: outputs[name] for name in source.layers}
        return {
            "probabilities": tf.nn.softmax(outputs["logits"] / calibration["temperature"]),
            "outlier_score": outliers.score(features, calibration),
        }

    def activations(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return layers(tf.cast(images, tf.float32), training=False)

    inputs, golden = {"images": tf.TensorSpec([None, 28, 28, 1], tf.uint8)}, mnist.golden_digits()
    return {
        "serving_default": Signature(
            serving_default, inputs, {"probabilities": 1e-4, "outlier_score": 1e-3}, golden
        ),
        "activations": Signature(
            activations, inputs, {layer.name: 1e-3 for layer in shown}, golden
        ),
    }


def filters(model: keras.Model) -> Arrays:
    """The filters of the shown layers."""
    return layer_filters.describe(shown_layers(model))


def shown_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers of `activations`, in order."""
    return [layer for layer in model.layers if _is_shown(layer)]


def _inside(model: keras.Model, layers: Sequence[str]) -> keras.Model:
    names = dict.fromkeys((*layers, "logits"))
    return keras.Model(model.inputs[0], {name: model.get_layer(name).output for name in names})


def _forward(
    network: keras.Model, source: outliers.FeatureSource, images: Any
) -> dict[str, tf.Tensor]:
    outputs = network(images, training=False)
    features = source.pool({name: outputs[name] for name in source.layers})
    return {"logits": outputs["logits"], **features}


def _is_shown(layer: keras.layers.Layer) -> bool:
    """Whether a layer's output is the next one's input; a plain convolution is followed by its ReLU."""
    if isinstance(layer, keras.layers.Conv2D):
        return layer.activation is not keras.activations.linear
    return isinstance(layer, SHOWN_LAYERS)


def steps_per_epoch(images: int, batch_size: int) -> int:
    """Whole batches in an epoch, at least one."""
    return max(1, math.floor(images / batch_size))


def convolution(x: Any, name: str, maps: int, size: int, **options: Any) -> Any:
    """Convolution, batch normalization and ReLU; the ReLU has the plain `name`."""
    layers = keras.layers
    x = layers.Conv2D(maps, size, use_bias=False, name=f"{name}_kernel", **options)(x)
    x = layers.BatchNormalization(name=f"{name}_norm")(x)
    return layers.ReLU(name=name)(x)
