"""Images for a network of 28 × 28 pixels: decoded, normalized, and returned to the caller if requested."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from service.codecs.image import OpenedImage
from service.codecs.image_writing import data_uri, encode_png
from service.codecs.request_images import naming_image
from service.engine import Arrays
from service.errors import InvalidImage
from service.image_files.raster import Pixels
from service.preprocessing.digit import PreparedImage

Preprocess = Callable[..., PreparedImage]  # (pixels, *, normalize)
OUTLIER = 0.5  # a graph scales its score so that values above this are outliers
NOT_FINITE = (
    "the model must give finite numbers, got NaN or infinity for this image: use another image or "
    "another model"
)


def network_input(prepared: Sequence[PreparedImage]) -> dict[str, Pixels]:
    """The network's input: images uint8 [B, H, W, C]."""
    images = [one.image for one in prepared]
    return {"images": images[0][np.newaxis] if len(images) == 1 else np.stack(images)}


def sliced(outputs: Arrays, rows: slice) -> Arrays:
    """A selection of rows of all outputs."""
    return {name: array[rows] for name, array in outputs.items()}


def decode(
    images: list[OpenedImage], *, normalize: bool, preprocess: Preprocess
) -> list[PreparedImage]:
    """Decode and normalize each image; with several images, an error names the image."""
    prepared = []
    for number, image in enumerate(images, 1):
        with naming_image(number, len(images)):
            prepared.append(preprocess(image.decode(grey=True), normalize=normalize))
    return prepared


def check_finite(outputs: np.ndarray) -> np.ndarray:
    """Check outputs [B, …] of a model; InvalidImage names the image with values that are not finite."""
    is_finite = np.isfinite(outputs)
    if np.count_nonzero(is_finite) < is_finite.size:
        is_finite = is_finite.reshape(len(outputs), -1).all(axis=1)
        with naming_image(int(np.argmin(is_finite)) + 1, len(outputs)):
            raise InvalidImage(NOT_FINITE)
    return outputs


def describe_input(prepared: PreparedImage) -> dict[str, Any]:
    """The model's input image, and the preprocessing steps."""
    return {"image": data_uri(encode_png(prepared.image)), "steps": prepared.steps}


def with_inputs(
    rows: list[dict[str, Any]], prepared: Sequence[PreparedImage], returned: str | None
) -> list[dict[str, Any]]:
    """The rows of an answer, each with the model's input image if a query's `return` asks for it."""
    if returned != "input":
        return rows
    pairs = zip(rows, prepared, strict=True)
    return [{**row, "input": describe_input(one)} for row, one in pairs]
