"""Server-sent events: a streamed answer, and how it ends after an error."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service.asgi.disconnect import cancel_on_disconnect
from service.asgi.responses import problem, to_json
from service.errors import InternalError, NotReady, VitrineError
from service.routes.prediction import Prediction

HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache",
    "X-Accel-Buffering": "no",
}
DONE = b"data: [DONE]\n\n"
LAST_WORD_SECONDS = 1.0  # a client that no longer reads does not get the last event either

log = logging.getLogger("vitrine.events")


def event(content: Any) -> bytes:
    """One event with JSON data."""
    return b"data: " + to_json(content) + b"\n\n"


class EventStream(Response):
    """Sends events as they arrive, simultaneous ones in one write, and finally `last`.

    An error before the first event is an ordinary error response. A later error is the last
    event, without `last`.
    """

    def __init__(self, call: Prediction, events: AsyncGenerator[bytes], last: bytes = DONE) -> None:
        super().__init__(headers=HEADERS)
        self._call = call
        self._events = events
        self._last = last
        self._has_begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Occupy a place in the model's queue until the last event, the disconnect or the deadline."""
        with self._call, self._call.counted_as_stream():
            try:
                await cancel_on_disconnect(receive, self._call.deadline, self._pump(send))
            except VitrineError as error:
                if not self._has_begun:
                    raise
                await self._end(send, error, scope["request_id"])
            except asyncio.CancelledError:
                stopping = NotReady("the service is stopping: try again later")
                await self._end(send, stopping, scope["request_id"])
                raise

    async def _pump(self, send: Send) -> None:
        async with contextlib.aclosing(self._events) as events:
            async for content in events:
                if not self._has_begun:
                    await self._begin(send)
                await send({"type": "http.response.body", "body": content, "more_body": True})
        await send({"type": "http.response.body", "body": self._last})

    async def _begin(self, send: Send) -> None:
        self._has_begun = True
        self.headers.update(self._call.headers())
        headers = [pair for pair in self.raw_headers if pair[0] != b"content-length"]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def _end(self, send: Send, error: VitrineError, request_id: str) -> None:
        if isinstance(error, InternalError):
            log.error("failed", extra={"request_id": request_id}, exc_info=error)
        body = event(problem(error, request_id))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORD_SECONDS):
                if not self._has_begun:
                    await self._begin(send)
                await send({"type": "http.response.body", "body": body})
