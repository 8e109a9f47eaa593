"""Ink that is not the digit: margins, frames, ruled lines, an underline. Sees the mask of the ink.

Something is removed only if what remains is large enough to be a digit, so that a digit that fills
its image is never cut.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from service.image_files.raster import Pixels
from service.preprocessing.strokes import EIGHT_NEIGHBOURS, Mask

# Shares of the image, or of the rest of the ink.
_DARKER = 24  # grey levels between a stroke and a lighter line under it
_SPAN = 0.9  # from one side to the other
_THIN = 0.08  # a line's thickness, by its length
_LONGER = 1.3  # a line beside the rest, by the rest's size in its direction
_INTO = 0.15  # how far an aslant underline may reach up beside the rest, by its height
_MUCH_LONGER = 1.5  # the same for a line that touches the rest
_LEAST_LINE = 0.55  # of the image: ink that is smaller has no line across it
_BAND = 0.06  # at a side: a margin lies in it
_LEAST_REST = 0.12  # of the height or width
_LEAST_INSIDE = 0.2  # of a frame's height
_FRAME_SIDE = 0.8  # of a frame's side that is drawn
_SEGMENT = 8  # a line is looked for in pieces of an eighth of the side
_COVERED = 0.8  # ink over more than this is no digit


class _Component(NamedTuple):
    number: int
    top: int
    bottom: int
    left: int
    right: int
    area: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left


def drop_surroundings(mask: Mask, ink: Pixels) -> tuple[Mask, bool]:
    """Remove margins, frames and lines from the mask bool [H, W] of the ink, uint8 [H, W].

    Returns:
        The mask itself if there is nothing to remove, and whether it is known to be one component.
    """
    box = tuple(
        slice(int(used[0]), int(used[-1]) + 1) if used.size else slice(0)
        for used in (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    )
    inside, count = ndimage.label(mask[box], EIGHT_NEIGHBOURS)
    rest = mask
    if count > 1:
        labels = np.zeros(mask.shape, np.int32)
        labels[box] = inside
        rest = _without_separate(mask, labels, count)
    cleaned = _without_touching(rest, ink)
    return (rest, count == 1) if cleaned is None else (cleaned, False)


def is_covered(mask: Mask) -> bool:
    """Whether ink covers so much of a mask that is about square that it is no digit."""
    height, width = mask.shape
    return bool(np.count_nonzero(mask) > _COVERED * mask.size) and max(height, width) < 1.6 * min(
        height, width
    )


def _components(labels: NDArray[np.int32], count: int) -> list[_Component]:
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    return [
        _Component(number, r.start, r.stop, c.start, c.stop, int(areas[number]))
        for number, (r, c) in enumerate(ndimage.find_objects(labels), 1)
    ]


def _without_separate(mask: Mask, labels: NDArray[np.int32], count: int) -> Mask:
    """Without components that surround the others or are lines beside them."""
    components = _components(labels, count)
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


def _is_large(one: _Component, shape: tuple[int, ...]) -> bool:
    """Whether a component could be a digit or a stroke of one, by its size."""
    return one.height >= _LEAST_REST * shape[0] or one.width >= _LEAST_REST * shape[1]


def _is_around(one: _Component, shape: tuple[int, ...], labels: NDArray[np.int32]) -> bool:
    """A frame, a grid or a margin: what is large and hollow, or lies along a side of the image."""
    height, width = shape
    if _is_margin(one, shape):
        return True
    if one.area > 0.5 * one.height * one.width:
        return False
    spans = one.height >= _SPAN * height and one.width >= _SPAN * width
    if spans and one.top == 0 and one.left == 0 and one.bottom == height and one.right == width:
        return _has_content(one, labels)
    part = labels[one.top : one.bottom, one.left : one.right] == one.number
    return len(_drawn_sides(part)) == 4 and _has_content(one, labels)


def _is_margin(one: _Component, shape: tuple[int, ...]) -> bool:
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


def _has_content(one: _Component, labels: NDArray[np.int32]) -> bool:
    """Whether another component of some size lies inside the box of this one."""
    inside = labels[one.top : one.bottom, one.left : one.right]
    other = (inside > 0) & (inside != one.number)
    rows = np.flatnonzero(other.any(axis=1))
    return rows.size > 0 and bool(np.ptp(rows) >= _LEAST_INSIDE * one.height)


def _drawn_sides(part: Mask) -> list[str]:
    """The sides of its box that a component bool [h, w] lies along."""
    band = [max(2, round(_THIN * length)) for length in part.shape]
    sides = {
        "top": part[: band[0]].any(axis=0),
        "bottom": part[-band[0] :].any(axis=0),
        "left": part[:, : band[1]].any(axis=1),
        "right": part[:, -band[1] :].any(axis=1),
    }
    return [name for name, drawn in sides.items() if drawn.mean() >= _FRAME_SIDE]


def _is_line(one: _Component, labels: NDArray[np.int32]) -> bool:
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
    return bool(abs(slope) < 0.2 and is_straight and thickness <= max(2.0, _THIN * length))


def _is_beside(
    line: _Component, others: list[_Component], lines: list[_Component], shape: tuple[int, ...]
) -> bool:
    """Whether a line is ruled paper, a margin line or an underline rather than a stroke."""
    top, bottom = min(o.top for o in others), max(o.bottom for o in others)
    left, right = min(o.left for o in others), max(o.right for o in others)
    if line.width > line.height:
        spans = line.width >= _SPAN * shape[1]
        parallel = sum(o.width >= _SPAN * shape[1] for o in lines)
        is_below = line.top >= bottom - _INTO * (bottom - top)
        is_outside = is_below or line.bottom <= top
        # A stroke above may be the bar of a 5; below the rest there is none so long.
        longer = line.width >= (1 if is_below else _LONGER) * (right - left)
    else:
        spans = line.height >= _SPAN * shape[0]
        parallel = sum(o.height >= _SPAN * shape[0] for o in lines)
        is_outside = line.left >= right or line.right <= left
        # A 1 beside another digit is a digit; only what spans the image is a margin line.
        longer = spans and line.height >= _LONGER * (bottom - top)
    return (spans and parallel > 1) or (is_outside and longer)


def _without_touching(mask: Mask, ink: Pixels) -> Mask | None:
    """Without lines that touch the rest, or that are a frame around it; None if there are none."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if max(rows.size / mask.shape[0], columns.size / mask.shape[1]) < _LEAST_LINE:
        return None
    inked = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    found = _long_lines(mask[inked]), _long_lines(mask[inked].T)
    if found[0] is None and found[1] is None:
        return None
    flat, upright = np.zeros_like(mask), np.zeros_like(mask)
    if found[0] is not None:
        flat[inked] = found[0]
    if found[1] is not None:
        upright[inked] = found[1].T
    rest = mask & ~ndimage.binary_dilation(flat | upright, np.ones((3, 3)))
    if not rest.any():
        return None
    sides = _drawn_sides(mask[inked])
    flat = _foreign(flat, rest, is_framed=len(sides) >= 3)
    upright = _foreign(upright.T, rest.T, is_framed=len(sides) >= 3).T
    if not flat.any() and not upright.any():
        return None
    cleaned = _erased(_erased(mask.T, ink.T, upright.T).T, ink, flat)
    y, x = np.nonzero(cleaned)
    if not y.size:
        return None
    is_large = max(np.ptp(y) / mask.shape[0], np.ptp(x) / mask.shape[1]) >= _LEAST_REST
    return cleaned if is_large else None


