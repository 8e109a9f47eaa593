"""How an autoencoder learns: each image binarised anew, and z drawn anew, every time it is seen.

Dynamic binarisation: a pixel is ink with the probability of its grey. Everything random is an input,
drawn from the job's seed, so that a stopped training goes on in the same way.
"""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from training import fitting
from training.job import Split, Splits
from training.vae import model as vae_model
from training.vae.model import Vae, VaeConfig

STANDARDIZED_ON = 10_000  # training images
PIXEL_FLOOR = 1e-3  # of the mean image, so that no output begins at minus infinity


def train(model: Vae, splits: Splits, config: VaeConfig, workdir: Path) -> dict[str, Any]:
    """Fit `model` in place, one cosine after the other; the weights that remain are the running mean.

    A plain autoencoder's z is scaled afterwards, see `standardize`.
    """
    start_at_mean(model, splits.train.images)
    history: dict[str, list[float]] = {}
    for first in range(0, config.epochs, config.cosine or config.epochs):
        for name, values in train_cosine(model, splits, config, workdir, first).items():
            history.setdefault(name, []).extend(values)
    if not config.beta:
        standardize(model, splits.train.images[:STANDARDIZED_ON])
    return history


def train_cosine(
    model: Vae, splits: Splits, config: VaeConfig, workdir: Path, first: int
) -> dict[str, Any]:
    """Fit the epochs of the cosine that begins with epoch `first`, from the weights that `model` has.

    The last cosine may be cut off. The KL term's weight rises in the first one alone.
    """
    length = config.cosine or config.epochs
    steps = length * max(1, len(splits.train.images) // config.batch_size)
    number = first // length
    epochs = min(length, config.epochs - first)
    config = dataclasses.replace(config, seed=config.seed + number, epochs=epochs)
    model.kl_weight = lambda step: config.beta
    if not number:
        warmup = max(1.0, config.kl_warmup * steps)
        model.kl_weight = lambda step: (
            config.beta * tf.minimum(1.0, tf.cast(step, tf.float32) / warmup)
        )
    model.compile(optimizer=fitting.adamw(config, steps))
    examples = training_batches(splits.train.images, config)
    inputs = binarised(splits.validation, config.latent_dim, seed=1)
    place = workdir / f"cosine-{number + 1}" if number else workdir
    return fitting.fit(model, examples, (inputs, inputs[0]), config, place)


def start_at_mean(model: Vae, images: np.ndarray) -> None:
    """Let an untrained decoder say the mean image's brightness, not half grey."""
    mean = float(np.clip(images.mean() / 255, PIXEL_FLOOR, 1 - PIXEL_FLOOR))
    model.get_layer("logits").bias.assign([np.log(mean / (1 - mean))])


def standardize(model: Vae, images: np.ndarray) -> None:
    """Give each latent number mean 0 and standard deviation 1 over `images`; images stay the same.

    Without the KL term nothing says how far apart the z lie; a grid made for the standard normal
    distribution would show a corner of them. Only the layers before and after z change.
    """
    ink = images.astype(np.float32) / 255
    z_mean, _ = vae_model.encoder(model).predict(ink, batch_size=500, verbose=0)
    centre, scale = z_mean.mean(axis=0), z_mean.std(axis=0) + 1e-6
    before, after = model.get_layer("z_mean"), model.get_layer("dense2")
    kernel, bias = before.get_weights()
    before.set_weights([kernel / scale, (bias - centre) / scale])
    kernel, bias = after.get_weights()
    after.set_weights([kernel * scale[:, np.newaxis], bias + centre @ kernel])


def training_batches(images: np.ndarray, config: VaeConfig) -> tf.data.Dataset:
    """Shuffled batches ((binarised float32 [B, 28, 28, 1], noise [B, Z]), binarised), new each epoch."""
    batches = (
        tf.data.Dataset.from_tensor_slices(images)
        .shuffle(len(images), seed=config.seed)
        .batch(min(config.batch_size, len(images)), drop_remainder=True)
    )
    seeds = tf.data.Dataset.random(seed=config.seed, rerandomize_each_iteration=True).batch(2)

    def draw(batch: tf.Tensor, pair: tf.Tensor) -> Any:
        ink = tf.random.stateless_uniform(tf.shape(batch), pair) * 255 < tf.cast(batch, tf.float32)
        noise = tf.random.stateless_normal([tf.shape(batch)[0], config.latent_dim], pair + 1)
        return (tf.cast(ink, tf.float32), noise), tf.cast(ink, tf.float32)

    return tf.data.Dataset.zip(batches, seeds).map(draw, num_parallel_calls=2).prefetch(4)


def binarised(split: Split, latent_dim: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """One fixed binarisation of a split, float32 [B, 28, 28, 1] of 0 and 1, and noise for z."""
    generator = np.random.default_rng(seed)
    ink = generator.random(split.images.shape, np.float32) * 255 < split.images
    noise = generator.standard_normal((len(ink), latent_dim), np.float32)
    return ink.astype(np.float32), noise
