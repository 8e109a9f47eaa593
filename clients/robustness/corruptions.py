"""The fifteen corruptions of MNIST-C, re-implemented from their descriptions.

After N. Mu and J. Gilmer, MNIST-C: A Robustness Benchmark for Computer Vision, 2019, with its names
and severities. Random numbers and some interpolations differ, so results are close to those on the
published files but not equal to the last digit.

Each takes uint8 [N, 28, 28], light on black, and returns the same shape; floats are truncated, not
rounded, to bytes.
"""

from collections.abc import Callable
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from clients.robustness.edges import edges
from clients.robustness.plasma import plasma

Images: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float64]
Corruption: TypeAlias = Callable[[Images, np.random.Generator], Images]

SIDE = 28
_CENTRE = np.full(2, (SIDE - 1) / 2)
_LINE_REACH = 2.3  # pixels above and below the middle of a drawn line


def shot_noise(images: Images, rng: np.random.Generator) -> Images:
    """Photon noise: a full-white pixel counts 3 photons on average."""
    return _to_bytes(rng.poisson(images / 255 * 3) / 3)


def impulse_noise(images: Images, rng: np.random.Generator) -> Images:
    """17 % of the pixels turn black or white, half of them each."""
    chance = rng.random(images.shape)
    return np.where(chance < 0.085, 0, np.where(chance > 0.915, 255, images)).astype(np.uint8)


def glass_blur(images: Images, rng: np.random.Generator) -> Images:
    """Blurred with σ 0.7; twice every other pixel changes places with one at most 1 away; blurred.

    Both blurs are down the columns alone: the original's, meant for colour images, take the
    columns of grey ones for channels.
    """
    shuffled = _to_bytes(ndimage.gaussian_filter1d(images / 255, 0.7, axis=1))
    for _, row, column in product(range(2), range(27, 1, -1), range(27, 1, -1)):
        picked = np.flatnonzero(rng.random(len(images)) < 0.5)
        down, right = rng.integers(-1, 1, (2, len(picked)))
        here, there = (picked, row, column), (picked, row + down, column + right)
        shuffled[here], shuffled[there] = shuffled[there], shuffled[here]
    return _to_bytes(ndimage.gaussian_filter1d(shuffled / 255, 0.7, axis=1))


def motion_blur(images: Images, rng: np.random.Generator) -> Images:
    """Smeared to one side, weights Gaussian with σ 3 over 11 pixels, at -45° to 45°."""
    angles = np.radians(rng.uniform(-45, 45, len(images)))
    weights = np.exp(-(np.arange(11) ** 2) / (2 * 3**2))
    smeared = np.zeros(images.shape)
    for step, weight in enumerate(weights / weights.sum()):
        down, right = np.rint(step * np.sin(angles)), np.rint(step * np.cos(angles))
        smeared += weight * _moved(images, down.astype(int), right.astype(int))
    return _to_bytes(smeared / 255)


def shear(images: Images, rng: np.random.Generator) -> Images:
    """Slanted by 0.4 radians, to either side."""
    return _either_way(images, rng, lambda sign: [[np.cos(0.4), 0], [-sign * np.sin(0.4), 1]])


def scale(images: Images, rng: np.random.Generator) -> Images:
    """Shrunk to 0.7 around the middle."""
    return _warped(images, np.eye(2) / 0.7)


def rotate(images: Images, rng: np.random.Generator) -> Images:
    """Turned by 0.4 radians (23°), to either side."""
    cos, sin = np.cos(0.4), np.sin(0.4)
    return _either_way(images, rng, lambda sign: [[cos, -sign * sin], [sign * sin, cos]])


def brightness(images: Images, rng: np.random.Generator) -> Images:
    """Every pixel lighter by half of the scale: black turns 127."""
    return _to_bytes(images / 255 + 0.5)


def translate(images: Images, rng: np.random.Generator) -> Images:
    """Moved by 3 pixels up or down and by 3 left or right."""
    down, right = rng.choice((-3, 3), (2, len(images)))
    return _moved(images, down, right)


def stripe(images: Images, rng: np.random.Generator) -> Images:
    """The 7 columns at the left and the 7 at the right inverted."""
    striped = images.copy()
    for columns in (slice(0, 7), slice(21, SIDE)):
        striped[:, :, columns] = 255 - striped[:, :, columns]
    return striped


def fog(images: Images, rng: np.random.Generator) -> Images:
    """Three times its light added as clouds (a fractal that loses 1.4 a level), brought back to scale."""
    peak = images.max(axis=(1, 2), keepdims=True) / 255
    clouded = images / 255 + 3 * plasma(len(images), 1.4, rng)[:, :SIDE, :SIDE]
    return _to_bytes(clouded * peak / (peak + 3))


