"""Requests and answers of the VAE routes."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, Field, WithJsonSchema

from service.codecs.random_streams import MAX_SEED
from service.schemas.base import QueryValues, RequestBody, Schema
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
from service.schemas.openapi import IMAGE_BODY, JSON_ERRORS, QUERY_ERRORS, operation

MAX_COUNT, DEFAULT_COUNT = 256, 16  # latent vectors of one request
MIN_SIZE, MAX_SIZE, DEFAULT_SIZE = 2, 40, 20  # of a manifold
MAX_SCALE = 10.0
MAX_COORDINATE = 1_000.0  # of a latent vector
MIN_STEPS, MAX_STEPS, DEFAULT_STEPS = 2, 64, 9  # of an interpolation

Count = Annotated[int, Field(ge=1, le=MAX_COUNT, description="number of images")]
Coordinate = Annotated[float, Field(ge=-MAX_COORDINATE, le=MAX_COORDINATE)]
Steps = Annotated[int, Field(ge=MIN_STEPS, le=MAX_STEPS)]
Path = Literal["lerp", "slerp"]
SEED: Schema = {"type": "integer", "minimum": 0, "maximum": MAX_SEED}
VECTOR_OR_PIXELS: Schema = {
    "type": "array",
    "description": "a latent vector, or rows of pixels",
    "items": {},
}
# The size of a vector depends on the model: the task reads these, and names what is wrong.
LatentPoint = Annotated[
    Any,
    WithJsonSchema(
        {
            "description": 'an image, a latent vector, or {"random_seed": 3}',
            "oneOf": [
                BASE64_IMAGE,
                VECTOR_OR_PIXELS,
                {
                    "type": "object",
                    "properties": {"random_seed": SEED, "image": BASE64_IMAGE},
                    "maxProperties": 1,
                    "additionalProperties": False,
                },
            ],
        }
    ),
]


class VaeSampleRequest(RequestBody):
    """Sample latent vectors from the prior and decode them."""

    example: ClassVar[Schema] = {"n": 4, "random_seed": 7}

    n: Count = DEFAULT_COUNT
    random_seed: RandomSeed | None = None
    scale: Annotated[float, Field(ge=0, le=MAX_SCALE)] = Field(
        1.0, description="standard deviation of the latent vectors; 0: the mean of the prior"
    )


class VaeDecodeRequest(RequestBody):
    """Decode latent vectors."""

    example: ClassVar[Schema] = {"latents": [[0.0] * 20]}

    latents: Annotated[
        list[
            Annotated[
                list[Coordinate],
                Field(description="a value for each latent dimension", fail_fast=True),
            ]
        ],
        Field(min_length=1, max_length=MAX_COUNT, fail_fast=True),
    ]


class VaeInterpolateRequest(RequestBody):
    """Interpolate between two points of the latent space."""

    example: ClassVar[Schema] = {"from": {"random_seed": 3}, "to": {"random_seed": 8}, "steps": 5}

    start: LatentPoint = Field(alias="from")
    end: LatentPoint = Field(alias="to")
    steps: Steps = DEFAULT_STEPS
    path: Path = "lerp"


class SamplePngQuery(QueryValues):
    """The samples of an image URL."""

    random_seed: Annotated[RandomSeed, PlainDigits] | None = Field(
        None, description="default: new samples for each request"
    )
    n: Annotated[int, Field(ge=1, le=MAX_COUNT), PlainDigits] = Field(
        DEFAULT_COUNT, description="number of images"
    )


class ManifoldQuery(QueryValues):
    """The grid over a two-dimensional latent space."""

    size: Annotated[int, Field(ge=MIN_SIZE, le=MAX_SIZE), PlainDigits] = Field(
        DEFAULT_SIZE, description="images per row and column"
    )


class ReconstructQuery(ImageQuery):
    """Options of a reconstruction."""

    random_seed: Annotated[RandomSeed, PlainDigits] | None = Field(
        None, description="sample z with this seed instead of using the mean"
    )


class ImagesAnswer(Answer):
    """Images in the order of the latent vectors."""

    images: list[str] = Field(examples=[[EXAMPLE_URI]])


class LatentsAnswer(ImagesAnswer):
    """Images and the latent vectors they were decoded from."""

    latents: list[list[float]] = Field(examples=[EXAMPLE_VECTORS])


class SampleAnswer(LatentsAnswer):
    """The same for samples."""

    random_seed: int = Field(examples=[7], description="the same seed gives the same bytes")


class Encoding(BaseModel):
    """The encoding of an image: a normal distribution over the latent space."""

    z_mean: list[float] = Field(examples=[[0.3, -1.2]])
    z_log_var: list[float] = Field(examples=[[-3.1, -2.8]])
    kl: float = Field(
        examples=[12.3], description="KL divergence from the standard normal distribution, in nats"
    )
    input: SeenInput | None = Field(None, description="with return=input")


class EncodeAnswer(Answer):
    """Encodings in the order of the images."""

    encodings: list[Encoding | FailedImage]


class Reconstruction(BaseModel):
    """The reconstruction of an image, with losses in nats."""

    image: str = Field(examples=[EXAMPLE_URI])
    z: list[float] = Field(examples=[[0.3, -1.2]])
    noise: list[float] = Field(examples=[[0.0, 0.0]], description="0 without a random_seed")
    reconstruction_loss: float = Field(examples=[78.1])
    kl: float = Field(examples=[24.0])
    anomaly_score: float = Field(examples=[102.1], description="the sum of both losses")
    input: SeenInput | None = Field(None, description="with return=input")


class ReconstructAnswer(Answer):
    """Reconstructions in the order of the images."""

    random_seed: int | None = Field(None, examples=[3])
    reconstructions: list[Reconstruction | FailedImage]


SAMPLE = operation(
    SampleAnswer, body=VaeSampleRequest, errors=JSON_ERRORS, content=GRID, seeded=True
)
ENCODE = operation(EncodeAnswer, body=IMAGE_BODY, query=ImageQuery)
DECODE = operation(ImagesAnswer, body=VaeDecodeRequest, errors=JSON_ERRORS, content=GRID)
RECONSTRUCT = operation(ReconstructAnswer, body=IMAGE_BODY, query=ReconstructQuery, content=GRID)
INTERPOLATE = operation(
    LatentsAnswer, body=VaeInterpolateRequest, query=NormalizeQuery, content=GRID
)
SAMPLE_PNG = operation(None, query=SamplePngQuery, errors=QUERY_ERRORS, content=GRID, seeded=True)
MANIFOLD_PNG = operation(None, query=ManifoldQuery, errors=QUERY_ERRORS, content=GRID)
