"""Schemas that several tasks share: errors, the model's name, image and seed fields."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

from service.codecs.random_streams import MAX_SEED
from service.schemas.base import QueryValues, Schema

BASE64_IMAGE: Schema = {
    "type": "string",
    "description": "base64, or a data URI such as canvas.toDataURL() gives",
}
EXAMPLE_URI = "data:image/png;base64,iVBORw0KGgo="
EXAMPLE_VECTORS = [[0.3, -1.2]]
GRID: dict[str, Schema] = {"image/png": {"schema": {"type": "string", "format": "binary"}}}


def _digits_only(value: Any) -> Any:
    """`int` takes more than a whole number's digits, such as 1_0 and Arabic ones."""
    is_plain = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19
    if not (is_plain or isinstance(value, int)):
        raise ValueError("not a whole number")
    return value


RandomSeed = Annotated[
    int,
    Field(
        ge=0,
        le=MAX_SEED,
        description="the same number gives the same bytes; absent: one is drawn and reported",
    ),
]
PlainDigits = BeforeValidator(_digits_only)  # after the field's range, so that the schema keeps it


class Problem(BaseModel):
    """Every error, on every route."""

    error: str = Field(examples=["image 3: the image is blank; draw a digit on it"])
    code: str = Field(examples=["invalid_image"])
    request_id: str = Field(examples=["4be7b4a3f5a54d0cbd5a7a0f5b1f2c11"])


class ModelName(BaseModel):
    """Which model version answered."""

    name: str = Field(examples=["digits"])
    version: int = Field(examples=[1])


class SeenInput(BaseModel):
    """The image that the model saw."""

    image: str = Field(examples=[EXAMPLE_URI])
    steps: list[str] = Field(examples=[["inverted", "cropped", "centred"]])


OnError = Literal["fail", "report"]
ON_ERROR: Any = Field(
    "fail",
    description="fail: an image that cannot be used fails the request; report: the others are "
    "answered, and in its place stand error and code",
)


class NormalizeQuery(QueryValues):
    """What happens to an image before the model sees it."""

    normalize: Literal["auto", "off"] = Field(
        "auto",
        description="auto: do to an image what was done to the training set; off: take one of the "
        "right size as it is",
    )


class ImageQuery(NormalizeQuery):
    """The query values of a route that takes images and shows what the model saw."""

    return_: Literal["input"] | None = Field(
        None, alias="return", description="also answer the image that the model saw"
    )
    on_error: OnError = ON_ERROR


class FailedImage(BaseModel):
    """What stands in the place of an image that cannot be used, with on_error=report."""

    error: str = Field(examples=["the image is blank: draw a digit on it"])
    code: str = Field(examples=["invalid_image"])
