"""Images for a network of 28 × 28 pixels: decoded, normalized, and returned to the caller if requested."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from service.codecs.image import OpenedImage, data_uri, encode_png
from service.codecs.request_images import naming_image
from service.engine import Arrays
from service.errors import InvalidImage
from service.image_files.raster import Pixels
from service.preprocessing.digit import PreparedImage

Preprocess = Callable[..., PreparedImage]  # (pixels, *, normalize) → canvas
NOT_FINITE = (
    "the model must give finite numbers, got NaN or infinity for this image: use another image or "
    "another model"
)


class PreparedImages(NamedTuple):
    """The images of a request as the network takes them."""

    canvases: list[PreparedImage]

    @property
    def inputs(self) -> dict[str, Pixels]:
        """The network's input: images uint8 [B, 28, 28, 1]."""
        return {"images": np.stack([canvas.image for canvas in self.canvases])}

    def sliced(self, rows: slice) -> "PreparedImages":
        """Some of them."""
        return PreparedImages(self.canvases[rows])


def sliced(outputs: Arrays, rows: slice) -> Arrays:
    """Some rows of all outputs."""
    return {name: array[rows] for name, array in outputs.items()}


def decode(images: list[OpenedImage], *, normalize: bool, preprocess: Preprocess) -> PreparedImages:
    """Decode and normalize each image; an error says which one, where there are several."""
    canvases = []
    for number, image in enumerate(images, 1):
        with naming_image(number, len(images)):
            canvases.append(preprocess(image.decode(grey=True), normalize=normalize))
    return PreparedImages(canvases)


def check_finite(outputs: np.ndarray) -> np.ndarray:
    """Outputs [B, …] of a model; InvalidImage names the image for which some are not finite."""
    is_finite = np.isfinite(outputs).reshape(len(outputs), -1).all(axis=1)
    if not is_finite.all():
        with naming_image(int(np.argmin(is_finite)) + 1, len(outputs)):
            raise InvalidImage(NOT_FINITE)
    return outputs


def describe_input(canvas: PreparedImage) -> dict[str, Any]:
    """The image the model saw, and what was done to the caller's."""
    return {"image": data_uri(encode_png(canvas.image)), "steps": canvas.steps}
