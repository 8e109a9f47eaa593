"""Queries and answers of the digit routes."""

from typing import Annotated

from pydantic import BaseModel, Field

from service.schemas.common import (
    EXAMPLE_URI,
    Answer,
    FailedImage,
    ImageQuery,
    PlainDigits,
    SeenInput,
    SeenQuery,
)
from service.schemas.openapi import IMAGE_BODY, operation

MAX_MAP = 2**20
PROBABILITIES = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.9998, 0.0, 0.0002]


class DigitPrediction(BaseModel):
    """The prediction for one image."""

    digit: int = Field(examples=[7])
    probability: float = Field(examples=[0.9998])
    probabilities: list[float] = Field(min_length=10, max_length=10, examples=[PROBABILITIES])
    outlier: bool = Field(examples=[False], description="whether this is probably not a digit")
    outlier_score: float = Field(examples=[0.02], description="0 to 1; above 0.5 for outliers")
    input: SeenInput | None = Field(None, description="with return=input")


class DigitAnswer(Answer):
    """Predictions in the order of the images."""

    predictions: list[DigitPrediction | FailedImage]


class Layer(BaseModel):
    """The activations of one layer: tiled feature maps, or values of a dense layer."""

    name: str = Field(examples=["conv1"])
    shape: list[int] = Field(examples=[[24, 24, 20]])
    image: str | None = Field(None, examples=[EXAMPLE_URI])
    values: list[float] | None = None


class ActivationsAnswer(Answer):
    """The activations of every layer, from the first convolution on."""

    layers: list[Layer]
    input: SeenInput | None = Field(None, description="with return=input")


class FilterQuery(SeenQuery):
    """The feature map to explain."""

    layer: str = Field("conv1", description="name of a layer from /v1/digits/activations")
    map: Annotated[int, Field(ge=0, lt=MAX_MAP), PlainDigits] = Field(
        0, description="index of the feature map, from 0"
    )


class FilterAnswer(Answer):
    """The computation of one feature map."""

    layer: str = Field(examples=["conv1"])
    map: int = Field(examples=[3])
    kind: str = Field(examples=["convolution"], description="convolution or pooling")
    below: str = Field(examples=["input"], description="the layer's input layer")
    size: list[int] = Field(examples=[[5, 5]], description="rows and columns of the window")
    strides: list[int] = Field(examples=[[1, 1]])
    padding: list[int] = Field(examples=[[0, 0]], description="zero padding above and to the left")
    relu: bool = Field(examples=[True], description="whether negative sums become zero")
    kernel: list[list[list[float]]] | None = Field(
        examples=[[[[0.1]]]],
        description="[rows][columns][input channels]; null: the layer has no weights",
    )
    bias: float | None = Field(examples=[-0.2])
    inputs: list[list[list[float]]] = Field(
        examples=[[[[0.0]]]],
        description="the layer's input, [H][W][C]; for pooling only the input of this map",
    )
    values: list[list[float]] = Field(examples=[[[0.4]]], description="the feature map, [h][w]")
    input: SeenInput | None = Field(None, description="with return=input")


CLASSIFY = operation(DigitAnswer, body=IMAGE_BODY, query=ImageQuery)
ACTIVATIONS = operation(ActivationsAnswer, body=IMAGE_BODY, query=SeenQuery)
FILTER = operation(FilterAnswer, body=IMAGE_BODY, query=FilterQuery)
