"""JSON answers and errors as bytes, and the table from error classes to statuses."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from service import errors

JSON = "application/json"  # and no charset: clients of the standard protocols compare it whole
STATUS: list[tuple[type[errors.VitrineError], int]] = [
    (errors.InvalidJSON, 400),
    (errors.InvalidValue, 422),
    (errors.InvalidImage, 422),
    (errors.UnsupportedImage, 415),
    (errors.HeadersTooLarge, 431),
    (errors.TooLarge, 413),
    (errors.InvalidRequest, 400),
    (errors.RequestTimeout, 408),
    (errors.Unauthorized, 401),
    (errors.Forbidden, 403),
    (errors.PreconditionFailed, 412),
    (errors.NotFound, 404),
    (errors.MethodNotAllowed, 405),
    (errors.Overloaded, 429),
    (errors.NotReady, 503),
    (errors.DeadlineExceeded, 504),
    (errors.VitrineError, 500),
]


def status_of(error: errors.VitrineError) -> int:
    """The status of an error class, from the first matching row of the table."""
    return next(status for kind, status in STATUS if isinstance(error, kind))


def to_json(content: Any) -> bytes:
    """JSON text; NumPy arrays as lists, NaN as null."""
    return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)


@lru_cache(maxsize=256)
def _name(header: str) -> bytes:
    return header.lower().encode("latin-1")


class RawResponse(Response):
    """A whole answer with status 200 and prepared headers."""

    def __init__(self, body: bytes, headers: Mapping[str, str], media_type: str) -> None:
        self.body, self.status_code, self.background = body, 200, None
        self.raw_headers = [
            (b"content-length", b"%d" % len(body)),
            (b"content-type", media_type.encode()),
            *[(_name(name), value.encode("latin-1")) for name, value in headers.items()],
        ]


def is_unchanged(request: Request, tag: str) -> bool:
    """Whether If-None-Match says that the caller has the entity with this tag."""
    known = request.headers.get("if-none-match", "")
    return known.strip() == "*" or tag in known


def prefers(request: Request, media_type: str) -> bool:
    """Whether the Accept header names a media type, and JSON with no higher quality (`q`)."""
    accept = request.headers.get("accept", "").lower()
    if media_type not in accept:
        return False
    qualities = dict(map(_quality, accept.split(",")))
    return 0 < qualities.get(media_type, 0) >= qualities.get(JSON, 0)


def _quality(part: str) -> tuple[str, float]:
    name, *parameters = [one.strip() for one in part.split(";")]
    given = [one[2:] for one in parameters if one.startswith("q=")]
    try:
        return name, float(given[0]) if given else 1.0
    except ValueError:
        return name, 1.0


def json_answer(
    content: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """`content` as application/json, no charset."""
    return Response(to_json(content), status, headers, JSON)


def error_answer(error: errors.VitrineError, request_id: str, **more: Any) -> Response:
    """An error answer, with the headers of its status, and `more` fields."""
    headers = {}
    if isinstance(error, (errors.Overloaded, errors.NotReady)):
        headers["Retry-After"] = str(error.retry_after_seconds)
    if isinstance(error, errors.MethodNotAllowed):
        headers["Allow"] = ", ".join(error.allowed)
    if isinstance(error, errors.Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    return json_answer({**problem(error, request_id), **more}, status_of(error), headers)


def problem(error: errors.VitrineError, request_id: str) -> dict[str, Any]:
    """The JSON of an error."""
    return {"error": str(error), "code": error.code, "request_id": request_id}
