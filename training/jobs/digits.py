"""The default digit network: seven small convolutions, distilled from `digits-large`.

4.9 million multiplications per image, a third of the larger network's 15.2 million: fewer channels, and the
stride in the second convolution. It learns from `digits-large` (targets are a mixture of its
probabilities and the labels, after Hinton et al., 2015) on images with random augmentation, some of them also
occluded (outlines, inverted bands, lines), with AdamW, one cosine schedule and a
running mean of the weights. Calibrated by one temperature (Guo et al., 2017). About 35 seconds per
epoch on one core.

The validation split of a seed differs from that of its teacher, which was trained on most of it. The
validation figures are therefore slightly too high; they only choose among seeds. The test split is not used for
training or for any choice.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from training import fitting
from training.data import augmentation
from training.digits import augmented, classifier
from training.digits.job import make_job
from training.evaluation.outliers import FeatureSource, quarters
from training.job import Splits
from training.jobs import load_released

TEACHER = "digits-large"
OUTLIER_FEATURES = FeatureSource(("conv4", "conv7"), quarters)


@dataclass(frozen=True)
class Config(augmented.AugmentedConfig):
    """The recipe's numbers."""

    epochs: int = 45
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    warmup_epochs: float = 1.0
    # Share of the targets that `digits-large` answers; the rest are the labels
    teacher: float = 0.6
    dropout: float = 0.2
    outlines: float = 0.08
    bands: float = 0.1
    lines: float = 0.1
    ema: float = 0.999


def build_model(config: Config) -> keras.Model:
    """Map float32 [B, 28, 28, 1] in 0..255 to logits [B, 10]; 299,930 parameters."""
    layers = keras.layers
    inputs = keras.Input((28, 28, 1), name="images")
    x = layers.Rescaling(2 / 255, -1, name="scale")(inputs)
    x = classifier.convolution(x, "conv1", 16, 3)
    x = classifier.convolution(x, "conv2", 32, 3, strides=2, padding="same")
    x = classifier.convolution(x, "conv3", 32, 3)
    x = classifier.convolution(x, "conv4", 48, 3)
    x = classifier.convolution(x, "conv5", 64, 3, strides=2, padding="same")
    x = classifier.convolution(x, "conv6", 64, 3, padding="same")
    x = layers.Dropout(config.dropout / 2, name="dropout1")(x)
    x = classifier.convolution(x, "conv7", 128, 5)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dropout(config.dropout, name="dropout2")(x)
    return keras.Model(inputs, layers.Dense(10, name="logits")(x), name="digits")


def train(model: keras.Model, splits: Splits, config: Config, workdir: Path) -> dict[str, Any]:
    """Fit with cross-entropy against labels mixed with the answers of `digits-large`."""
    teacher, _ = load_released(TEACHER)
    images = augmentation.augmented_batches(
        splits.train, config.batch_size, config.seed, partial(augmented.occlude, config=config)
    )
    steps = classifier.steps_per_epoch(len(splits.train.labels), config.batch_size)
    model.compile(
        optimizer=fitting.adamw(config, steps * config.epochs, int(steps * config.warmup_epochs)),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    validation, labels = splits.validation.as_float()
    return fitting.fit(
        model,
        soft_targets(images, teacher, config.teacher),
        (validation, keras.utils.to_categorical(labels, len(classifier.LABELS))),
        config,
        workdir,
    )


def soft_targets(batches: tf.data.Dataset, teacher: Any, share: float) -> tf.data.Dataset:
    """Replace the labels of each batch by probabilities, float32 [B, C].

    batches: images float32 [B, H, W, C] in 0..255 and labels int64 [B]. teacher: maps such images to
    logits. share: the teacher's share of a target; the rest is the label.
    """

    def soften(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        answer = tf.nn.softmax(teacher(images, training=False))
        return images, share * answer + (1 - share) * tf.one_hot(labels, answer.shape[1])

    return batches.map(soften, num_parallel_calls=1).prefetch(2)


JOB = make_job("digits", __doc__, Config, build_model, train, OUTLIER_FEATURES)
