"""An image of a drawing → its ink, light on black, cropped.

On an even background the ink is the difference from it. Otherwise (a photo of paper, with
noise and shadows) the background is estimated first, by filling up the strokes.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from service.errors import InvalidImage
from service.image_files.raster import Pixels
from service.preprocessing.components import Extent, Mask, find_extent
from service.preprocessing.sheet import cut_out_sheet
from service.preprocessing.strokes import digit_strokes
from service.preprocessing.surroundings import drop_surroundings, is_covered

_LONGEST_SIDE = 300
MIN_CONTRAST = 16
_MIN_SIZE = 0.03  # of the image's longer side; anything smaller is dirt
_EVEN = 6  # grey levels that compression may add to an even background
_EVEN_SHARE = 0.9  # of the border's background; what is plainly ink may touch the border
_MOST_INK = 0.35  # of the border; where more of it is of another grey, it is no ink
_PLAINLY_INK = 0.3  # of the strongest contrast
_THUMBNAIL = 120
_ABOVE_NOISE = 11  # standard deviations of the noise that ink stands out at least
_INSEPARABLE = "the digit must be separate from its surroundings: crop the image to the digit"
_BLANK = "the image is blank: no digit was found"
_PHOTO = "the image must show one digit on a plain background, got a photo or a pattern"
_BUSY = 48  # grey levels between light and dark, shadows taken out: paper where nothing is drawn has fewer


class _Lifted(NamedTuple):
    """Ink above its background, and the threshold for finding it."""

    ink: NDArray[np.uint8]  # [H, W]
    threshold: float
    steps: list[str]


def find_ink(pixels: Pixels) -> tuple[Pixels, list[str]]:
    """Find the one digit in an image.

    Args:
        pixels: uint8 [H, W, 1] or [H, W, 3], any size.

    Returns:
        The digit cropped to its box, uint8 [h, w], light on black, and the steps taken out of
        "inverted" and "cleaned".

    Raises:
        InvalidImage: the image is blank or shows several digits.
    """
    grey = to_grey(_shrunk(pixels))
    ink, mask, extent, steps, is_one = _without_surroundings(grey)
    box = _checked(extent)
    is_photo = "cleaned" in steps
    strokes = None if is_one else digit_strokes(mask[box], is_photo=is_photo)
    if strokes is not None:
        steps = [step for step in steps if step != "cleaned"] + ["cleaned"]
    elif "cleaned" in steps:
        strokes = mask[box]
    ink = ink[box]
    if strokes is not None:
        near = ndimage.binary_dilation(strokes, np.ones((3, 3)), iterations=2)
        ink = np.where(near, ink, 0)[_checked(find_extent(strokes))]
    if max(ink.shape) < max(3, _MIN_SIZE * max(grey.shape)):
        raise InvalidImage(_BLANK)
    return ink, steps


def _without_surroundings(grey: Pixels) -> tuple[Pixels, Mask, Extent, list[str], bool]:
    """Find the ink [h, w] on the sheet in uint8 [H, W], the digit's mask and its extent, the steps taken.

    The last is whether the digit is known to be one component.
    """
    sheet = cut_out_sheet(grey)
    ink, threshold, steps = _lift(grey if sheet is None else sheet)
    mask = ink > np.uint8(min(255, threshold))  # a fraction would make floats of the pixels
    extent = find_extent(mask)
    digit, is_one = drop_surroundings(mask, ink, extent)
    if is_covered(digit):
        raise InvalidImage(_INSEPARABLE)
    if sheet is None and digit is mask:
        return ink, mask, extent, steps, is_one
    near = ndimage.binary_dilation(digit, np.ones((3, 3)))
    return np.where(near, ink, 0), digit, find_extent(digit), [*steps, "cleaned"], is_one


def to_grey(pixels: Pixels) -> Pixels:
    """Turn uint8 [H, W, 1] or [H, W, 3] into its luminance, uint8 [H, W]."""
    if pixels.shape[2] == 1:
        return pixels[..., 0]
    return np.asarray(Image.fromarray(pixels).convert("L"))


def with_channels(pixels: Pixels, channels: int) -> Pixels:
    """Grey to three equal colours, or colours to their luminance."""
    if pixels.shape[2] == channels:
        return pixels
    if channels == 3:
        return np.repeat(pixels, 3, axis=2)
    return to_grey(pixels)[..., np.newaxis]


def blank(low: int, high: int) -> str:
    """What is said of an image whose grey levels are from low to high; a few levels may be another scale."""
    if low == high:
        return _BLANK
    return f"{_BLANK} (its grey levels are {low} to {high}, of 0 = black to 255 = white)"


def border(grey: NDArray[Any]) -> NDArray[Any]:
    """Take the outermost pixels of [H, W], those in the corners twice."""
    return np.concatenate((grey[0], grey[-1], grey[:, 0], grey[:, -1]))


def _shrunk(pixels: Pixels) -> Pixels:
    factor = -(-max(pixels.shape) // _LONGEST_SIDE)
    if factor == 1:
        return pixels
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).reduce(factor)
    return np.asarray(image).reshape(image.height, image.width, -1)


def _checked(extent: Extent) -> tuple[slice, slice]:
    """Its box; InvalidImage if it is empty."""
    if not extent.rows.size:
        raise InvalidImage(_BLANK)
    return extent.box


def _lift(grey: Pixels) -> _Lifted:
    frame = border(grey)
    level = int(np.partition(frame, frame.size // 2)[frame.size // 2])
    above, below = int(grey.max()) - level, level - int(grey.min())
    peak = max(above, below)
    towards_ink = (frame.astype(np.int16) - level) * (1 if above >= below else -1)
    if not _is_even(towards_ink, peak):
        return _lift_off_paper(grey)
    if peak < MIN_CONTRAST:
        raise InvalidImage(blank(level - below, level + above))
    # Of an array of the level NumPy takes the minimum 14 times as fast as of one number.
    base = np.full_like(grey, level)
    if below > above:
        return _Lifted(base - np.minimum(grey, base), max(0.1 * peak, _EVEN), ["inverted"])
    return _Lifted(np.maximum(grey, base) - base, max(0.1 * peak, _EVEN), [])


def _is_even(border: NDArray[np.int16], peak: int) -> bool:
    """Whether the background is even (not paper), by the border's difference from its median towards the ink.

    A stroke that touches the border, and as much soft edge as it has, is no unevenness.
    """
    plain = int(np.count_nonzero(border > max(_EVEN, _PLAINLY_INK * peak)))
    if plain > _MOST_INK * border.size:
        return False  # half of it lies in a shadow
    soft = int(np.count_nonzero(border > _EVEN)) - plain
    uneven = int(np.count_nonzero(border < -_EVEN)) + max(0, soft - plain)
    return uneven <= (1 - _EVEN_SHARE) * (border.size - plain)


def _lift_off_paper(grey: Pixels) -> _Lifted:
    """Lift ink off an uneven, noisy background."""
    factor = max(1, -(-max(grey.shape) // _THUMBNAIL))
    small = np.asarray(Image.fromarray(grey).reduce(factor), np.float32)
    is_dark = _is_ink_dark(small)
    paper = _enlarged(_filled(ndimage.median_filter(small, 3), is_dark), grey.shape, factor)
    # Dark ink leaves a share of the light, wherever it falls; light ink adds to a dark ground.
    difference = (paper - grey) * (paper.max() / np.maximum(paper, 32)) if is_dark else grey - paper
    lifted = ndimage.uniform_filter(difference, 3)
    sample = lifted[::4, ::4]
    middle = float(np.median(sample))  # filling up strokes fills up the noise, too
    noise = 1.4826 * float(np.median(np.abs(sample - middle)))
    lifted -= middle
    peak = float(lifted.max())
    if peak < max(MIN_CONTRAST, _ABOVE_NOISE * noise):
        low, high = np.percentile(small - _smooth_surface(small), (5, 95))
        raise InvalidImage(_PHOTO if high - low > _BUSY else _BLANK)
    ink = np.clip(lifted - 2 * noise, 0, 255).astype(np.uint8)
    steps = ["inverted", "cleaned"] if is_dark else ["cleaned"]
    return _Lifted(ink, max(0.3 * peak, 5 * noise) - 2 * noise, steps)


def _enlarged(
    small: NDArray[np.float32], shape: tuple[int, ...], factor: int
) -> NDArray[np.float32]:
    """Undo `reduce(factor)` smoothly; its last cells may stand for fewer pixels."""
    height, width = shape
    size, box = (width, height), (0.0, 0.0, width / factor, height / factor)
    return np.asarray(Image.fromarray(small).resize(size, Image.Resampling.BILINEAR, box))


def _smooth_surface(small: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fit a quadratic surface through most of float32 [H, W], without outliers (ink)."""
    y, x = np.ogrid[-1 : 1 : small.shape[0] * 1j, -1 : 1 : small.shape[1] * 1j]
    terms = np.stack(np.broadcast_arrays(1.0, x, y, x * x, x * y, y * y)).reshape(6, -1)
    values = small.ravel().astype(np.float64)
    fitted = np.zeros_like(values)
    weights = np.ones_like(values)
    for _ in range(3):
        weighted = terms * weights
        # The tiny addition keeps images of a single row or column solvable.
        squares = weighted @ terms.T + 1e-6 * np.eye(6)
        fitted = np.linalg.solve(squares, weighted @ values) @ terms
        off = np.abs(values - fitted)
        weights = (off <= max(1.0, 3 * float(np.median(off)))).astype(np.float64)
    return fitted.reshape(small.shape).astype(np.float32)


def _is_ink_dark(small: NDArray[np.float32]) -> bool:
    """Whether narrow structures in [H, W] are darker than their surroundings.

    Ink is the long tail of the differences; shadows' edges and lamps have none, or one on both sides.
    """
    window = max(3, 2 * min(small.shape) // 5 | 1)
    detail = small - ndimage.uniform_filter(small, window)
    return float((detail**3).sum()) < 0


def _filled(rest: NDArray[np.float32], is_dark: bool) -> NDArray[np.float32]:
    """Fill up dark strokes (or level light ones) that are narrower than a third of [H, W]."""
    window = max(3, min(rest.shape) // 3 | 1)
    # The edge goes on beyond itself: mirrored, slopes would look like strokes there.
    padded = np.pad(rest, window, mode="edge")
    fill = ndimage.grey_closing if is_dark else ndimage.grey_opening
    level = ndimage.uniform_filter(fill(padded, (window, window)), 3)
    return np.asarray(level[window:-window, window:-window], np.float32)
