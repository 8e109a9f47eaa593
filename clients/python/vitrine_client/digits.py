"""`/v1/digits/*`: classification of digits, and the activations of each layer."""

from dataclasses import dataclass, field
from typing import Unpack

from vitrine_client._transport.request import Call, post_images
from vitrine_client._transport.response import answer_of, each_image
from vitrine_client._transport.sync_async import Group, Mode, endpoint
from vitrine_client.image_files import ImageLike, ImagesLike
from vitrine_client.types import (
    ImageOptions,
    ModelAnswer,
    PreparedImage,
    PreparedImageOptions,
    Vector,
)


@dataclass(frozen=True)
class DigitPrediction:
    """The prediction for one image; `probabilities[d]` is that of digit d."""

    digit: int
    probability: float
    probabilities: Vector
    outlier: bool  # probably not a digit
    outlier_score: float
    input: PreparedImage | None = None  # with return_input


@dataclass(frozen=True)
class DigitsAnswer(ModelAnswer):
    """The predictions for all images of a call, in their order."""

    predictions: tuple[DigitPrediction, ...]


@dataclass(frozen=True)
class Layer:
    """The activations of one layer: feature maps tiled in one PNG file, or values of a dense layer."""

    name: str
    shape: tuple[int, ...]  # [H, W, C] or [N]
    image: bytes | None = field(default=None, repr=False)
    values: Vector | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ActivationsAnswer(ModelAnswer):
    """The activations of every layer, from the first convolution on."""

    layers: tuple[Layer, ...]


class Digits(Group[Mode]):
    """`/v1/digits/*`."""

    @endpoint
    def classify(
        self, images: ImagesLike, **options: Unpack[PreparedImageOptions]
    ) -> Call[DigitsAnswer]:
        """Images of digits → one prediction each, in order.

        Args:
            images: One image or several, each a path, the bytes of a file, a Pillow image or an array
                [H, W], [H, W, 1] or [H, W, 3] of 0…255; an array [N, H, W] is several.
            options: `normalize`, `return_input`, `model`, `version`, `version_label`;
                `on_error="report"`: errors of invalid images are in the answer's `failures`.
        """
        return each_image("v1/digits/classify", images, options, DigitsAnswer)

    @endpoint
    def activations(
        self, image: ImageLike, **options: Unpack[ImageOptions]
    ) -> Call[ActivationsAnswer]:
        """One image → the activations of each layer."""
        request = post_images("v1/digits/activations", image, options)
        return Call(request, answer_of(ActivationsAnswer))
