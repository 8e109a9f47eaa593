"""Clouds by the diamond-square algorithm (Fournier, Fussell and Carpenter, 1982), many at once."""

import numpy as np
from numpy.typing import NDArray

SIDE = 256
_FIRST_WOBBLE = 100.0


def plasma(count: int, decay: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Height maps [count, 256, 256] from 0 to 1 whose edges meet; a larger `decay` is smoother.

    The random part of a level is uniform within ± wobble², and the wobble falls by `decay` a level.
    """
    heights = np.zeros((count, SIDE, SIDE), np.float32)
    step, wobble = SIDE, _FIRST_WOBBLE
    while step >= 2:
        _refine(heights, step, wobble**2, rng)
        step //= 2
        wobble /= decay
    heights -= heights.min(axis=(1, 2), keepdims=True)
    return np.asarray(heights / heights.max(axis=(1, 2), keepdims=True), np.float64)


def _refine(
    heights: NDArray[np.float32], step: int, amplitude: float, rng: np.random.Generator
) -> None:
    """Fill in, from points `step` apart, those half a step from them."""
    half = step // 2
    known = heights[:, ::step, ::step]

    def wobbling(total: NDArray[np.float32]) -> NDArray[np.float32]:
        return total / 4 + np.float32(amplitude) * (2 * rng.random(total.shape, np.float32) - 1)

    beside = known + np.roll(known, -1, axis=2)
    below = known + np.roll(known, -1, axis=1)
    middles = wobbling(beside + np.roll(beside, -1, axis=1))
    heights[:, half::step, half::step] = middles
    heights[:, ::step, half::step] = wobbling(beside + middles + np.roll(middles, 1, axis=1))
    heights[:, half::step, ::step] = wobbling(below + middles + np.roll(middles, 1, axis=2))
