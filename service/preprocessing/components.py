"""The connected components of a mask: their boxes, and the sides of a box along which they lie."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Mask = NDArray[np.bool_]

EIGHT_NEIGHBOURS = np.ones((3, 3), np.int8)
# Shares of the image, or of what the name says.
THIN = 0.08  # a line's thickness, by its length
LEAST_REST = 0.12  # of the height or width
SPAN = 0.9  # from one side to the other
SCRAP = 0.1  # of the largest piece's area
_FRAME_SIDE = 0.8  # of a frame's side that is drawn


Runs = tuple[NDArray[np.intp], NDArray[np.intp]]  # see `find_runs`


class Component(NamedTuple):
    """A component, or several joined: their labels, their box (ends excluded) and their pixels."""

    numbers: list[int]
    top: int
    bottom: int
    left: int
    right: int
    area: int

    @property
    def number(self) -> int:
        """The first label."""
        return self.numbers[0]

    @property
    def height(self) -> int:
        """Rows of the box."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Columns of the box."""
        return self.right - self.left

    def joined(self, other: "Component") -> "Component":
        """The union of both."""
        return Component(
            self.numbers + other.numbers,
            min(self.top, other.top),
            max(self.bottom, other.bottom),
            min(self.left, other.left),
            max(self.right, other.right),
            self.area + other.area,
        )


class Extent(NamedTuple):
    """The rows and the columns of a mask that are not empty, in order."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]

    @property
    def box(self) -> tuple[slice, slice]:
        """The bounding box; empty if nothing is set."""
        if not self.rows.size:
            return slice(0), slice(0)
        return (
            slice(int(self.rows[0]), int(self.rows[-1]) + 1),
            slice(int(self.columns[0]), int(self.columns[-1]) + 1),
        )


def find_extent(mask: Mask) -> Extent:
    """The extent of bool [H, W]."""
    rows = np.flatnonzero(mask.any(axis=1))
    if not rows.size:
        return Extent(rows, rows)
    return Extent(rows, np.flatnonzero(mask[rows[0] : rows[-1] + 1].any(axis=0)))


def find_runs(mask: Mask, length: int = 1) -> Runs:
    """The start and end of runs along the rows of [H, W] with at least this length.

    Returns:
        Places in the rows one after the other, each with an empty pixel behind it; ends excluded.
    """
    height, width = mask.shape
    if not mask.size:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    padded = np.zeros((height, width + 1), np.bool_)
    padded[:, :width] = mask
    pixels = padded.ravel()
    changes = (pixels[1:] != pixels[:-1]).nonzero()[0] + 1
    if pixels[0]:
        changes = np.concatenate(([0], changes))
    starts, ends = changes[::2], changes[1::2]
    if length == 1:
        return starts, ends
    is_long = ends - starts >= length
    return starts[is_long], ends[is_long]


def is_surely_one(runs: Runs, width: int) -> bool:
    """Whether all runs of bool [h, width] are one component (eight neighbours) by a quick look; False: perhaps.

    Where every run of ink but one touches a run in the row above, all of them are connected by way
    of that one; likewise with the row below. A drawn digit mostly has one such end at least.
    """
    stride = width + 1
    starts, ends = runs
    if not starts.size:
        return False
    for step in (-stride, stride):
        first = np.minimum(np.searchsorted(ends, starts + step), starts.size - 1)
        touches = (starts[first] <= ends + step) & (ends[first] >= starts + step)
        if np.count_nonzero(touches) == starts.size - 1:
            return True
    return False


def find_components(labels: NDArray[np.int32], count: int) -> list[Component]:
    """List the components of a labelled mask int32 [H, W] with `count` labels, by label."""
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    return [
        Component([number], r.start, r.stop, c.start, c.stop, int(areas[number]))
        for number, (r, c) in enumerate(ndimage.find_objects(labels), 1)
    ]


def drawn_sides(part: Mask) -> list[str]:
    """The sides of its box that a component bool [h, w] lies along."""
    band = [max(2, round(THIN * length)) for length in part.shape]
    sides = {
        "top": part[: band[0]].any(axis=0),
        "bottom": part[-band[0] :].any(axis=0),
        "left": part[:, : band[1]].any(axis=1),
        "right": part[:, -band[1] :].any(axis=1),
    }
    return [name for name, drawn in sides.items() if drawn.mean() >= _FRAME_SIDE]
