"""`/v1/images/*`: labels (in the format of Keras' `decode_predictions`) and features of photos."""

from dataclasses import dataclass, field
from typing import Unpack

from vitrine_client._transport.request import Call, post_images
from vitrine_client._transport.response import answer_of
from vitrine_client._transport.sync_async import Face, Group, endpoint
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
    """One class that an image may belong to."""

    class_name: str  # a WordNet id where the model has such
    class_description: str
    score: float


@dataclass(frozen=True)
class LabelsAnswer(ModelAnswer):
    """For each image of a call, in order, its labels, best first."""

    predictions: tuple[tuple[Label, ...], ...]
    inputs: tuple[PreparedImage, ...] = ()  # with return_input


@dataclass(frozen=True)
class FeaturesAnswer(ModelAnswer):
    """For each image of a call, in order, what the network without its top makes of it."""

    features: tuple[Vector, ...] = field(repr=False)
    predictions: tuple[tuple[Label, ...], ...] = ()  # with top


class Images(Group[Face]):
    """`/v1/images/*`."""

    @endpoint
    def label(
        self, images: ImagesLike, *, top: int | None = None, **options: Unpack[PreparedImageOptions]
    ) -> Call[LabelsAnswer]:
        """Photos → the `top` likeliest labels of each, best first.

        Args:
            images: One image or several; see `digits.classify`.
            top: From 1 to the number of the model's classes; absent: 5.
            options: `normalize`, `return_input`, `on_error`, `model`, `version`, `version_label`.

        Raises:
            VitrineError: See the tree in `errors`.
        """
        return Call(
            post_images("v1/images/label", images, {"top": top, **options}),
            answer_of(LabelsAnswer),
            count=lambda answer: len(answer.predictions),
        )

    @endpoint
    def features(
        self, images: ImagesLike, *, top: int | None = None, **options: Unpack[ImagesOptions]
    ) -> Call[FeaturesAnswer]:
        """Photos → what the network without its top makes of each; with `top`, its labels as well.

        Raises:
            VitrineError: See the tree in `errors`.
        """
        return Call(
            post_images("v1/images/features", images, {"top": top, **options}),
            answer_of(FeaturesAnswer),
            count=lambda answer: len(answer.features),
        )
