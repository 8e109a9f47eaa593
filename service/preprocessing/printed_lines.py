"""Removes lines that touch the digit or frame it: ruled and squared paper, the cells of a form."""

from typing import Any

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
    Extent,
    Mask,
    Runs,
    drawn_sides,
    find_components,
    find_runs,
)

# Shares of the image, or of the rest of the ink.
_DARKER = 24  # grey levels between a stroke and a lighter line under it
_MUCH_LONGER = 1.5  # the same for a line that touches the rest
_LEAST_LINE = 0.55  # of the image: ink that is smaller has no line across it
_SEGMENT = 8  # a line is looked for in pieces of an eighth of the side
_SLOPE = 0.2  # rows that a line across may rise or fall by, by its length
_NEAR = 0.05  # of the image: a line that ends so near to another one meets it


def without_touching_lines(mask: Mask, ink: Pixels, extent: Extent, runs: Runs) -> Mask | None:
    """Remove lines that touch the rest or frame it; None if there are none. runs: inside the extent."""
    shares = extent.rows.size / mask.shape[0], extent.columns.size / mask.shape[1]
    if max(shares) < _LEAST_LINE:
        return None
    inked = extent.box
    crossed = find_runs(mask[inked].T)
    found = _long_lines(mask[inked], crossed), _long_lines(mask[inked].T, runs)
    if found[0] is None and found[1] is None:
        return None
    flat, upright = np.zeros_like(mask), np.zeros_like(mask)
    if found[0] is not None:
        flat[inked] = found[0]
    if found[1] is not None:
        upright[inked] = found[1].T
    rest = _main_part(mask & ~ndimage.binary_dilation(flat | upright, np.ones((3, 3))))
    if not rest.any():
        return None
    sides = drawn_sides(mask[inked])
    is_framed = len(sides) >= 3
    flat = _foreign(flat, rest, is_framed=is_framed)
    sides_of_cells = _between(upright, flat, rest)
    upright = _foreign(upright.T, rest.T, is_framed=is_framed, one_is_enough=False).T
    upright |= sides_of_cells
    if not flat.any() and not upright.any():
        return None
    cleaned = _erased(_erased(mask.T, ink.T, upright.T).T, ink, flat)
    y, x = np.nonzero(cleaned)
    if not y.size:
        return None
    is_large = max(np.ptp(y) / mask.shape[0], np.ptp(x) / mask.shape[1]) >= LEAST_REST
    return cleaned if is_large else None