def spatter(images: Images, rng: np.random.Generator) -> Images:
    """Splashes of grey 63 where noise of mean 0.65 and σ 0.3, blurred with σ 1, exceeds 0.65."""
    liquid = _blurred(rng.normal(0.65, 0.3, images.shape), 1)
    splash = _blurred((liquid > 0.65).astype(np.float64), 1.5)
    splash[splash < 0.8] = 0
    return _to_bytes(images / 255 * (1 - splash) + 63 / 255 * splash)


def dotted_line(images: Images, rng: np.random.Generator) -> Images:
    """A line from the left edge to the right, two columns shown, two not."""
    start, end = rng.integers(0, 27, (2, len(images), 1))
    columns = np.arange(SIDE)
    line = _line(start + (end - start) * columns / 27)
    return _to_bytes(images / 255 + line * (columns // 2 % 2))


def zigzag(images: Images, rng: np.random.Generator) -> Images:
    """A zigzag from column 2 to 25, 2 high and 4 wide, falling or rising by up to 5."""
    columns = np.arange(SIDE)
    start = rng.integers(0, 27, (len(images), 1))
    slope = rng.integers(-5, 5, (len(images), 1)) / 23
    wave = np.interp(columns, (2, 4, 8, 12, 16, 20, 24, 25), (0, 2, -2, 2, -2, 2, -2, 0))
    line = _line(start + slope * (columns - 2) + wave)
    return _to_bytes(images / 255 + line * ((columns >= 2) & (columns <= 25)))


def canny_edges(images: Images, rng: np.random.Generator) -> Images:
    """Canny's edges (σ 1, thresholds 0.1 and 0.2 of the scale), white on black."""
    return edges(images / 255, 0.1, 0.2).astype(np.uint8) * 255


CORRUPTIONS: dict[str, Corruption] = {
    corruption.__name__: corruption
    for corruption in (
        shot_noise,
        impulse_noise,
        glass_blur,
        motion_blur,
        shear,
        scale,
        rotate,
        brightness,
        translate,
        stripe,
        fog,
        spatter,
        dotted_line,
        zigzag,
        canny_edges,
    )
}


def _to_bytes(values: Floats) -> Images:
    """0…1 → 0…255, cut off; the tiny addition keeps 255 / 255 · 255 at 255."""
    return (np.clip(values, 0, 1) * 255 + 1e-6).astype(np.uint8)


def _blurred(values: Floats, sigma: float) -> Floats:
    return np.asarray(ndimage.gaussian_filter(values, (0, sigma, sigma), mode="nearest"))


def _moved(images: Images, down: NDArray[np.int_], right: NDArray[np.int_]) -> Images:
    """Shift each image by whole pixels [N], up to 28; filled with black."""
    padded = np.pad(images, ((0, 0), (SIDE, SIDE), (SIDE, SIDE)))
    place = np.arange(SIDE, 2 * SIDE)
    rows, columns = place - down[:, np.newaxis], place - right[:, np.newaxis]
    every = np.arange(len(images))[:, np.newaxis, np.newaxis]
    moved: Images = padded[every, rows[:, :, np.newaxis], columns[:, np.newaxis, :]]
    return moved


def _warped(images: Images, matrix: NDArray[np.float64]) -> Images:
    """Take each pixel (row, column), seen from the middle, from where the 2×2 matrix says."""
    full = np.eye(3)
    full[1:, 1:] = matrix
    offset = (0, *(_CENTRE - matrix @ _CENTRE))
    return _to_bytes(ndimage.affine_transform(images / 255, full, offset, order=1))


def _either_way(
    images: Images, rng: np.random.Generator, matrix_of: Callable[[int], list[list[float]]]
) -> Images:
    """Warp by the matrix of sign -1 or 1, drawn for each image."""
    signs = rng.choice((-1, 1), len(images))
    ways = [_warped(images, np.array(matrix_of(sign))) for sign in (-1, 1)]
    return np.where(signs[:, np.newaxis, np.newaxis] < 0, *ways)


def _line(rows: Floats) -> Floats:
    """A soft line that is at rows [N, 28] of the columns, 0…1 [N, 28, 28]."""
    distance = np.abs(np.arange(SIDE)[:, np.newaxis] - rows[:, np.newaxis, :])
    share = np.minimum(distance / _LINE_REACH, 1 - 1e-9)
    return np.asarray(np.maximum(np.log(1 - share) + 1, 0))
