"""Selects the blobs of ink of a single digit, among strokes, specks and other digits.

It uses only a mask and geometry, without grey values or a model. Blobs that nearly touch, or
that are above each other, are strokes of one digit. Small and distant blobs are specks. Tall
groups next to each other are several digits.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from service.errors import InvalidImage
from service.preprocessing.components import EIGHT_NEIGHBOURS, Component, Mask, find_components

_MOST_BLOBS = 64
# Shares of the height of all ink together, unless the name says otherwise.
_BREAK = 0.07  # strokes this near to each other are one
_TALL = 0.67  # what is lower is a stroke rather than a digit
_STROKE_GAP = 0.12  # how far the boxes of such strokes may be apart
_PART_HEIGHT = 0.3  # what is lower than this is a bar or a dot, never a digit
_PART_GAP = 0.25  # how far above or below such a part may be
_OVERLAP = 0.4  # of the narrower width: this much above each other
_OVERLAP_TALL = 0.7  # of the narrower width
_DIGIT_HEIGHT = 0.45  # of the tallest group: a digit of its own
_SPECK_AREA = 0.01  # of the largest blob
_PART_AREA = 0.1  # of the largest group


def digit_strokes(mask: Mask, *, is_photo: bool) -> Mask | None:
    """Select the pixels of a single digit.

    Args:
        mask: bool [H, W], where there is ink; at least one pixel is.
        is_photo: the background was uneven, so the groups may not be digits.

    Returns:
        bool [H, W]: the same without specks; None if there are no specks.

    Raises:
        InvalidImage: there are several digits.
    """
    labels, count = ndimage.label(mask, EIGHT_NEIGHBOURS)
    if count == 1:
        return None
    blobs = _blobs(labels, count)
    height = max(blob.bottom for blob in blobs) - min(blob.top for blob in blobs)
    groups = _nearly_touching(blobs, labels, height)
    groups = _joined(groups, height)
    digit = max(groups, key=lambda group: group.area)
    _refuse_several(groups, digit, is_photo=is_photo)
    kept = [number for group in groups if _is_part(group, digit) for number in group.numbers]
    if len(kept) == count:
        return None
    is_kept = np.zeros(count + 1, np.bool_)
    is_kept[kept] = True
    chosen: Mask = is_kept[labels]
    return chosen


def _blobs(labels: NDArray[np.int32], count: int) -> list[Component]:
    """List the blobs that are not specks, at most `_MOST_BLOBS`, the largest first."""
    blobs = sorted(find_components(labels, count), key=lambda blob: -blob.area)[:_MOST_BLOBS]
    return [blob for blob in blobs if blob.area > _SPECK_AREA * blobs[0].area]


def _nearly_touching(
    blobs: list[Component], labels: NDArray[np.int32], height: int
) -> list[Component]:
    """Join blobs whose distance is at most `_BREAK`: grown by half of it, they touch."""
    reach = max(1, int(_BREAK * height / 2))
    wanted = np.zeros(labels.max() + 1, np.uint8)
    wanted[[blob.number for blob in blobs]] = 1
    grown = ndimage.maximum_filter(wanted[labels], 2 * reach + 1, mode="constant")
    clusters, _ = ndimage.label(grown, EIGHT_NEIGHBOURS)
    groups: dict[int, Component] = {}
    for blob in blobs:
        row = clusters[blob.top, blob.left : blob.right]
        inside = labels[blob.top, blob.left : blob.right] == blob.number
        cluster = int(row[int(np.argmax(inside))])
        groups[cluster] = groups[cluster].joined(blob) if cluster in groups else blob
    return list(groups.values())


def _joined(groups: list[Component], height: int) -> list[Component]:
    """Join groups of the same digit until there are no more to join."""
    joined: list[Component] = []
    for group in groups:
        while partner := next((other for other in joined if _belong(group, other, height)), None):
            joined.remove(partner)
            group = group.joined(partner)
        joined.append(group)
    return joined


def _belong(one: Component, other: Component, height: int) -> bool:
    """Whether two groups are strokes of one digit: near, above each other or one in the other."""
    across = max(one.left, other.left) - min(one.right, other.right)
    down = max(one.top, other.top) - min(one.bottom, other.bottom)
    narrower = min(one.right - one.left, other.right - other.left)
    lower = min(one.height, other.height)
    if lower < _PART_HEIGHT * height and down <= _PART_GAP * height:
        return -across > _OVERLAP * narrower or across <= _STROKE_GAP * height
    if lower < _TALL * height:
        return max(across, down) <= _STROKE_GAP * height
    # Tall groups in the same rows, as the slanted strokes of an 11, are one only if one is around
    # the other.
    return -across > _OVERLAP_TALL * narrower


def _refuse_several(groups: list[Component], digit: Component, *, is_photo: bool) -> None:
    tallest = max(group.height for group in groups if group.area >= _PART_AREA * digit.area)
    count = sum(
        group.height >= _DIGIT_HEIGHT * tallest and group.area >= _PART_AREA * digit.area
        for group in groups
    )
    if count > 1 and is_photo:
        raise InvalidImage(
            f"the image must show one digit on a plain background, got {count} separate digits "
            "or other things, as in a photo: crop the image to one digit"
        )
    if count > 1:
        raise InvalidImage(
            f"the image must show one digit, got {count} separate digits: send one digit per image"
        )


def _is_part(group: Component, digit: Component) -> bool:
    """Whether a group is the digit or so near that it belongs to it."""
    reach = _PART_GAP * digit.height
    across = max(group.left, digit.left) - min(group.right, digit.right)
    down = max(group.top, digit.top) - min(group.bottom, digit.bottom)
    return group is digit or (max(across, down) <= reach and group.area >= _SPECK_AREA * digit.area)