def _long_lines(mask: Mask, across: Runs) -> Mask | None:
    """Pixels of thin horizontal lines over half of the width and more of ink cropped to its box.

    across: the runs in its columns.
    """
    height, width = mask.shape
    if not _may_hold_line(across, mask.shape, 0):
        return None
    # Thickened, so that runs follow a thin line that is aslant; those of steep strokes grow by two.
    thick = mask.copy()
    thick[1:] |= mask[:-1]
    thick[:-1] |= mask[1:]
    starts, ends = find_runs(thick, max(5, width // _SEGMENT) + 2)
    if not starts.size or np.max(ends) - np.min(starts) < 0.5 * width:
        return None
    marks = np.zeros(height * (width + 1), np.int8)
    marks[starts], marks[ends] = 1, -1
    top, bottom = int(starts[0]) // (width + 1), int(ends[-1]) // (width + 1) + 1
    runs = np.cumsum(marks, dtype=np.int8).reshape(height, width + 1)[top:bottom, :width]
    if not _may_hold_line(find_runs(runs.view(np.bool_).T), runs.shape, 2):
        return None
    labels, count = ndimage.label(runs, EIGHT_NEIGHBOURS)
    is_line = np.zeros(count + 1, np.bool_)
    for one in find_components(labels, count):
        if one.width < 0.5 * width:
            continue
        part = labels[one.top : one.bottom, one.left : one.right] == one.number
        drop = abs(int(part[:, -1].argmax()) - int(part[:, 0].argmax()))
        is_line[one.number] = drop <= _SLOPE * one.width and (
            np.median(part.sum(axis=0)) - 2 <= max(3.0, THIN * one.width)
        )
    if not is_line.any():
        return None
    found = np.zeros_like(mask)
    found[top:bottom] = is_line[labels]
    return found


def _may_hold_line(across: Runs, shape: tuple[int, ...], thickened: int) -> bool:
    """Whether enough columns of [h, w] hold a thin run, for a half of a line over half of the width."""
    height, width = shape
    starts, ends = across
    is_thin = ends - starts - thickened <= max(3.0, THIN * width)
    columns = starts[is_thin] // (height + 1)  # in order
    different = np.count_nonzero(columns[1:] != columns[:-1]) + bool(columns.size)
    return bool(different >= 0.25 * width)


def _foreign(lines: Mask, rest: Mask, *, is_framed: bool, one_is_enough: bool = True) -> Mask:
    """The horizontal lines that are not strokes of the rest, by how far they extend beyond it.

    one_is_enough: a single line that is much longer than the rest is none (an underline); among
    upright ones it may be a stem.
    """
    labels, count = ndimage.label(lines, EIGHT_NEIGHBOURS)
    columns, rows = np.flatnonzero(rest.any(axis=0)), np.flatnonzero(rest.any(axis=1))
    found, width = find_components(labels, count), lines.shape[1]
    spanning = [one for one in found if one.width >= SPAN * width]
    chosen = np.zeros_like(lines)
    for one in found:
        part = labels[one.top : one.bottom, one.left : one.right] == one.number
        thickness = part.sum(axis=0)
        # The bar of a 7 or a 5 is long, too, but ends with the rest at one side; a stroke aslant
        # reaches further by what was removed of it with the line.
        beyond = max(0.04 * width, _typical(thickness) + 2)
        is_beyond = one.left + beyond <= columns[0] and one.right - beyond > columns[-1]
        is_longer = one_is_enough and one.width >= _MUCH_LONGER * (np.ptp(columns) + 1)
        is_ruled = len(spanning) > 1 and one in spanning
        is_side = is_framed and (one.top <= rows[0] or one.bottom > rows[-1])
        if (is_beyond and (is_longer or is_ruled)) or is_side:
            # Where it is much thicker, a stroke lies along it.
            chosen[one.top : one.bottom, one.left : one.right] |= part & (
                thickness <= 2 * _typical(thickness) + 1
            )
    return chosen


def _typical(values: NDArray[Any]) -> float:
    """What is usual along a line, also if a stroke lies along more than half of it."""
    return float(np.percentile(values, 25))


def _between(upright: Mask, flat: Mask, rest: Mask) -> Mask:
    """Those upright lines beside the rest that end at lines across, or at the image's edge: a cell's sides."""
    chosen = np.zeros_like(upright)
    across = np.flatnonzero(flat.any(axis=1))
    if not across.size:
        return chosen
    near = max(3, round(_NEAR * upright.shape[0]))
    columns = np.flatnonzero(rest.any(axis=0))
    labels, count = ndimage.label(upright, EIGHT_NEIGHBOURS)
    for one in find_components(labels, count):
        part = slice(max(0, one.left - near), one.right + near)
        crossing = np.flatnonzero(flat[:, part].any(axis=1))
        if not crossing.size:
            continue
        ends = np.array([0, upright.shape[0] - 1, *crossing])
        is_held = all(np.abs(ends - end).min() <= near for end in (one.top, one.bottom - 1))
        if is_held and (one.right <= columns[0] or one.left > columns[-1]):
            chosen |= labels == one.number
    return chosen


def _erased(mask: Mask, ink: Pixels, lines: Mask) -> Mask:
    """Remove horizontal lines, except where a stroke crosses them.

    A stroke continues above and below the line, or is darker than it.
    """
    if not lines.any():
        return mask
    rest = mask & ~ndimage.binary_dilation(lines, np.ones((3, 1)))
    inked = lines.any(axis=0)
    thickness = int(_typical(lines.sum(axis=0)[inked]))
    reach = 2 * min(thickness, 12) + 5
    padded = np.pad(rest, ((reach, reach), (0, 0)))
    closed = ndimage.minimum_filter1d(
        ndimage.maximum_filter1d(padded.view(np.uint8), reach, axis=0), reach, axis=0
    )[reach:-reach]
    level = _typical(np.where(lines, ink, 0).max(axis=0)[inked])
    is_darker = ink > level + max(_DARKER, 0.25 * level)
    cleaned: Mask = rest | ((closed.view(np.bool_) | is_darker) & mask)
    return cleaned


def _main_part(mask: Mask) -> Mask:
    """Keep the components that are not small relative to the largest one (no ends of lines)."""
    labels, _ = ndimage.label(mask, EIGHT_NEIGHBOURS)
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    chosen: Mask = (areas > SCRAP * areas.max())[labels]
    return chosen
