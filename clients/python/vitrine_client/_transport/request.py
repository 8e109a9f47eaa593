"""A request: path, query and body, and how its response is read."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

import httpx

from vitrine_client.image_files import ImagesLike, are_files, encode_images
from vitrine_client.types import ModelChoice, query_of

Value = TypeVar("Value")

JSON, PNG = "application/json", "image/png"


class Content(NamedTuple):
    """A body for the HTTP library, and its number of images."""

    arguments: Mapping[str, Any]
    images: int = 0


Body = Content | Callable[[], Content] | None  # None: GET; a function creates the body


class Request(NamedTuple):
    """A request, and the expected kind of answer."""

    path: str
    query: Mapping[str, str]
    body: Body
    accept: str = JSON


@dataclass(frozen=True)
class Call(Generic[Value]):
    """A request with one answer.

    Args:
        request: The request to send.
        read: Decodes the answer, or raises the error of a refusal.
        count: The number of rows in a value, if there must be one per image.
        retry: Whether to retry when the service is busy or not ready.
    """

    request: Request
    read: Callable[[httpx.Response], Value]
    count: Callable[[Value], int] | None = None
    retry: bool = True


@dataclass(frozen=True)
class Stream(Generic[Value]):
    """A request with a streamed answer; `read` decodes the data of an event."""

    request: Request
    read: Callable[[str], Value]


def get(path: str, options: Mapping[str, object] | None = None, accept: str = JSON) -> Request:
    """A request without a body."""
    return Request(path, query_of(options or {}), None, accept)


def post_json(path: str, fields: Mapping[str, Any], options: Mapping[str, object]) -> Request:
    """A request whose body is these fields."""
    return Request(path, query_of(options), json_content(fields))


def post_images(path: str, images: ImagesLike, options: Mapping[str, object]) -> Request:
    """A request with one or several images as its body."""
    encode = partial(_images_content, images)
    return Request(path, query_of(options), encode() if are_files(images) else encode)


def json_content(fields: Mapping[str, Any]) -> Content:
    """Fields → a body; in ASCII, so that the service refuses lone surrogates."""
    headers = {"Content-Type": JSON}
    return Content({"content": json.dumps(fields).encode(), "headers": headers})


def drop_none(**fields: Any) -> dict[str, Any]:
    """The fields that are not None; the others have the service's defaults."""
    return {name: value for name, value in fields.items() if value is not None}


def split(options: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """Options → the fields of the body, and the model choice for the query."""
    choice = {name: options[name] for name in ModelChoice.__annotations__ if name in options}
    return {name: value for name, value in options.items() if name not in choice}, choice


def _images_content(images: ImagesLike) -> Content:
    files: Sequence[bytes] = encode_images(images)
    if len(files) == 1:
        headers = {"Content-Type": "application/octet-stream"}
        return Content({"content": files[0], "headers": headers}, 1)
    parts = [("image", (f"image-{place}", file)) for place, file in enumerate(files, 1)]
    return Content({"files": parts}, len(files))
