"""Conversion of a GAN's images to grey levels, and the images of its card."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from training.evaluation.image_grid import grid
from training.gan.model import DIGITS

TIMES = 8  # rows of the samples by training time
STRENGTHS = np.linspace(-2, 2, 7)  # of edits, in standard deviations
# Grey levels that become 0, because a generator adds a faint haze to an empty background
BLACK = 16


def levelled(pixels: Any) -> Any:
    """Float images of a generator → the same with `BLACK` at -1 and white still at 1, not clipped."""
    black = 2 * BLACK / 255
    return 1 - (1 - pixels) * (2 / (2 - black))


def softened(pixels: Any) -> Any:
    """As `visible`, but values below black are kept to a tenth, so that gradients do not vanish."""
    level = levelled(pixels)
    return tf.maximum(level, 0.1 * (level + 1) - 1)


def visible(pixels: Any) -> Any:
    """Float images of a generator → displayed images, in -1..1."""
    return tf.clip_by_value(levelled(pixels), -1.0, 1.0)


def to_greys(pixels: Any) -> Any:
    """Float images of a generator → uint8, rounded like all stored images."""
    return tf.cast(tf.round((visible(pixels) + 1) * 127.5), tf.uint8)


def by_training_time(samples: np.ndarray) -> str:
    """Samples [T, 100, 28, 28, 1], ten a digit → one of each digit at moments between first and last."""
    chosen = np.unique(np.linspace(0, len(samples) - 1, TIMES).round().astype(int))
    return grid(samples[chosen][:, ::DIGITS].reshape(-1, 28, 28, 1), DIGITS)


def edits(
    synthesize: Callable[[np.ndarray], np.ndarray], w: np.ndarray, directions: Mapping[str, Any]
) -> str:
    """One latent vector [W] a direction, moved from left to right; a row each."""
    rows = [
        w[number] + STRENGTHS[:, None] * one["sigma"] * np.array(one["vector"])
        for number, one in enumerate(directions.values())
    ]
    return grid(synthesize(np.concatenate(rows)), len(STRENGTHS))


def mixes(synthesize: Callable[[np.ndarray], np.ndarray], w: np.ndarray) -> str:
    """Each of the first vectors' coarse half with each of the others' fine half.

    w: [2·N, W]. The first column is the coarse ones unmixed, the first row the fine ones.
    """
    coarse, fine = np.split(w, 2)
    half, size = w.shape[1] // 2, len(coarse)
    table = np.zeros((size + 1, size + 1, w.shape[1]), np.float32)
    table[1:, :, :half], table[1:, 1:, half:] = coarse[:, None, :half], fine[None, :, half:]
    table[1:, 0], table[0, 1:] = coarse, fine
    images = synthesize(table.reshape(-1, w.shape[1]))
    images[0] = 0
    return grid(images, size + 1)
