"""Answers of the digit routes."""

from pydantic import BaseModel, Field

from service.schemas.common import ImageQuery, ModelName, NormalizeQuery, SeenInput
from service.schemas.openapi import IMAGE_BODY, operation

PROBABILITIES = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.9998, 0.0, 0.0002]


class DigitPrediction(BaseModel):
    """One picture's answer."""

    digit: int = Field(examples=[7])
    probability: float = Field(examples=[0.9998])
    probabilities: list[float] = Field(min_length=10, max_length=10, examples=[PROBABILITIES])
    outlier: bool = Field(examples=[False], description="this is probably no digit")
    outlier_score: float = Field(
        examples=[0.02], description="0 to 1; an outlier has more than 0.5"
    )
    input: SeenInput | None = Field(None, description="with return=input")


class DigitAnswer(BaseModel):
    """Predictions in the order of the pictures."""

    model: ModelName
    predictions: list[DigitPrediction]


class Layer(BaseModel):
    """What one layer sees: tiled maps, or values where it has no maps."""

    name: str = Field(examples=["conv1"])
    shape: list[int] = Field(examples=[[24, 24, 20]])
    image: str | None = Field(None, examples=["data:image/png;base64,iVBORw0KGgo="])
    values: list[float] | None = None


class ActivationsAnswer(BaseModel):
    """Every layer, from the first convolution on."""

    model: ModelName
    layers: list[Layer]


CLASSIFY = operation(DigitAnswer, body=IMAGE_BODY, query=ImageQuery)
ACTIVATIONS = operation(ActivationsAnswer, body=IMAGE_BODY, query=NormalizeQuery)
