"""Canny's edge detector (1986) for many small images at once."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_IN_ONE_IMAGE = np.array([np.zeros((3, 3)), np.ones((3, 3)), np.zeros((3, 3))])


def edges(images: NDArray[np.float64], low: float, high: float) -> NDArray[np.bool_]:
    """Edges of [N, H, W] on the scale 0…1: thin, above `low`, and touching one above `high`."""
    smooth = ndimage.gaussian_filter(images, (0, 1, 1), mode="constant")
    down, right = _slope(smooth, along=1, across=2), _slope(smooth, along=2, across=1)
    strength = np.hypot(down, right)
    weak = _is_ridge(strength, down, right) & (strength >= low)
    groups, count = ndimage.label(weak, _IN_ONE_IMAGE)
    is_kept = np.zeros(count + 1, np.bool_)
    is_kept[groups[weak & (strength >= high)]] = True
    return np.asarray(is_kept[groups] & weak)


def _slope(values: NDArray[np.float64], along: int, across: int) -> NDArray[np.float64]:
    """Sobel's derivative."""
    smooth = ndimage.correlate1d(values, (1, 2, 1), axis=across)
    return np.asarray(ndimage.correlate1d(smooth, (-1, 0, 1), axis=along))


def _is_ridge(
    strength: NDArray[np.float64], down: NDArray[np.float64], right: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Where no neighbour in the direction of the slope is stronger; never at the border."""
    reach = np.maximum(np.maximum(np.abs(down), np.abs(right)), 1e-12)
    steps = np.stack([np.zeros_like(down), down / reach, right / reach])
    here = np.indices(strength.shape)
    ahead, behind = (
        ndimage.map_coordinates(strength, here + sign * steps, order=1) for sign in (1, -1)
    )
    is_ridge = (strength >= ahead) & (strength >= behind)
    is_ridge[:, [0, -1]] = is_ridge[:, :, [0, -1]] = False
    return np.asarray(is_ridge)
