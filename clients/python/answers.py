"""What comes back → a typed value, or the error that mirrors the refusal."""

import json
from collections.abc import Callable
from typing import TypeVar

import httpx

from clients.python.errors import UnexpectedAnswer, VitrineError, service_error
from clients.python.types import TextEvent, text_event

Answer = TypeVar("Answer")


def is_event_stream(response: httpx.Response) -> bool:
    """Whether events follow, and not an answer or a refusal."""
    content_type: str = response.headers.get("Content-Type", "")
    return response.is_success and content_type.startswith("text/event-stream")


def event(response: httpx.Response, data: str) -> TextEvent:
    """One event of a stream → its typed value; an error in mid-stream → the error that mirrors it."""
    try:
        return text_event(data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _mirrored(response, data.encode(), status=0) from error


def parsed(response: httpx.Response, parse: Callable[[bytes], Answer]) -> Answer:
    """An answer → its typed value; a refusal → the error that mirrors it."""
    if not response.is_success:
        raise refusal(response)
    try:
        return parse(response.content)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unexpected(response) from error


def picture(response: httpx.Response) -> bytes:
    """An answer that is a PNG → its bytes; a refusal → the error that mirrors it."""
    if response.headers.get("Content-Type") != "image/png":
        raise refusal(response)
    return response.content


def refusal(response: httpx.Response) -> VitrineError:
    """What is not the answer that was hoped for → the error that mirrors it."""
    if response.is_success:
        return _unexpected(response)
    return _mirrored(response, response.content, response.status_code)


def _mirrored(response: httpx.Response, body: bytes, status: int) -> VitrineError:
    """The service's error, as JSON → the error class that mirrors it."""
    try:
        refusal = json.loads(body)
        message, code = str(refusal["error"]), str(refusal.get("code", ""))
        request_id = str(refusal.get("request_id", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return _unexpected(response)
    return service_error(message, status=status, code=code, request_id=request_id)


def _unexpected(response: httpx.Response) -> UnexpectedAnswer:
    return UnexpectedAnswer(
        f"what answers at {response.url.copy_with(query=None, userinfo=b'')} is no Vitrine "
        f"service: status {response.status_code}, {response.headers.get('Content-Type', '?')}"
    )
