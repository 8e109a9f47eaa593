"""A user's drawing or photo of a digit → the format of MNIST.

The steps are those of MNIST (QMNIST's reconstruction): light ink on black, cropped to the
ink, scaled to 20 × 20 by area, set into 28 × 28 with the centre of mass in the middle.
"""

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from service.errors import InvalidImage
from service.image_files.raster import Pixels
from service.preprocessing.ink import MIN_CONTRAST, blank, border, find_ink, to_grey, with_channels

SIDE = 28
INK_SIDE = 20
_STROKE_WIDTH = 2.1  # MNIST's, in pixels of the 20 × 20 box
_THIN = 1.3
_DARK = bytes(range(128))
_FAINT = bytes(range(128 + MIN_CONTRAST))


class PreparedImage(NamedTuple):
    """A drawing in the format of MNIST, and the preprocessing steps."""

    image: Pixels  # uint8 [28, 28, 1], light ink on black
    steps: list[
        str
    ]  # of "inverted", "cleaned", "thickened", "cropped", "centred", "fitted"; [] if untouched


def normalize_digit(pixels: Pixels, *, normalize: bool) -> PreparedImage:
    """Convert an image of one digit to the format of MNIST.

    Args:
        pixels: uint8 [H, W, 1] or [H, W, 3].
        normalize: False takes a 28 × 28 image as it is (colour turns grey). True does so as well
            if its border is dark, and redraws every other image.

    Raises:
        InvalidImage: the image is blank or shows several digits or, without `normalize`, is not
            28 × 28.
    """
    if not normalize:
        return take_as_it_is(pixels)
    if pixels.shape[:2] == (SIDE, SIDE):
        grey = to_grey(pixels)
        if _has_dark_border(grey.tobytes()):
            return PreparedImage(grey[..., np.newaxis], [])
    ink, steps = find_ink(pixels)
    growth = _growth(ink)
    if growth:
        ink = ndimage.maximum_filter(np.pad(ink, growth), 2 * growth + 1)
        steps = [*steps, "thickened"]
    return PreparedImage(_centred(_scaled(ink))[..., np.newaxis], [*steps, "cropped", "centred"])


def _has_dark_border(grey: bytes) -> bool:
    """Whether the median of the border of [28, 28] is dark; InvalidImage if there is nothing inside.

    As bytes: NumPy takes three times as long for so few.
    """
    edge = grey[:SIDE] + grey[-SIDE:] + grey[::SIDE] + grey[SIDE - 1 :: SIDE]
    light = edge.translate(None, _DARK)
    if 2 * len(light) >= len(edge):
        return False
    # Where something is this light, the border alone is dark enough.
    if not grey.translate(None, _FAINT) and max(grey) - min(grey) < MIN_CONTRAST:
        raise InvalidImage(blank(min(grey), max(grey)))
    return True


def take_as_it_is(pixels: Pixels, shape: tuple[int, int, int] = (SIDE, SIDE, 1)) -> PreparedImage:
    """Take an image of this height and width unchanged except for its channels; InvalidImage for another size."""
    height, width, channels = shape
    if pixels.shape[:2] != (height, width):
        given = f"{pixels.shape[1]} × {pixels.shape[0]}"
        raise InvalidImage(
            f"with normalize=off an image must be {width} × {height} pixels, got {given}"
        )
    return PreparedImage(with_channels(pixels, channels), [])


def fit_digit(pixels: Pixels, *, normalize: bool) -> PreparedImage:
    """The same for any image: an image without a single digit is fitted into the square.

    Raises:
        InvalidImage: without `normalize`, the image is not 28 × 28.
    """
    try:
        return normalize_digit(pixels, normalize=normalize)
    except InvalidImage:
        if not normalize:
            raise
    return fit(pixels)


