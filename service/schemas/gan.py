"""Requests and answers of the GAN routes."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, Field, WithJsonSchema

from service.runtime.latent_space import MeasuredEffect
from service.schemas.base import RequestBody, Schema
from service.schemas.common import (
    BASE64_IMAGE,
    EXAMPLE_URI,
    EXAMPLE_VECTORS,
    GRID,
    Answer,
    FailedImage,
    ImageQuery,
    NormalizeQuery,
    PlainDigits,
    RandomSeed,
    SeenInput,
)
from service.schemas.openapi import IMAGE_BODY, JSON_ERRORS, QUERY_ERRORS, event_stream, operation
from service.schemas.vae import (
    DEFAULT_COUNT,
    DEFAULT_STEPS,
    VECTOR_OR_PIXELS,
    Count,
    ImagesAnswer,
    LatentsAnswer,
    Path,
    SamplePngQuery,
    Steps,
)

MAX_TRUNCATION, DEFAULT_TRUNCATION = 2.0, 0.7
MAX_STRENGTH, MAX_STRENGTHS = 10.0, 64
MAX_PROJECTION_STEPS, DEFAULT_PROJECTION_STEPS = 1000, 100

Digit = Annotated[int, Field(ge=0)]
Truncation = Annotated[
    float,
    Field(
        ge=0,
        le=MAX_TRUNCATION,
        description="0: the most typical image of the digit; 1: the full variety of the model",
    ),
]
Strength = Annotated[float, Field(ge=-MAX_STRENGTH, le=MAX_STRENGTH)]
DIGIT = "default: sampled with the random seed"
# The size of a vector depends on the model, so the task validates these.
Point = Annotated[
    Any,
    WithJsonSchema(
        {
            "description": 'an image, a w, {"random_seed": 3, "digit": 4} or {"z": […], "digit": 4}',
            "oneOf": [BASE64_IMAGE, VECTOR_OR_PIXELS, {"type": "object"}],
        }
    ),
]


class GanSampleRequest(RequestBody):
    """Sample images, of one digit or of all."""

    example: ClassVar[Schema] = {"n": 4, "random_seed": 7, "digit": 3}

    n: Count = DEFAULT_COUNT
    random_seed: RandomSeed | None = None
    digit: Digit | None = Field(None, description=DIGIT)
    truncation: Truncation = DEFAULT_TRUNCATION


class GanInterpolateRequest(RequestBody):
    """Interpolate between two points, through z or through w."""

    example: ClassVar[Schema] = {
        "from": {"random_seed": 3, "digit": 4},
        "to": {"random_seed": 8, "digit": 9},
    }

    start: Point = Field(alias="from")
    end: Point = Field(alias="to")
    steps: Steps = DEFAULT_STEPS
    path: Path = "lerp"
    space: Literal["w", "z"] = "w"


class MixRequest(RequestBody):
    """Style mixing: the coarse part of one w and the fine part of another."""

    example: ClassVar[Schema] = {
        "coarse": {"random_seed": 3, "digit": 4},
        "fine": {"random_seed": 8, "digit": 4},
    }

    coarse: Point
    fine: Point


class EditRequest(RequestBody):
    """Move a point along a direction."""

    example: ClassVar[Schema] = {
        "latent": {"random_seed": 3},
        "direction": "thickness",
        "strength": [-2, 0, 2],
    }

    latent: Point = None
    image: Annotated[Any, WithJsonSchema(BASE64_IMAGE)] = None
    direction: str = Field(description="a name from /v1/gan/directions")
    strength: (
        Strength | Annotated[list[Strength], Field(min_length=1, max_length=MAX_STRENGTHS)]
    ) = Field(description="in standard deviations; a list gives one image for each strength")


class GanSamplePngQuery(SamplePngQuery):
    """The samples of an image URL."""

    digit: Annotated[int, Field(ge=0), PlainDigits] | None = Field(None, description=DIGIT)
    truncation: Truncation = DEFAULT_TRUNCATION


class ProjectQuery(ImageQuery):
    """Options of a projection."""

    steps: Annotated[int, Field(ge=1, le=MAX_PROJECTION_STEPS), PlainDigits] = Field(
        DEFAULT_PROJECTION_STEPS, description="steps of gradient descent"
    )
    loss: Literal["perceptual", "pixel"] = Field("perceptual", description="the loss to minimize")
    start: Literal["encoder", "mean"] = Field(
        "encoder", description="starting point of the descent"
    )
    stream: Literal["true", "false"] | None = Field(
        None, description="answer with server-sent events; default: from the Accept header"
    )


class GanSampleAnswer(ImagesAnswer):
    """Images, and the latent vectors they were generated from."""

    random_seed: int = Field(examples=[7], description="the same seed gives the same bytes")
    digits: list[int] = Field(examples=[[3]])
    z: list[list[float]] = Field(examples=[EXAMPLE_VECTORS])
    w: list[list[float]] = Field(examples=[EXAMPLE_VECTORS])


class GanLatentsAnswer(LatentsAnswer):
    """Images and their w."""

    z: list[list[float]] | None = Field(None, description="with space=z")


class MeasuredDirection(MeasuredEffect):
    """An attribute that can be edited, with its measured effect."""

    name: str = Field(examples=["thickness"])


class DirectionsAnswer(Answer):
    """The directions of a model."""

    directions: list[MeasuredDirection]


class RealPrediction(BaseModel):
    """The prediction for one image."""

    probability_real: float = Field(examples=[0.48])
    input: SeenInput | None = Field(None, description="with return=input")


class DiscriminateAnswer(Answer):
    """Predictions in the order of the images."""

    predictions: list[RealPrediction | FailedImage]


class ProjectAnswer(Answer):
    """The projection of each image, in order; psnr in decibels, null if the images are identical."""

    images: list[str | FailedImage] = Field(examples=[[EXAMPLE_URI]])
    latents: list[list[float] | FailedImage] = Field(examples=[EXAMPLE_VECTORS])
    losses: list[float | FailedImage] = Field(examples=[[0.31]])
    psnr: list[float | FailedImage | None] = Field(examples=[[21.5]])
    inputs: list[SeenInput | FailedImage] | None = Field(None, description="with return=input")


class ProjectionStep(BaseModel):
    """How far the projection of one image is; the last event is the whole answer."""

    index: int = Field(description="which image")
    step: int
    loss: float
    image: str


SAMPLE = operation(
    GanSampleAnswer, body=GanSampleRequest, errors=JSON_ERRORS, content=GRID, seeded=True
)
SAMPLE_PNG = operation(
    None, query=GanSamplePngQuery, errors=QUERY_ERRORS, content=GRID, seeded=True
)
INTERPOLATE = operation(
    GanLatentsAnswer, body=GanInterpolateRequest, query=NormalizeQuery, content=GRID
)
MIX = operation(GanLatentsAnswer, body=MixRequest, query=NormalizeQuery, content=GRID)
EDIT = operation(GanLatentsAnswer, body=EditRequest, query=NormalizeQuery, content=GRID)
DIRECTIONS = operation(DirectionsAnswer, errors=QUERY_ERRORS)
DISCRIMINATE = operation(DiscriminateAnswer, body=IMAGE_BODY, query=ImageQuery)
PROJECT = operation(
    ProjectAnswer,
    body=IMAGE_BODY,
    query=ProjectQuery,
    content={
        **GRID,
        **event_stream(
            ProjectionStep | ProjectAnswer,
            'data: {"index":0,"step":5,"loss":0.31,"image":"data:image/png;base64,…"}\n\n',
        ),
    },
)
