"""Differentiable attributes of digit images that need no label: thickness, slant, width."""

from typing import Any

import numpy as np
import tensorflow as tf

from training.evaluation.batches import in_batches

UNITS = {"thickness": "pixels", "slant": "pixels sideways per pixel up", "width": "pixels"}
CHUNK = 1_000
SMALL = 1e-6


def measure(images: np.ndarray) -> dict[str, np.ndarray]:
    """Images uint8 [B, 28, 28, 1] → each attribute float32 [B]; an empty image has 0 everywhere."""
    found = in_batches(lambda part: of_ink(part / np.float32(255)), images, rows=CHUNK)
    return {name: found[name] for name in UNITS}


def of_ink(ink: Any) -> dict[str, Any]:
    """Ink float32 [B, H, W, 1] in 0..1 → each attribute [B].

    thickness: twice the area over the perimeter of the stroke. slant: the shear that the second
    moments show, positive to the right. width: four standard deviations of the ink sideways, with
    the slant taken out.
    """
    flat = ink[..., 0]
    total = tf.reduce_sum(flat, axis=[1, 2], keepdims=True) + SMALL
    y, x = (tf.range(size, dtype=tf.float32) for size in flat.shape[1:])
    x = x - tf.reduce_sum(flat * x, axis=[1, 2], keepdims=True) / total
    y = y[:, None] - tf.reduce_sum(flat * y[:, None], axis=[1, 2], keepdims=True) / total
    across, down, both = (
        tf.reduce_sum(flat * m / total, axis=[1, 2]) for m in (x * x, y * y, x * y)
    )
    shear = -both / (down + SMALL)
    straight = tf.nn.relu(across - shear**2 * down)
    return {
        "thickness": thickness(ink),
        "slant": shear,
        "width": 4 * (tf.sqrt(straight + SMALL) - SMALL**0.5),
    }


def thickness(ink: Any) -> Any:
    """Twice area over perimeter of ink [B, H, W, 1] in 0..1, both without a threshold's steps.

    The area is the ink; the perimeter its total variation, the sum of the lengths of its slopes.
    """
    padded = tf.pad(ink[..., 0], [[0, 0], [1, 1], [1, 1]])
    along_y = (padded[:, 1:] - padded[:, :-1])[:, :, :-1]
    along_x = (padded[:, :, 1:] - padded[:, :, :-1])[:, :-1, :]
    slopes = tf.sqrt(along_x**2 + along_y**2 + SMALL**2) - SMALL
    return 2 * tf.reduce_sum(ink, axis=[1, 2, 3]) / (tf.reduce_sum(slopes, axis=[1, 2]) + SMALL)
