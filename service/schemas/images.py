"""Queries and answers of image classification: labels, features, fashion."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from service.schemas.common import Answer, FailedImage, ImageQuery, PlainDigits, SeenInput
from service.schemas.openapi import IMAGE_BODY, operation

DEFAULT_TOP = 5


class LabelQuery(ImageQuery):
    """The number of labels."""

    top: Annotated[int, Field(ge=1), PlainDigits] | None = Field(
        None, description=f"number of labels, up to all classes; default: {DEFAULT_TOP}"
    )


class FashionQuery(ImageQuery):
    """The classifier to use."""

    head: Literal["dense", "svm", "both"] | None = Field(
        None,
        description="the replaced last layers, the support vector machine on features, or both; "
        "absent: dense",
    )


class Label(BaseModel):
    """One class of an image, in the format of Keras' `decode_predictions`."""

    class_name: str = Field(
        examples=["n02123045"], description="WordNet id, or the description if there is none"
    )
    class_description: str = Field(examples=["tabby"])
    score: float = Field(examples=[0.61])


class LabelAnswer(Answer):
    """The best labels of each image, best first."""

    predictions: list[list[Label] | FailedImage]
    inputs: list[SeenInput | FailedImage] | None = Field(None, description="with return=input")


class FeaturesAnswer(Answer):
    """The features of each image (the network without its top)."""

    predictions: list[list[Label] | FailedImage] | None = Field(None, description="with top=")
    features: list[list[float] | FailedImage] = Field(examples=[[[0.0, 0.31, 1.7]]])


class FashionPrediction(BaseModel):
    """The prediction for one image."""

    label: str = Field(examples=["Ankle boot"])
    label_index: int = Field(examples=[9])
    scores: list[float] = Field(description="probabilities (dense) or decision values (svm)")
    head: str | None = Field(None, examples=["dense"], description="absent with ?model=")
    outlier: bool | None = Field(
        None,
        examples=[False],
        description="whether this is probably not clothing; absent: the model has no score",
    )
    outlier_score: float | None = Field(
        None, examples=[0.1], description="0 to 1; above 0.5 for outliers"
    )
    input: SeenInput | None = Field(None, description="with return=input")


class FashionPair(BaseModel):
    """The answers of both heads."""

    svm: FashionPrediction
    dense: FashionPrediction
    agree: bool = Field(examples=[True])
    input: SeenInput | None = Field(None, description="with return=input")


class FashionAnswer(Answer):
    """Predictions in the order of the images; pairs with head=both."""

    predictions: list[FashionPrediction | FashionPair | FailedImage]


LABEL = operation(LabelAnswer, body=IMAGE_BODY, query=LabelQuery)
FEATURES = operation(FeaturesAnswer, body=IMAGE_BODY, query=LabelQuery)
CLASSIFY_FASHION = operation(FashionAnswer, body=IMAGE_BODY, query=FashionQuery)
