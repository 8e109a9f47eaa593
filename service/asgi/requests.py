"""Reads a request's body, up to a limit, and its query, strictly."""

import mmap
import sys
from functools import lru_cache
from typing import Any, TypeVar

from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect, Request

from service.asgi.state import state_of
from service.codecs.json_size import check_json_size
from service.errors import BodyTooLarge, UnsupportedImage
from service.schemas.base import QueryValues, RequestBody

Body = TypeVar("Body", bound=RequestBody)
Query = TypeVar("Query", bound=QueryValues)

MAX_FIELDS_BYTES = 2**20  # of a JSON body that holds no image
MAX_FIELDS_VALUES = 200_000  # of a JSON body of fields; 256 latent vectors of 512 are 131,072
QUERY_BYTES = 200  # of a query that is remembered, and not parsed again for the next request
INLINE_BYTES = 2**16  # a longer body is parsed on another thread


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body; BodyTooLarge before more than `limit` bytes are held."""
    encoding = request.headers.get("content-encoding", "").strip()
    if encoding.lower() not in ("", "identity"):
        raise UnsupportedImage(
            f"Content-Encoding must be absent, got {encoding[:20]!r}: send the body as it is"
        )
    return await receive_body(request, limit)


async def receive_body(request: Request, limit: int) -> bytes:
    """The body's bytes as they were sent; BodyTooLarge before more than `limit` of them are held."""
    announced, most = request.headers.get("content-length", ""), limit
    if announced.isdigit():
        most = int(announced)
        if most > limit:
            raise BodyTooLarge(f"the body must have at most {limit} bytes, got {announced[:20]}")
    chunk, is_last = await _receive_chunk(request)
    if is_last and len(chunk) <= most:
        return chunk
    body = _ReceivedBody(most)
    try:
        while body.size + len(chunk) <= most:
            if is_last:
                return body.complete(chunk)
            body.add(chunk)
            chunk, is_last = await _receive_chunk(request)
        raise BodyTooLarge(f"the body must have at most {limit} bytes, got more")
    finally:
        body.close()  # an error that is handled elsewhere keeps this frame


async def _receive_chunk(request: Request) -> tuple[bytes, bool]:
    """The next part of the body, counted as in flight, and whether it is the last."""
    message = await request.receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    chunk = message.get("body", b"")
    request.scope["held"].take(len(chunk))
    return chunk, not message.get("more_body", False)


class _ReceivedBody:
    """The received part of a body; above a few kilobytes in separately mapped memory.

    Pieces on the heap, between which everything else is allocated, would stay the process' memory.
    """

    def __init__(self, most: int) -> None:
        self.size = 0
        self._most = most
        self._begin = b""
        self._mapping: mmap.mmap | None = None

    def add(self, chunk: bytes) -> None:
        """Add a part that is not the last."""
        self.size += len(chunk)
        if self._mapping is None and self.size <= INLINE_BYTES:
            self._begin += chunk
            return
        if self._mapping is None:
            self._mapping = _map(self._most)
            self._mapping.write(self._begin)
            self._begin = b""
        self._mapping.write(chunk)

    def complete(self, chunk: bytes) -> bytes:
        """The whole body, with this last part."""
        if not self.size:
            return chunk
        self.add(chunk)
        return self._mapping[: self.size] if self._mapping else self._begin

    def close(self) -> None:
        """Release the memory."""
        self._begin = b""
        if self._mapping:
            self._mapping.close()
            self._mapping = None


def _map(size: int) -> mmap.mmap:
    """Memory that is allocated as it is written."""
    if sys.platform == "win32":
        return mmap.mmap(-1, size)
    return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE)


async def read_json(request: Request, model: type[Body], *, has_images: bool = False) -> Body:
    """A JSON body as a request model, whatever its Content-Type says; without images at most 1 MiB."""
    state = state_of(request)
    limit = state["settings"].max_body_bytes
    body = await read_body(request, limit if has_images else min(limit, MAX_FIELDS_BYTES))
    most = min(state["settings"].max_json_values, MAX_FIELDS_VALUES)

    def parse() -> Body:
        check_json_size(body, most)
        return model.parse(body, request.headers.get("content-type", ""))

    if len(body) <= INLINE_BYTES:
        return parse()
    return await state["decoders"].run(parse, request.scope["held"])


def read_query(request: Request, model: type[Query]) -> Query:
    """The query values as a model."""
    query: bytes = request.scope["query_string"]
    if len(query) > QUERY_BYTES:
        return model.parse(request.query_params)
    parsed: Query = _parsed(model, query)
    return parsed


@lru_cache(maxsize=256)
def _parsed(model: type[Any], query: bytes) -> Any:
    return model.parse(dict(QueryParams(query)))
