"""`/v1/fashion/*`: classification of clothing, by either head or by both."""

from dataclasses import dataclass
from typing import Literal, Unpack

from vitrine_client._transport.request import Call
from vitrine_client._transport.response import each_image
from vitrine_client._transport.sync_async import Group, Mode, endpoint
from vitrine_client.image_files import ImagesLike
from vitrine_client.types import ModelAnswer, PreparedImage, PreparedImageOptions, Vector

Head = Literal["dense", "svm"]


@dataclass(frozen=True)
class FashionPrediction:
    """The predicted class; `scores` are probabilities, or an SVM's decision values."""

    label: str
    label_index: int
    scores: Vector
    head: str | None = None  # None: the model was named
    input: PreparedImage | None = None  # with return_input


@dataclass(frozen=True)
class FashionAnswer(ModelAnswer):
    """The predictions of one head for all images of a call, in their order."""

    predictions: tuple[FashionPrediction, ...]


@dataclass(frozen=True)
class FashionPair:
    """The predictions of both heads for one image."""

    svm: FashionPrediction
    dense: FashionPrediction
    agree: bool
    input: PreparedImage | None = None  # with return_input


@dataclass(frozen=True)
class FashionPairsAnswer(ModelAnswer):
    """The predictions of both heads for all images of a call, in their order."""

    predictions: tuple[FashionPair, ...]


class Fashion(Group[Mode]):
    """`/v1/fashion/*`."""

    @endpoint
    def classify(
        self,
        images: ImagesLike,
        *,
        head: Head | None = None,
        **options: Unpack[PreparedImageOptions],
    ) -> Call[FashionAnswer]:
        """Images of clothing → one prediction each, by the selected head.

        Args:
            images: One image or several; see `digits.classify`.
            head: `dense` (the replaced last layers, the default) or `svm` (the support vector machine).
            options: `normalize`, `return_input`, `on_error`, `version`, `version_label`; `model` in
                place of a head.
        """
        return each_image("v1/fashion/classify", images, {"head": head, **options}, FashionAnswer)

    @endpoint
    def classify_both(
        self, images: ImagesLike, **options: Unpack[PreparedImageOptions]
    ) -> Call[FashionPairsAnswer]:
        """Images of clothing → the predictions of both heads, and whether they agree.

        No model and no version can be chosen here.
        """
        return each_image(
            "v1/fashion/classify", images, {"head": "both", **options}, FashionPairsAnswer
        )