def _long_lines(mask: Mask) -> Mask | None:
    """Pixels of thin horizontal lines over half of the width and more of ink cropped to its box."""
    height, width = mask.shape
    starts, ends = _long_runs(mask, max(5, width // _SEGMENT))
    if not starts.size or np.max(ends) - np.min(starts) < 0.5 * width:
        return None
    marks = np.zeros(height * (width + 1), np.int8)
    marks[starts], marks[ends] = 1, -1
    top, bottom = int(starts[0]) // (width + 1), int(ends[-1]) // (width + 1) + 1
    runs = np.cumsum(marks, dtype=np.int8).reshape(height, width + 1)[top:bottom, :width]
    if not _may_hold_line(runs.view(np.bool_)):
        return None
    labels, count = ndimage.label(runs, EIGHT_NEIGHBOURS)
    is_line = np.zeros(count + 1, np.bool_)
    for one in _components(labels, count):
        if one.width < 0.5 * width:
            continue
        part = labels[one.top : one.bottom, one.left : one.right] == one.number
        is_line[one.number] = np.median(part.sum(axis=0)) <= max(3.0, _THIN * one.width)
    if not is_line.any():
        return None
    found = np.zeros_like(mask)
    found[top:bottom] = is_line[labels]
    return found


def _may_hold_line(runs: Mask) -> bool:
    """Whether enough columns of [h, w] hold something thin, for a half of a line over half of the width."""
    height, width = runs.shape
    starts, ends = _long_runs(runs.T, 1)
    is_thin = ends - starts <= max(3.0, _THIN * width)
    return bool(np.unique(starts[is_thin] // (height + 1)).size >= 0.25 * width)


def _long_runs(mask: Mask, length: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where runs along the rows of [H, W] that have at least this length start and end.

    Returns:
        Places in the rows one after the other, each with an empty pixel behind it; ends excluded.
    """
    height, width = mask.shape
    padded = np.zeros((height, width + 1), np.bool_)
    padded[:, :width] = mask
    pixels = padded.ravel()
    changes = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    if pixels[0]:
        changes = np.concatenate(([0], changes))
    starts, ends = changes[::2], changes[1::2]
    is_long = ends - starts >= length
    return starts[is_long], ends[is_long]


def _foreign(lines: Mask, rest: Mask, *, is_framed: bool) -> Mask:
    """Those horizontal lines that are no strokes of the rest, by how far they go beyond it."""
    labels, count = ndimage.label(lines, EIGHT_NEIGHBOURS)
    columns, rows = np.flatnonzero(rest.any(axis=0)), np.flatnonzero(rest.any(axis=1))
    found, width = _components(labels, count), lines.shape[1]
    spanning = [one for one in found if one.width >= _SPAN * width]
    beyond = 0.04 * width
    chosen = np.zeros_like(lines)
    for one in found:
        is_longer = one.width >= _MUCH_LONGER * (np.ptp(columns) + 1)
        is_ruled = (
            len(spanning) > 1
            and one in spanning
            and one.left + beyond <= columns[0]
            and one.right - beyond > columns[-1]
        )
        is_side = is_framed and (one.top <= rows[0] or one.bottom > rows[-1])
        if is_longer or is_ruled or is_side:
            part = labels[one.top : one.bottom, one.left : one.right] == one.number
            thickness = part.sum(axis=0)
            # Where it is much thicker, a stroke lies along it.
            chosen[one.top : one.bottom, one.left : one.right] |= part & (
                thickness <= 2 * np.median(thickness) + 1
            )
    return chosen


def _erased(mask: Mask, ink: Pixels, lines: Mask) -> Mask:
    """Without horizontal lines, except where a stroke crosses them.

    A stroke goes on above and below the line, or is darker than it.
    """
    if not lines.any():
        return mask
    rest = mask & ~ndimage.binary_dilation(lines, np.ones((3, 1)))
    thickness = int(np.median(lines.sum(axis=0)[lines.any(axis=0)]))
    reach = 2 * min(thickness, 12) + 5
    padded = np.pad(rest, ((reach, reach), (0, 0)))
    closed = ndimage.minimum_filter1d(
        ndimage.maximum_filter1d(padded.view(np.uint8), reach, axis=0), reach, axis=0
    )[reach:-reach]
    level = float(np.median(np.where(lines, ink, 0).max(axis=0)[lines.any(axis=0)]))
    is_darker = ink > level + max(_DARKER, 0.25 * level)
    cleaned: Mask = rest | ((closed.view(np.bool_) | is_darker) & mask)
    return cleaned
