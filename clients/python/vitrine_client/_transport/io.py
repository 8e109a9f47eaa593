"""Input and output in two ways: on the caller's event loop, or blocking the caller's thread.

Both have the same coroutines. Those of `BlockingWire` never suspend, so a coroutine that uses them
runs to its end without an event loop (`sync_async.run`).
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Protocol, TypeVar

import httpx

Value = TypeVar("Value")


class Wire(Protocol):
    """Sends requests and reads responses."""

    @property
    def http(self) -> httpx.Client | httpx.AsyncClient:
        """The client that builds requests."""

    async def send(self, request: httpx.Request, *, stream: bool) -> httpx.Response:
        """Send a request; only the head of a streamed response is read."""

    async def read(self, response: httpx.Response) -> None:
        """Read the rest of the response."""

    def iter_chunks(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        """Yield the body as it arrives."""

    async def close_response(self, response: httpx.Response) -> None:
        """Close the connection, if the response was not read completely."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""

    async def work(self, function: Callable[[], Value]) -> Value:
        """Run a function that reads files or computes."""

    async def close(self) -> None:
        """Close all connections."""


class AsyncWire:
    """Waits on the running event loop; work runs on another thread."""

    def __init__(self, http: httpx.AsyncClient, sleep: Callable[[float], Awaitable[None]]) -> None:
        self.http = http
        self._sleep = sleep

    async def send(self, request: httpx.Request, *, stream: bool) -> httpx.Response:
        """See `Wire`."""
        return await self.http.send(request, stream=stream)

    async def read(self, response: httpx.Response) -> None:
        """See `Wire`."""
        await response.aread()

    async def iter_chunks(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        """See `Wire`."""
        async for piece in response.aiter_bytes():
            yield piece

    async def close_response(self, response: httpx.Response) -> None:
        """See `Wire`."""
        await response.aclose()

    async def sleep(self, seconds: float) -> None:
        """See `Wire`."""
        await self._sleep(seconds)

    async def work(self, function: Callable[[], Value]) -> Value:
        """See `Wire`."""
        return await asyncio.to_thread(function)

    async def close(self) -> None:
        """See `Wire`."""
        await self.http.aclose()


class BlockingWire:
    """Blocks the caller's thread."""

    def __init__(self, http: httpx.Client, sleep: Callable[[float], None]) -> None:
        self.http = http
        self._sleep = sleep

    async def send(self, request: httpx.Request, *, stream: bool) -> httpx.Response:
        """See `Wire`."""
        return self.http.send(request, stream=stream)

    async def read(self, response: httpx.Response) -> None:
        """See `Wire`."""
        response.read()

    async def iter_chunks(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        """See `Wire`."""
        for piece in response.iter_bytes():
            yield piece

    async def close_response(self, response: httpx.Response) -> None:
        """See `Wire`."""
        response.close()

    async def sleep(self, seconds: float) -> None:
        """See `Wire`."""
        self._sleep(seconds)

    async def work(self, function: Callable[[], Value]) -> Value:
        """See `Wire`."""
        return function()

    async def close(self) -> None:
        """See `Wire`."""
        self.http.close()
