"""The shapes of the GAN routes' answers, for the OpenAPI document only."""

from typing import Any

from pydantic import BaseModel, Field

from service.openapi.schemas import ModelName, SeenInput

PICTURES = ["data:image/png;base64,iVBORw0KGgo="]


class GanSampleAnswer(BaseModel):
    """Pictures, and the latent vectors they came from."""

    model: ModelName
    random_seed: int = Field(examples=[7], description="the same one gives the same bytes again")
    images: list[str] = Field(examples=[PICTURES])
    digits: list[int] = Field(examples=[[3]])
    z: list[list[float]] = Field(examples=[[[0.3, -1.2]]])
    w: list[list[float]] = Field(examples=[[[0.3, -1.2]]])


class GanWayAnswer(BaseModel):
    """Pictures and their w."""

    model: ModelName
    images: list[str] = Field(examples=[PICTURES])
    latents: list[list[float]] = Field(examples=[[[0.3, -1.2]]])
    z: list[list[float]] | None = Field(None, description="of a way through z")


class MeasuredDirection(BaseModel):
    """An attribute that can be edited, and how well."""

    name: str = Field(examples=["thickness"])
    unit: str = Field(examples=["px"])
    sigma: float = Field(examples=[1.3], description="how far in w a strength of 1 goes")
    per_sigma: float | None = Field(examples=[0.4], description="change for a strength of 1")
    rho: float | None = Field(examples=[0.95], description="correlation with the strength")
    leakage: dict[str, float] = Field(description="the same for other attributes")
    class_kept: dict[str, Any] = Field(description="share of pictures that stay the same digit")


class DirectionsAnswer(BaseModel):
    """The directions of a model."""

    model: ModelName
    directions: list[MeasuredDirection]


class RealPrediction(BaseModel):
    """One picture's answer."""

    probability_real: float = Field(examples=[0.48])
    input: SeenInput | None = Field(None, description="with return=input")


class DiscriminateAnswer(BaseModel):
    """Predictions in the order of the pictures."""

    model: ModelName
    predictions: list[RealPrediction]


class ProjectAnswer(BaseModel):
    """What was found for each picture, in their order; psnr in decibels, null if nothing differs."""

    model: ModelName
    images: list[str] = Field(examples=[PICTURES])
    latents: list[list[float]] = Field(examples=[[[0.3, -1.2]]])
    losses: list[float] = Field(examples=[[0.31]])
    psnr: list[float | None] = Field(examples=[[21.5]])
    inputs: list[SeenInput] | None = Field(None, description="with return=input")
