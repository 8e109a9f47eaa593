"""A response → a typed value, or the error class of its code."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from vitrine_client._transport.decoding import decode
from vitrine_client._transport.request import PNG, Call, post_images
from vitrine_client.errors import UnexpectedAnswer, VitrineError, service_error
from vitrine_client.image_files import ImagesLike
from vitrine_client.types import Answer, ModelVersion

Value = TypeVar("Value")
Typed = TypeVar("Typed", bound=Answer)

NOT_AN_ANSWER = (ValueError, KeyError, TypeError, AttributeError)


@dataclass(frozen=True)
class Grid:
    """One PNG file; several images are side by side in it."""

    model: ModelVersion
    png: bytes = field(repr=False)
    random_seed: int | None  # seed that reproduces the images; None: nothing was random
    url: str  # the requested URL

    def _repr_png_(self) -> bytes:
        """The image, for notebooks."""
        return self.png


def answer_of(kind: type[Typed], *, also: int = 200) -> Callable[[httpx.Response], Typed]:
    """A decoder for JSON answers of this kind; `also` is another status that is not an error."""

    def read(response: httpx.Response) -> Typed:
        if not response.is_success and response.status_code != also:
            raise refusal(response)
        body = response.content
        try:
            return decode(kind, json.loads(body), body=body)
        except NOT_AN_ANSWER as error:
            raise refusal(response) from error

    return read


def each_image(
    path: str,
    images: ImagesLike,
    options: Mapping[str, object],
    kind: type[Typed],
    rows: str = "predictions",
) -> Call[Typed]:
    """A call with one image or several; the answer has as many `rows`."""
    request = post_images(path, images, options)
    return Call(request, answer_of(kind), count=lambda answer: len(getattr(answer, rows)))


def grid(response: httpx.Response) -> Grid:
    """Decode one PNG file and its headers."""
    if response.headers.get("Content-Type") != PNG:
        raise refusal(response)
    seed = response.headers.get("X-Random-Seed")
    try:
        return Grid(
            ModelVersion.parse(response.headers.get("X-Model", "")),
            response.content,
            None if seed is None else int(seed),
            str(response.url.copy_with(userinfo=b"")),
        )
    except ValueError as error:
        raise _unexpected(response) from error


def is_event_stream(response: httpx.Response) -> bool:
    """Whether the response is a stream of events."""
    content_type: str = response.headers.get("Content-Type", "")
    return response.is_success and content_type.startswith("text/event-stream")


def event(response: httpx.Response, data: str, read: Callable[[str], Value]) -> Value:
    """One event of a stream → its typed value; raises the exception of an error event."""
    try:
        return read(data)
    except NOT_AN_ANSWER as error:
        raise _mirrored(response, data.encode(), status=0) from error


def refusal(response: httpx.Response) -> VitrineError:
    """The exception for an error response."""
    if response.is_success:
        return _unexpected(response)
    return _mirrored(response, response.content, response.status_code)


def _mirrored(response: httpx.Response, body: bytes, status: int) -> VitrineError:
    """The service's JSON error → an exception."""
    try:
        refused: Any = json.loads(body)
        message, code = str(refused["error"]), str(refused.get("code", ""))
        request_id = str(refused.get("request_id", ""))
    except NOT_AN_ANSWER:
        return _unexpected(response)
    return service_error(message, status=status, code=code, request_id=request_id)


def _unexpected(response: httpx.Response) -> UnexpectedAnswer:
    return UnexpectedAnswer(
        f"what answers at {response.url.copy_with(query=None, userinfo=b'')} is no Vitrine "
        f"service: status {response.status_code}, {response.headers.get('Content-Type', '?')}"
    )