def fit(pixels: Pixels) -> PreparedImage:
    """Scale the longest side to 28 pixels, on black; a light background becomes dark."""
    grey, steps = to_grey(pixels), []
    edge = border(grey)
    if 2 * np.count_nonzero(edge < 128) <= edge.size:
        grey, steps = 255 - grey, ["inverted"]
    return set_into_square(grey, steps)


def set_into_square(grey: Pixels, steps: list[str]) -> PreparedImage:
    """Scale the longest side of uint8 [H, W] to 28 pixels, in the middle of black."""
    image = Image.fromarray(grey)
    if max(image.size) != SIDE or min(image.size) != SIDE:
        share = SIDE / max(image.size)
        size = (max(1, round(image.width * share)), max(1, round(image.height * share)))
        image = image.resize(size, Image.Resampling.BOX if share < 1 else Image.Resampling.BILINEAR)
        steps = [*steps, "fitted"]
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    left, top = (SIDE - image.width) // 2, (SIDE - image.height) // 2
    canvas[top : top + image.height, left : left + image.width] = np.asarray(image)
    return PreparedImage(canvas[..., np.newaxis], steps)


def _growth(ink: Pixels) -> int:
    """The pixels by which thin strokes in uint8 [h, w] must grow on each side to look like MNIST's.

    It helped with four of a hundred very thin digits; thinning thick strokes reduced accuracy.
    """
    is_ink = ink > ink.max() // 2
    changes = np.count_nonzero(is_ink[1:] != is_ink[:-1]) + np.count_nonzero(
        is_ink[:, 1:] != is_ink[:, :-1]
    )
    ends = np.count_nonzero(border(is_ink))  # here the ink's outline is the image's
    cell = max(ink.shape) / INK_SIDE
    width = 2 * np.count_nonzero(is_ink) / (np.pi / 4 * (changes + ends)) / cell
    return round((_STROKE_WIDTH - width) * cell / 2) if width < _THIN else 0


def _scaled(ink: Pixels) -> Pixels:
    """Scale to 20 × 20 by area: uint8 [h, w] → uint8 [20, 20], the lightest pixel 255."""
    height, width = ink.shape
    side = max(height, width)
    rows = _coverage(height, side)
    columns = rows if width == height else _coverage(width, side)
    small = rows @ ink.astype(np.float32) @ columns.T
    scaled: Pixels = np.rint(small * (255 / small.max())).astype(np.uint8)
    return scaled


@functools.lru_cache(maxsize=1024)
def _coverage(length: int, side: int) -> NDArray[np.float32]:
    """Weigh `length` pixels, centred in `side`, by the share of each of 20 cells that they cover.

    Returns:
        float32 [20, length]
    """
    edges = np.linspace(0, side, INK_SIDE + 1)
    starts = np.arange(length) + (side - length) // 2
    ends = np.minimum(edges[1:, np.newaxis], starts + 1)
    covered = ends - np.maximum(edges[:-1, np.newaxis], starts)
    weights: NDArray[np.float32] = (np.maximum(covered, 0) * (INK_SIDE / side)).astype(np.float32)
    return weights


def _centred(small: Pixels) -> Pixels:
    """Place uint8 [20, 20] in uint8 [28, 28], with its centre of mass in the middle, without losing ink."""
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    (top, bottom, down), (left, right, across) = (
        _placement(small.sum(axis=axis, dtype=np.float64)) for axis in (1, 0)
    )
    canvas[top + down : bottom + down, left + across : right + across] = small[
        top:bottom, left:right
    ]
    return canvas


def _placement(masses: NDArray[np.float64]) -> tuple[int, int, int]:
    """From ink per row (or column): the first, the one after the last, and how far to move them."""
    used = np.flatnonzero(masses)
    first, end = int(used[0]), int(used[-1]) + 1
    centre = float(masses @ (np.arange(INK_SIDE) + 0.5)) / float(masses.sum())
    return first, end, min(max(int(SIDE / 2 + 1 - centre), -first), SIDE - end)
