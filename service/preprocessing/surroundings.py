"""Removes ink that is not the digit: margins, frames, ruled lines, an underline. Uses the mask of the ink.

Something is removed only if the rest is large enough to be a digit, so that a digit that fills
its image is never cut.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from service.image_files.raster import Pixels
from service.preprocessing.components import (
    EIGHT_NEIGHBOURS,
    LEAST_REST,
    SCRAP,
    SPAN,
    THIN,
    Component,
    Extent,
    Mask,
    drawn_sides,
    find_components,
    find_extent,
    find_runs,
    is_surely_one,
)
from service.preprocessing.printed_lines import without_touching_lines

# Shares of the image, or of the rest of the ink.
_LONGER = 1.3  # a line beside the rest, by the rest's size in its direction
_INTO = 0.15  # how far an aslant underline may reach up beside the rest, by its height
_BAND = 0.06  # at a side: a margin lies in it
_LEAST_INSIDE = 0.2  # of a frame's height
_EDGE = 0.03  # of the image: what begins so near to its edge begins beyond it
_MOST_STROKES = 6
_COVERED = 0.8  # ink over more than this is no digit


def drop_surroundings(mask: Mask, ink: Pixels, extent: Extent) -> tuple[Mask, bool]:
    """Remove margins, frames and lines from the mask bool [H, W] of the ink, uint8 [H, W]; extent: of the mask.

    Returns:
        The mask itself if there is nothing to remove, and whether it is known to be one component.
    """
    count, runs = 1, find_runs(mask[extent.box])
    if not is_surely_one(runs, extent.box[1].stop - extent.box[1].start):
        inside, count = ndimage.label(mask[extent.box], EIGHT_NEIGHBOURS)
    rest = mask
    if count > 1:
        labels = np.zeros(mask.shape, np.int32)
        labels[extent.box] = inside
        rest = _without_separate(mask, labels, count)
    if rest is not mask:
        extent = find_extent(rest)
        runs = find_runs(rest[extent.box])
    cleaned = without_touching_lines(rest, ink, extent, runs)
    if cleaned is None and count <= _MOST_STROKES:
        return rest, count == 1
    return _without_scraps(rest if cleaned is None else cleaned), False


def is_covered(mask: Mask) -> bool:
    """Whether ink covers too much of a roughly square mask to be a digit."""
    height, width = mask.shape
    return bool(np.count_nonzero(mask) > _COVERED * mask.size) and max(height, width) < 1.6 * min(
        height, width
    )


def _without_separate(mask: Mask, labels: NDArray[np.int32], count: int) -> Mask:
    """Remove components that surround the others or are lines next to them."""
    components = find_components(labels, count)
    around = [one for one in components if _is_around(one, mask.shape, labels)]
    rest = [one for one in components if one not in around]
    lines = [one for one in rest if _is_line(one, labels)]
    others = [one for one in rest if one not in lines and _is_large(one, mask.shape)]
    if others:
        around += [one for one in lines if _is_beside(one, others, lines, mask.shape)]
    kept = [one for one in components if one not in around]
    if not around or not any(_is_large(one, mask.shape) for one in kept):
        return mask
    is_kept = np.zeros(len(components) + 1, np.bool_)
    is_kept[[one.number for one in kept]] = True
    chosen: Mask = is_kept[labels]
    return chosen


def _without_scraps(mask: Mask) -> Mask:
    """Remove small components if there are many: they are remains of lines, since a digit has few strokes."""
    labels, count = ndimage.label(mask, EIGHT_NEIGHBOURS)
    if count <= _MOST_STROKES:
        return mask
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    is_kept = areas >= SCRAP * areas.max()
    chosen: Mask = is_kept[labels]
    return chosen if count - np.count_nonzero(is_kept) >= _MOST_STROKES else mask


def _is_large(one: Component, shape: tuple[int, ...]) -> bool:
    """Whether a component could be a digit or a stroke of one, by its size."""
    return one.height >= LEAST_REST * shape[0] or one.width >= LEAST_REST * shape[1]


def _is_around(one: Component, shape: tuple[int, ...], labels: NDArray[np.int32]) -> bool:
    """Whether a component is a frame, a grid or a margin: large and hollow, or along a side of the image."""
    height, width = shape
    if _is_margin(one, shape):
        return True
    if one.area > 0.5 * one.height * one.width:
        return False
    spans = one.height >= SPAN * height and one.width >= SPAN * width
    if spans and one.top == 0 and one.left == 0 and one.bottom == height and one.right == width:
        return _has_content(one, labels)
    part = labels[one.top : one.bottom, one.left : one.right] == one.number
    drawn = drawn_sides(part)
    beyond = [side for side in _sides_at_edge(one, shape) if side not in drawn]
    return len(drawn) >= 3 and len(drawn) + len(beyond) == 4 and _has_content(one, labels)


def _is_margin(one: Component, shape: tuple[int, ...]) -> bool:
    height, width = shape
    along_rows = one.width >= 0.3 * width and (
        (one.top == 0 and one.bottom <= _BAND * height)
        or (one.bottom == height and one.top >= (1 - _BAND) * height)
    )
    along_columns = one.height >= 0.3 * height and (
        (one.left == 0 and one.right <= _BAND * width)
        or (one.right == width and one.left >= (1 - _BAND) * width)
    )
    return along_rows or along_columns


def _has_content(one: Component, labels: NDArray[np.int32]) -> bool:
    """Whether another component of some size lies inside the box of this one."""
    inside = labels[one.top : one.bottom, one.left : one.right]
    other = (inside > 0) & (inside != one.number)
    rows = np.flatnonzero(other.any(axis=1))
    return rows.size > 0 and bool(np.ptp(rows) >= _LEAST_INSIDE * one.height)


def _sides_at_edge(one: Component, shape: tuple[int, ...]) -> list[str]:
    """The sides of its box at the image's edge, beyond which a component may continue."""
    at_edge = {
        "top": one.top == 0,
        "bottom": one.bottom == shape[0],
        "left": one.left == 0,
        "right": one.right == shape[1],
    }
    return [name for name, is_there in at_edge.items() if is_there]


