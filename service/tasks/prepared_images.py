"""Pictures for a network of 28 × 28 pixels: decoded, brought into its form, and shown to the caller."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from service.codecs.image import Picture, data_uri, encode_png
from service.codecs.request_images import naming_picture
from service.errors import InvalidImage
from service.image_files.raster import Pixels
from service.preprocessing.digit import PreparedImage

Preprocess = Callable[..., PreparedImage]  # (pixels, *, normalize) → canvas


class PreparedImages(NamedTuple):
    """The pictures of a request as the network takes them."""

    canvases: list[PreparedImage]

    @property
    def inputs(self) -> dict[str, Pixels]:
        """The network's input: images uint8 [B, 28, 28, 1]."""
        return {"images": np.stack([canvas.image for canvas in self.canvases])}


def decode(pictures: list[Picture], *, normalize: bool, preprocess: Preprocess) -> PreparedImages:
    """Decode and normalize each picture; an error says which one, where there are several."""
    canvases = []
    for number, picture in enumerate(pictures, 1):
        with naming_picture(number, len(pictures)):
            canvases.append(preprocess(picture.decode(grey=True), normalize=normalize))
    return PreparedImages(canvases)


def check_finite(scores: np.ndarray) -> np.ndarray:
    """The scores [B, N] of a model; InvalidImage names the image for which some are not finite."""
    is_finite = np.isfinite(scores).all(axis=1)
    if not is_finite.all():
        with naming_picture(int(np.argmin(is_finite)) + 1, len(scores)):
            raise InvalidImage(
                "the model must give finite scores, got NaN or infinity for this image: the model "
                "cannot classify it, use another image or another model"
            )
    return scores


def describe_input(canvas: PreparedImage) -> dict[str, Any]:
    """The picture the model saw, and what was done to the caller's."""
    return {"image": data_uri(encode_png(canvas.image)), "steps": canvas.steps}
