"""Heat maps of a classifier: the requested classes, their maps, and the overlay on the image.

Class activation maps (Zhou et al., 2016) are outputs of the network's signature `classify_and_explain`. Occlusion
(Zeiler and Fergus, 2014) covers one window after another and measures how much the score falls.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from service.codecs.image_writing import data_uri, encode_photo_png
from service.errors import InvalidValue, TooManyImages
from service.image_files.raster import Pixels
from service.preprocessing.ink import to_grey
from service.runtime.manifest import Manifest
from service.tasks.classify_image import check_top

CAM, OCCLUSION = "cam", "occlusion"
# Images → scores, and heatmaps float32 [B, h, w, N] of all classes
SIGNATURE = "classify_and_explain"
MAX_HEATMAPS = 1000  # per request
CELLS = 10  # maximum windows per side, 100 in all
OVERLAY_SIDE = 224  # smaller images are enlarged by an integer factor towards this size
HOT = (
    np.array((255, 96, 32), np.float32),
    np.array((255, 232, 120), np.float32),
)  # colours of medium and maximum heat

Floats = NDArray[np.floating[Any]]
Fields = Callable[[int, Any], dict[str, Any]]  # (class index, score) → the class' fields


class Explanation(NamedTuple):
    """One class of one image."""

    class_index: int
    score: Any
    heatmap: Floats  # [h, w], 0 to 1, the highest 1


def check_method(asked: str | None, manifest: Manifest) -> str:
    """Return the method: the requested one, otherwise `cam` if the model supports it."""
    has_maps = SIGNATURE in manifest.signatures
    if asked == CAM and not has_maps:
        raise InvalidValue(
            f"method must be 'occlusion' for {manifest.name}, which has no class activation maps, got 'cam'"
        )
    return asked or (CAM if has_maps else OCCLUSION)


def find_class(asked: str, labels: list[tuple[str, str]]) -> int:
    """Return the index of a class named by its id, its label or its index."""
    for column in (0, 1):
        for index, pair in enumerate(labels):
            if pair[column] == asked:
                return index
    if asked.isascii() and asked.isdigit() and int(asked) < len(labels):
        return int(asked)
    raise InvalidValue(
        f"class must be an id, a label or an index from 0 to {len(labels) - 1}, got {asked[:40]!r}"
    )


def check_classes(
    top: int | None, asked: str | None, labels: list[tuple[str, str]], images: int
) -> tuple[int, int | None]:
    """Return the number of classes to explain, and the requested class, if any.

    Raises:
        InvalidValue: both are given, or the model has no such class or too few classes.
        TooManyImages: more than `MAX_HEATMAPS` maps.
    """
    if asked is not None and top is not None:
        raise InvalidValue("class must be absent if top is given, got both: send only one of them")
    check_top(top, len(labels))
    if images * (top or 1) > MAX_HEATMAPS:
        raise TooManyImages(
            f"images times top must be at most {MAX_HEATMAPS} heat maps, got {images} × {top}"
        )
    return top or 1, None if asked is None else find_class(asked, labels)


def choose_classes(scores: Floats, top: int, class_index: int | None) -> list[list[int]]:
    """Return the classes to explain for each row of [B, N]: the best `top`, or the requested one."""
    if class_index is not None:
        return [[class_index] for _ in scores]
    return [row.argsort()[-top:][::-1].tolist() for row in scores]


def grid_of(height: int, width: int) -> tuple[int, int]:
    """Rows and columns of the windows: at most `CELLS` along the longer side, cells nearly square."""
    longer = max(height, width)
    cells = min(CELLS, longer)
    return max(1, round(cells * height / longer)), max(1, round(cells * width / longer))


def occluded(image: Pixels, *, is_drawing: bool) -> Iterator[Pixels]:
    """Yield the image [H, W, C] with one window covered, row by row of the grid.

    A window is two cells wide, centred on its cell; it is black in a drawing (the background there),
    else of the image's mean colour.
    """
    height, width, channels = image.shape
    rows, columns = grid_of(height, width)
    colour = np.zeros(channels) if is_drawing else image.mean(axis=(0, 1))
    for row in range(rows):
        for column in range(columns):
            covered = image.copy()
            covered[_span(row, rows, height), _span(column, columns, width)] = colour
            yield covered


def _span(cell: int, cells: int, length: int) -> slice:
    size = length / cells
    start, end = round((cell - 0.5) * size), round((cell + 1.5) * size)
    return slice(max(0, start), min(length, max(end, start + 1)))


def explanation(index: int, scores: Any, raw: Floats) -> Explanation:
    """The explanation of a class, from the scores [N] of an image and a map [h, w]."""
    return Explanation(index, scores[index], normalized(raw))


def normalized(raw: Floats) -> Floats:
    """[h, w] → 0 to 1 with a maximum of 1; negative contributions become 0.

    If all contributions are negative, the largest one becomes the maximum.
    """
    heat = np.maximum(raw, 0.0)
    if not heat.any():
        heat = raw - raw.min()
    peak = heat.max()
    return heat / peak if peak else np.ones_like(heat)


def overlay(image: Pixels, heatmap: Floats) -> Pixels:
    """Lay the map over the image in grey: uint8 [H, W, C], [h, w] → uint8 [H', W', 3].

    Bicubic, so that a peak between two cells appears between them.
    """
    zoom = max(1, OVERLAY_SIDE // max(image.shape[:2]))
    grey = to_grey(image).repeat(zoom, 0).repeat(zoom, 1)
    height, width = grey.shape
    smooth = Image.fromarray(heatmap.astype(np.float32)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    heat = (np.asarray(smooth).clip(0, 1) * 255 + 0.5).astype(np.uint16)
    mixed: Pixels = _colours().take(heat << 8 | grey, axis=0)
    return mixed


@functools.cache
def _colours() -> Pixels:
    """The colour of each combination of 256 grey levels and 256 heat levels: uint8 [256 · 256, 3]."""
    heat = np.linspace(0, 1, 256, dtype=np.float32)[:, np.newaxis, np.newaxis]
    grey = np.arange(256, dtype=np.float32)[:, np.newaxis]
    colour, share = HOT[0] * (1 - heat) + HOT[1] * heat, 0.75 * heat
    mixed: Pixels = np.rint(grey * (1 - share) + colour * share).astype(np.uint8)
    return mixed.reshape(-1, 3)


def encode(
    found: list[tuple[Pixels, list[Explanation]]], method: str, fields: Fields
) -> list[list[dict[str, Any]]]:
    """The answer: for each image the explanations of its classes, with the overlays as data URIs."""
    return [
        [
            {
                **fields(one.class_index, one.score),
                "method": method,
                "heatmap": one.heatmap,
                "image": data_uri(encode_photo_png(overlay(image, one.heatmap))),
            }
            for one in row
        ]
        for image, row in found
    ]
