"""Queries and answers of the routes that explain a classification."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from service.schemas.common import (
    EXAMPLE_URI,
    GRID,
    Answer,
    FailedImage,
    ImageQuery,
    PlainDigits,
    SeenInput,
)
from service.schemas.images import Label
from service.schemas.openapi import IMAGE_BODY, operation


class ExplainQuery(ImageQuery):
    """The classes to explain, and the method."""

    top: Annotated[int, Field(ge=1), PlainDigits] | None = Field(
        None, description="number of best classes to explain, up to all classes; default: 1"
    )
    class_: str | None = Field(
        None,
        alias="class",
        description="the class to explain instead of the best ones: an id, a label or an index",
    )
    method: Literal["cam", "occlusion"] | None = Field(
        None,
        description="cam: class activation map; occlusion: windows are occluded in turn; "
        "default: cam if the model supports it",
    )


class _Heatmap(BaseModel):
    """The importance of image regions for one class."""

    method: str = Field(examples=["cam"], description="cam or occlusion")
    heatmap: list[list[float]] = Field(
        examples=[[[0.0, 0.4], [0.2, 1.0]]],
        description="a grid over the model's input; the maximum is 1",
    )
    image: str = Field(
        examples=[EXAMPLE_URI],
        description="the model's input with the heat map as an overlay",
    )


class ImageExplanation(_Heatmap, Label):
    """One class of one image."""


class ImageExplanationAnswer(Answer):
    """The best classes of each image, best first."""

    explanations: list[list[ImageExplanation] | FailedImage]
    inputs: list[SeenInput | FailedImage] | None = Field(None, description="with return=input")


class DigitExplanation(_Heatmap):
    """One digit of one image."""

    digit: int = Field(examples=[7])
    probability: float = Field(examples=[0.9998])


class DigitExplanationAnswer(Answer):
    """The likeliest digits of each image, likeliest first."""

    explanations: list[list[DigitExplanation] | FailedImage]
    inputs: list[SeenInput | FailedImage] | None = Field(None, description="with return=input")


IMAGES = operation(ImageExplanationAnswer, body=IMAGE_BODY, query=ExplainQuery, content=GRID)
DIGITS = operation(DigitExplanationAnswer, body=IMAGE_BODY, query=ExplainQuery, content=GRID)
