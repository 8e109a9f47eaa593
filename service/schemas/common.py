"""Shared schemas: errors, the model's name, image and seed fields."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

from service.codecs.random_streams import MAX_SEED
from service.runtime.serving_config import MAX_VERSION
from service.schemas.base import QueryValues, Schema

BASE64_IMAGE: Schema = {
    "type": "string",
    "description": "base64, or a data URI such as canvas.toDataURL() gives",
}
MAX_TIMEOUT_MS = 3_600_000
EXAMPLE_URI = "data:image/png;base64,iVBORw0KGgo="
EXAMPLE_VECTORS = [[0.3, -1.2]]
BINARY: Schema = {"type": "string", "format": "binary"}
GRID: dict[str, Schema] = {"image/png": {"schema": BINARY}}


def _digits_only(value: Any) -> Any:
    """Refuse other spellings that `int` accepts, such as 1_0 and Arabic digits."""
    is_plain = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19
    if not (is_plain or isinstance(value, int)):
        raise ValueError("not a whole number")
    return value


RandomSeed = Annotated[
    int,
    Field(
        ge=0,
        le=MAX_SEED,
        description="the same seed gives the same bytes; default: a random seed, reported in the answer",
    ),
]
PlainDigits = BeforeValidator(_digits_only)  # after the field's range, so that the schema keeps it


class FailedImage(BaseModel):
    """The error in place of an invalid image, with on_error=report."""

    error: str = Field(examples=["the image is blank: draw a digit on it"])
    code: str = Field(examples=["invalid_image"])


class Problem(FailedImage):
    """The error response of all routes."""

    request_id: str = Field(examples=["4be7b4a3f5a54d0cbd5a7a0f5b1f2c11"])


class ModelName(BaseModel):
    """The model version that answered."""

    name: str = Field(examples=["digits"])
    version: int = Field(examples=[1])


class Answer(BaseModel):
    """What the answer of every model begins with."""

    model: ModelName


class SeenInput(BaseModel):
    """The model's input image."""

    image: str = Field(examples=[EXAMPLE_URI])
    steps: list[str] = Field(examples=[["inverted", "cropped", "centred"]])


OnError = Literal["fail", "report"]


class NormalizeQuery(QueryValues):
    """How images are prepared for the model."""

    normalize: Literal["auto", "off"] = Field(
        "auto",
        description="auto: prepare images as the training set was prepared; off: use images of exactly the "
        "model's input size unchanged",
    )


class VersionQuery(QueryValues):
    """The version of a model."""

    version: Annotated[int, Field(ge=0, le=MAX_VERSION), PlainDigits] | None = Field(
        None, description="a version; default: the newest ready version"
    )
    version_label: str | None = Field(None, description="a version by its label")


class ModelQuery(VersionQuery):
    """The model that answers."""

    model: str | None = Field(None, description="another model of the same task")


class SeenQuery(NormalizeQuery):
    """The query of a route that can return the model's input."""

    return_: Literal["input"] | None = Field(
        None, alias="return", description="also return the model's input image"
    )


class ImageQuery(SeenQuery):
    """The query of a route that takes several images."""

    on_error: OnError = Field(
        "fail",
        description="fail: an invalid image fails the request; report: the valid images are answered, "
        "and an invalid one has error and code in its place",
    )
