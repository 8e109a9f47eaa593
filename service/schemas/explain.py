"""Queries and answers of the routes that explain a classification."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from service.schemas.common import (
    EXAMPLE_URI,
    GRID,
    ON_ERROR,
    FailedImage,
    ModelName,
    NormalizeQuery,
    OnError,
    PlainDigits,
)
from service.schemas.openapi import IMAGE_BODY, operation


class ExplainQuery(NormalizeQuery):
    """Which classes, and how."""

    top: Annotated[int, Field(ge=1), PlainDigits] | None = Field(
        None, description="for how many classes, best first, up to the model's; absent: 1"
    )
    class_: str | None = Field(
        None, alias="class", description="one class instead: an id, a label or an index"
    )
    method: Literal["cam", "occlusion"] | None = Field(
        None,
        description="class activation map, or occlusion of one window after the other; "
        "absent: cam where the model has it",
    )
    on_error: OnError = ON_ERROR


class _Heatmap(BaseModel):
    """Where the network looked for one class."""

    method: str = Field(examples=["cam"], description="cam or occlusion")
    heatmap: list[list[float]] = Field(
        examples=[[[0.0, 0.4], [0.2, 1.0]]],
        description="rows and columns cover what the model saw; the highest is 1",
    )
    image: str = Field(
        examples=[EXAMPLE_URI],
        description="what the model saw, with the map over it",
    )


class ImageExplanation(_Heatmap):
    """One class of one image."""

    class_name: str = Field(examples=["n02123045"])
    class_description: str = Field(examples=["tabby"])
    score: float = Field(examples=[0.61])


class ImageExplanationAnswer(BaseModel):
    """For each image its best classes, best first."""

    model: ModelName
    explanations: list[list[ImageExplanation] | FailedImage]


class DigitExplanation(_Heatmap):
    """One digit of one image."""

    digit: int = Field(examples=[7])
    probability: float = Field(examples=[0.9998])


class DigitExplanationAnswer(BaseModel):
    """For each image its likeliest digits, likeliest first."""

    model: ModelName
    explanations: list[list[DigitExplanation] | FailedImage]


IMAGES = operation(ImageExplanationAnswer, body=IMAGE_BODY, query=ExplainQuery, content=GRID)
DIGITS = operation(DigitExplanationAnswer, body=IMAGE_BODY, query=ExplainQuery, content=GRID)
