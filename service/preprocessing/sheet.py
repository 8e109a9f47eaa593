"""Crops a sheet on a darker desk, or the inside of a frame at the image's edge, from a grey image."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from service.image_files.raster import Pixels
from service.preprocessing.components import Mask

# Shares of the image, or of the sheet where the name says so.
_CALM_BORDER = 0.05  # of the border that may be of the other class without a closer look
_CALM_AREA = 0.2  # of the image that ink covers without a closer look
_MIN_CONTRAST = 24  # between sheet and desk, and between sheet and digit
_LIGHT_SHEET, _DARK_SHEET = 0.25, 0.6  # of the image's height and width
_QUADRILATERAL = 0.92  # shared by a sheet and the quadrilateral between its corners
_OTHER_OUTSIDE = 0.15  # of what is beside a sheet that may look like it
_WHOLE = 0.995  # a sheet as large as this is the image
_EDGE = 0.02  # of the sheet's side that is cut off, where it is not sharp
_INNER_SIDES = 3  # of a sheet's four that do not lie along the image's
_ALONG = 2  # pixels: this near, a side lies along the image's
_SHADOW = 0.35  # no shadow leaves less than this of the light
_CONTENT = 0.002  # of the sheet that has to be of another grey


def cut_out_sheet(grey: Pixels) -> Pixels | None:
    """Crop a sheet (or the inside of a frame at the image's edge) from uint8 [H, W].

    Returns:
        uint8 [h, w], with the surroundings of the sheet in the grey of its edge; None if there
        is no sheet with ink on it, or the sheet is the whole image.
    """
    low, high = int(grey.min()), int(grey.max())
    if high - low < _MIN_CONTRAST or _is_calm(grey > (low + high) // 2):
        return None
    smooth = ndimage.uniform_filter(grey, 3)
    is_light = smooth > _otsu(smooth)
    for region, least in ((is_light, _LIGHT_SHEET), (~is_light, _DARK_SHEET)):
        corners = _find_quadrilateral(region, least)
        if corners is None or _is_shadow_edge(grey, region, corners):
            continue
        if (sheet := _cut(grey, corners)) is not None:
            return sheet
    return None


def _is_calm(is_light: Mask) -> bool:
    """Whether the image is clearly a few strokes on a background that reaches all sides."""
    edge = np.concatenate((is_light[0], is_light[-1], is_light[:, 0], is_light[:, -1]))
    border, whole = (np.count_nonzero(one) / one.size for one in (edge, is_light))
    if border < 0.5:
        border, whole = 1 - border, 1 - whole
    return bool(border >= 1 - _CALM_BORDER and whole >= 1 - _CALM_AREA)


def _otsu(grey: Pixels) -> int:
    """The threshold between two classes of grey with the largest variance between them (Otsu, 1979)."""
    counts = np.bincount(grey.ravel(), minlength=256).astype(np.float64)
    below = counts.cumsum()
    above = below[-1] - below
    sums = (counts * np.arange(256)).cumsum()
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    return int(np.nanargmax(between))


def _find_quadrilateral(region: Mask, least: float) -> NDArray[np.float64] | None:
    """The corners [4, 2] (y, x) of the largest part of a region, if it has four straight sides."""
    height, width = region.shape
    labels, count = ndimage.label(region)
    if not count:
        return None
    largest = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    y, first, last = _row_ends(largest)
    if np.ptp(y) < least * height or last.max() - first.min() < least * width:
        return None
    # Smallest at the corners, around the sheet; each lies at an end of its row.
    diagonals = (y + first, first), (y - last, last), (-(y + last), last), (first - y, first)
    chosen = [(int(np.argmin(diagonal)), x) for diagonal, x in diagonals]
    corners = np.array([[y[i], x[i]] for i, x in chosen], float)
    inside = _polygon(region.shape, corners)
    outside = region.size - np.count_nonzero(inside)
    if outside <= (1 - _WHOLE) * region.size:
        return None
    centre = corners.mean(axis=0)
    around = _polygon(region.shape, corners + 2 * np.sign(corners - centre))
    if np.count_nonzero(region & ~around) > _OTHER_OUTSIDE * outside:
        return None  # pockets of paper between strokes
    filled = _filled(largest)
    shared, either = np.count_nonzero(inside & filled), np.count_nonzero(inside | filled)
    return corners if shared >= _QUADRILATERAL * either else None


def _row_ends(part: Mask) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """The rows of bool [H, W] that are not empty, and the first and the last column of each."""
    y = np.flatnonzero(part.any(axis=1))
    rows = part[y]
    return y, rows.argmax(axis=1), part.shape[1] - 1 - rows[:, ::-1].argmax(axis=1)


def _filled(part: Mask) -> Mask:
    """The same as `ndimage.binary_fill_holes`, which takes ten times as long: all but what is outside."""
    labels, count = ndimage.label(~part)
    is_outside = np.zeros(count + 1, np.bool_)
    for side in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        is_outside[side] = True
    is_outside[0] = False  # the part itself
    filled: Mask = ~is_outside[labels]
    return filled


def _cut(grey: Pixels, corners: NDArray[np.float64]) -> Pixels | None:
    """Crop a quadrilateral from uint8 [H, W]; None if there is nothing on it."""
    centre = corners.mean(axis=0)
    corners = centre + (corners - centre) * (1 - 2 * _EDGE)
    top, left = np.floor(corners.min(axis=0)).astype(int)
    bottom, right = np.ceil(corners.max(axis=0)).astype(int) + 1
    inside = _polygon(grey.shape, corners)[top:bottom, left:right]
    sheet = grey[top:bottom, left:right]
    level = int(np.median(sheet[inside]))
    standing_out = inside & (np.abs(sheet.astype(np.int16) - level) > _MIN_CONTRAST)
    return _continued(sheet, inside) if standing_out.mean() > _CONTENT else None


def _continued(sheet: Pixels, inside: Mask) -> Pixels:
    """Extend each row of a convex part of uint8 [H, W] with the grey at its end."""
    rows = np.flatnonzero(inside.any(axis=1))
    y = np.clip(np.arange(sheet.shape[0]), rows[0], rows[-1])
    first = inside.argmax(axis=1)[y, np.newaxis]
    last = sheet.shape[1] - 1 - inside[:, ::-1].argmax(axis=1)[y, np.newaxis]
    continued: Pixels = sheet[y[:, np.newaxis], np.clip(np.arange(sheet.shape[1]), first, last)]
    return continued


def _is_shadow_edge(grey: Pixels, region: Mask, corners: NDArray[np.float64]) -> bool:
    """Whether the surroundings of a region are the same paper with less light on it."""
    if _inner_sides(corners, region.shape) >= _INNER_SIDES:
        return False
    inside, outside = float(np.median(grey[region])), float(np.median(grey[~region]))
    return min(inside, outside) > _SHADOW * max(inside, outside)


def _inner_sides(corners: NDArray[np.float64], shape: tuple[int, ...]) -> int:
    """How many of a quadrilateral's sides [4, 2] (y, x) do not lie along a side of [H, W]."""
    last = np.array(shape) - 1
    along = 0
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        near_first = np.maximum(start, end) <= _ALONG
        near_last = np.minimum(start, end) >= last - _ALONG
        along += bool(near_first.any() or near_last.any())
    return 4 - along


def _polygon(shape: tuple[int, ...], corners: NDArray[np.float64]) -> Mask:
    """The inside of a convex polygon [N, 2] (y, x) in [H, W]: on one side of every edge."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    left, right = np.ones(shape, np.bool_), np.ones(shape, np.bool_)
    for (y0, x0), (y1, x1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        down, across = (x1 - x0) * (y - y0), (y1 - y0) * (x - x0)
        left &= down >= across
        right &= down <= across
    inside: Mask = left | right
    return inside
