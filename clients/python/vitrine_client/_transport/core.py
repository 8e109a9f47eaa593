"""The core of both clients: sends a request, retries it, and reads the response."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from itertools import count
from typing import TypeVar

import httpx

from vitrine_client._transport.connection import translated_errors
from vitrine_client._transport.io import Wire
from vitrine_client._transport.request import JSON, Call, Content, Request, Stream
from vitrine_client._transport.response import event, is_event_stream, refusal
from vitrine_client._transport.retries import NEVER, Retries
from vitrine_client._transport.sse import EventReader
from vitrine_client.errors import UnexpectedAnswer, Unreachable

Value = TypeVar("Value")

NOTHING = Content({})
DONE = "[DONE]"


class Core:
    """Sends requests over a wire.

    Args:
        wire: The I/O implementation.
        retries: The retry policy for 429 and 503.
    """

    def __init__(self, wire: Wire, retries: Retries) -> None:
        self._wire = wire
        self._retries = retries
        self._address = str(wire.http.base_url).rstrip("/") + "/"

    async def ask(self, call: Call[Value]) -> Value:
        """Send a request and decode the answer.

        Raises:
            VitrineError: See the tree in `errors`.
        """
        content = await self._content(call.request)
        request = self._built(call.request, content)
        retries = self._retries if call.retry else NEVER
        with translated_errors(self._wire.http.base_url):
            response = await self._sent(request, retries, stream=False)
        value = call.read(response)
        if call.count is not None:
            answers = call.count(value) + len(getattr(value, "failures", ()))
            if answers != content.images:
                raise UnexpectedAnswer(
                    f"{content.images} images were sent, {answers} answers received"
                )
        return value

    async def stream(self, stream: Stream[Value]) -> AsyncGenerator[Value, None]:
        """Yield decoded events as they arrive; closing the generator closes the connection, which stops the work.

        Raises:
            VitrineError: See the tree in `errors`; also in mid-stream.
        """
        request = self._built(stream.request, await self._content(stream.request))
        with translated_errors(self._wire.http.base_url):
            response = await self._sent(request, self._retries, stream=True)
            try:
                if not is_event_stream(response):
                    await self._wire.read(response)
                    raise refusal(response)
                async with aclosing(self._events(response)) as events:
                    async for data in events:
                        yield event(response, data, stream.read)
            finally:
                await self._wire.close_response(response)

    async def close(self) -> None:
        """Close the connections."""
        await self._wire.close()

    async def _content(self, request: Request) -> Content:
        body = request.body
        if isinstance(body, Content):
            return body
        return NOTHING if body is None else await self._wire.work(body)

    def _built(self, request: Request, content: Content) -> httpx.Request:
        built = self._wire.http.build_request(
            "GET" if request.body is None else "POST",
            self._address + request.path,  # the whole URL: joining two takes the library 30 µs
            params=request.query or None,
            **content.arguments,
        )
        if request.accept != JSON:
            built.headers["Accept"] = request.accept
        return built

    async def _sent(
        self, request: httpx.Request, retries: Retries, *, stream: bool
    ) -> httpx.Response:
        """Send a request with retries; return the last response."""
        for attempt in count():
            response = await self._wire.send(request, stream=stream)
            wait_seconds = retries.wait_seconds(response, attempt)
            if wait_seconds is None:
                break
            await self._wire.read(response)  # so that its connection can be used again
            await self._wire.sleep(wait_seconds)
        return response

    async def _events(self, response: httpx.Response) -> AsyncGenerator[str, None]:
        reader = EventReader()
        async with aclosing(self._wire.iter_chunks(response)) as chunks:
            async for piece in chunks:
                for data in reader.feed(piece):
                    if data == DONE:
                        return
                    yield data
        raise Unreachable("the stream ended early: send the request again")