def _is_line(one: Component, labels: NDArray[np.int32]) -> bool:
    """Whether a component is thin, straight and roughly horizontal or vertical."""
    part = labels[one.top : one.bottom, one.left : one.right] == one.number
    if one.height > one.width:
        part = part.T
    length = part.shape[1]
    columns = part.sum(axis=0)
    if np.count_nonzero(columns) < 0.95 * length:
        return False
    centres = (part * np.arange(part.shape[0])[:, np.newaxis]).sum(axis=0) / np.maximum(columns, 1)
    places = np.flatnonzero(columns)
    slope, start = np.polyfit(places, centres[places], 1) if length > 2 else (0.0, 0.0)
    off = np.abs(centres[places] - (slope * places + start))
    thickness = float(np.median(columns[places]))
    is_straight = float(np.percentile(off, 95)) <= max(1.5, 0.015 * length)
    return bool(abs(slope) < 0.2 and is_straight and thickness <= max(2.0, THIN * length))


def _is_beside(
    line: Component, others: list[Component], lines: list[Component], shape: tuple[int, ...]
) -> bool:
    """Whether a line is ruled paper, a margin line or an underline rather than a stroke."""
    top, bottom = min(o.top for o in others), max(o.bottom for o in others)
    left, right = min(o.left for o in others), max(o.right for o in others)
    if line.width > line.height:
        spans = line.width >= SPAN * shape[1]
        parallel = sum(o.width >= SPAN * shape[1] for o in lines)
        is_below = line.top >= bottom - _INTO * (bottom - top)
        is_outside = is_below or line.bottom <= top
        # A stroke above may be the bar of a 5; below the rest there is none so long.
        longer = line.width >= (1 if is_below else _LONGER) * (right - left)
    else:
        spans = line.height >= SPAN * shape[0]
        parallel = sum(o.height >= SPAN * shape[0] for o in lines)
        is_outside = line.left >= right or line.right <= left
        # A 1 beside another digit is a digit, and a 4 has its stem at the right; only what goes
        # from edge to edge is a margin line.
        at_edges = line.top <= _EDGE * shape[0] and line.bottom >= (1 - _EDGE) * shape[0]
        longer = at_edges and line.height >= _LONGER * (bottom - top)
    return (spans and parallel > 1) or (is_outside and longer)
