"""`/v1/images/*`: labels (in the format of Keras' `decode_predictions`) and features of photos."""

from dataclasses import dataclass, field
from typing import Unpack

from vitrine_client._transport.request import Call
from vitrine_client._transport.response import each_image
from vitrine_client._transport.sync_async import Group, Mode, endpoint
from vitrine_client.image_files import ImagesLike
from vitrine_client.types import (
    ImagesOptions,
    ModelAnswer,
    PreparedImage,
    PreparedImageOptions,
    Vector,
)


@dataclass(frozen=True)
class Label:
    """One class of an image, with its score."""

    class_name: str  # a WordNet id if the model has them
    class_description: str
    score: float


@dataclass(frozen=True)
class LabelsAnswer(ModelAnswer):
    """The labels of each image of a call, best first."""

    predictions: tuple[tuple[Label, ...], ...]
    inputs: tuple[PreparedImage, ...] = ()  # with return_input


@dataclass(frozen=True)
class FeaturesAnswer(ModelAnswer):
    """The features of each image of a call (the network without its top)."""

    features: tuple[Vector, ...] = field(repr=False)
    predictions: tuple[tuple[Label, ...], ...] = ()  # with top


class Images(Group[Mode]):
    """`/v1/images/*`."""

    @endpoint
    def label(
        self, images: ImagesLike, *, top: int | None = None, **options: Unpack[PreparedImageOptions]
    ) -> Call[LabelsAnswer]:
        """Photos → the `top` likeliest labels of each, best first.

        Args:
            images: One image or several; see `digits.classify`.
            top: 1 to the number of classes; default: 5.
            options: `normalize`, `return_input`, `on_error`, `model`, `version`, `version_label`.
        """
        return each_image("v1/images/label", images, {"top": top, **options}, LabelsAnswer)

    @endpoint
    def features(
        self, images: ImagesLike, *, top: int | None = None, **options: Unpack[ImagesOptions]
    ) -> Call[FeaturesAnswer]:
        """Photos → their features (the network without its top); with `top` also their labels."""
        return each_image(
            "v1/images/features", images, {"top": top, **options}, FeaturesAnswer, "features"
        )
