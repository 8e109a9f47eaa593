"""A small network for Fashion-MNIST trained from scratch, as a baseline for transfer learning.

Four convolutions at 14×14 and 7×7, random mirroring of half of the images; AdamW with a cosine schedule
and a running mean of the weights.
"""

from dataclasses import dataclass
from pathlib import Path

import keras
import tensorflow as tf

from training import fitting
from training.data import augmentation
from training.job import JobConfig, Splits


@dataclass(frozen=True)
class Config(JobConfig):
    """The hyperparameters."""

    batch_size: int = 128
    epochs: int = 8
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    label_smoothing: float = 0.05
    ema: float = 0.995


def build_model(config: Config) -> keras.Model:
    """Map float32 [B, 28, 28, 1] in 0..255 to logits [B, 10]; 113,898 parameters."""
    layers = keras.layers
    inputs = keras.Input((28, 28, 1), name="images")
    x = layers.Rescaling(2 / 255, -1)(inputs)
    for maps, size, stride in ((32, 5, 2), (48, 3, 1), (64, 3, 2), (96, 3, 1)):
        x = layers.Conv2D(maps, size, stride, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Dropout(0.3)(layers.Flatten()(layers.AveragePooling2D(2, padding="same")(x)))
    return keras.Model(inputs, layers.Dense(10, name="logits")(x), name="small_network")


def train(
    model: keras.Model, splits: Splits, config: Config, workdir: Path
) -> dict[str, list[float]]:
    """Fit; return the history, one list per number. Goes on where it was stopped."""
    workdir.mkdir(parents=True, exist_ok=True)
    batch_size = min(config.batch_size, len(splits.train.labels))
    steps = config.epochs * (len(splits.train.labels) // batch_size)
    fitting.compile_smoothed(model, config, steps)

    def mirror(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        mirrored = tf.random.stateless_uniform([tf.shape(images)[0], 1, 1, 1], seed) < 0.5
        return tf.where(mirrored, tf.reverse(images, axis=[2]), images)

    batches = augmentation.augmented_batches(splits.train, batch_size, config.seed, mirror)
    validation = splits.validation.as_float()
    encoded = batches.map(lambda images, labels: (images, tf.one_hot(labels, 10)))
    return fitting.fit(
        model, encoded, (validation[0], tf.one_hot(validation[1], 10)), config, workdir
    )
