"""Latent vectors: samples, interpolations and grids. Float32 arrays, no model."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from service.codecs.random_streams import uniforms

Latents = NDArray[np.float32]  # [N, Z]
FIRST, LAST = 0.02, 0.98  # quantiles of the normal distribution at the ends of a plane
HALF_STEP = 2.0**-25  # in the middle of the steps of 2**-24 that uniforms come in: never 0, never 1
PARALLEL = 1e-4  # a sine below: the arc is as good as a line, or any of many


def draw(random_seed: int, count: int, size: int) -> Latents:
    """Standard normal vectors [count, size]; vector i depends only on (random_seed, i)."""
    rows = [uniforms(random_seed, index, 0, size) for index in range(count)]
    drawn: Latents = ndtri(np.array(rows, np.float64) + HALF_STEP).astype(np.float32)
    return drawn


def line(start: Latents, end: Latents, steps: int) -> Latents:
    """From `start` to `end` [Z], both exactly, in equal steps: [steps, Z]."""
    share = np.linspace(0, 1, steps, dtype=np.float32)[:, np.newaxis]
    points: Latents = (1 - share) * start + share * end
    return points


def arc(start: Latents, end: Latents, steps: int) -> Latents:
    """The same along the arc between their directions (Shoemake's slerp), the length changing evenly.

    If the arc is not unique (a zero vector, equal or opposite directions), the line is used.
    """
    lengths = np.linalg.norm(start), np.linalg.norm(end)
    if min(lengths) == 0:
        return line(start, end, steps)
    cosine = float(np.clip(start / lengths[0] @ (end / lengths[1]), -1, 1))
    angle = float(np.arccos(cosine))
    if np.sin(angle) < PARALLEL:
        return line(start, end, steps)
    share = np.linspace(0, 1, steps)[:, np.newaxis]
    points = (np.sin((1 - share) * angle) * start + np.sin(share * angle) * end) / np.sin(angle)
    along: Latents = points.astype(np.float32)
    along[0], along[-1] = start, end
    return along


def plane(size: int) -> Latents:
    """A grid of size × size points in the two-dimensional latent space, row by row: [size², 2].

    The points are equally likely, at the quantiles of 2 % to 98 %: z[0] grows to the right, z[1]
    downwards.
    """
    ticks = ndtri(np.linspace(FIRST, LAST, size)).astype(np.float32)
    across, down = np.meshgrid(ticks, ticks)
    return np.stack([across, down], axis=-1).reshape(-1, 2)
