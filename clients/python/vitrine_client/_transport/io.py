"""Input and output in two ways: on the caller's event loop, or blocking the caller's thread.

The coroutines of a blocking wire never suspend, so a coroutine that uses them runs to its end without
an event loop (`sync_async.run`).
"""

import asyncio
import operator
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from typing import Any, NamedTuple, ParamSpec, TypeVar

import httpx

P = ParamSpec("P")
Value = TypeVar("Value")


class Wire(NamedTuple):
    """Sends requests and reads responses."""

    http: httpx.Client | httpx.AsyncClient  # builds requests
    send: Callable[..., Awaitable[httpx.Response]]  # with stream=True only the head is read
    read: Callable[[httpx.Response], Awaitable[bytes]]  # the rest of a response
    iter_chunks: Callable[[httpx.Response], AsyncGenerator[bytes, None]]  # the body as it arrives
    close_response: Callable[
        [httpx.Response], Awaitable[None]
    ]  # one that may not be read to its end
    sleep: Callable[[float], Awaitable[None]]
    work: Callable[[Callable[[], Any]], Awaitable[Any]]  # runs what reads files or computes
    close: Callable[[], Awaitable[None]]  # all connections


def async_wire(http: httpx.AsyncClient, sleep: Callable[[float], Awaitable[None]]) -> Wire:
    """Wait on the running event loop; work runs on another thread."""

    async def iter_chunks(response: httpx.Response) -> AsyncGenerator[bytes, None]:
        async for chunk in response.aiter_bytes():
            yield chunk

    return Wire(
        http,
        send=http.send,
        read=httpx.Response.aread,
        iter_chunks=iter_chunks,
        close_response=httpx.Response.aclose,
        sleep=sleep,
        work=asyncio.to_thread,
        close=http.aclose,
    )


def blocking_wire(http: httpx.Client, sleep: Callable[[float], None]) -> Wire:
    """Block the caller's thread."""

    async def iter_chunks(response: httpx.Response) -> AsyncGenerator[bytes, None]:
        for chunk in response.iter_bytes():
            yield chunk

    return Wire(
        http,
        send=_at_once(http.send),
        read=_at_once(httpx.Response.read),
        iter_chunks=iter_chunks,
        close_response=_at_once(httpx.Response.close),
        sleep=_at_once(sleep),
        work=_at_once(operator.call),
        close=_at_once(http.close),
    )


def _at_once(function: Callable[P, Value]) -> Callable[P, Coroutine[Any, Any, Value]]:
    """The same function as a coroutine that never suspends."""

    async def call(*args: P.args, **options: P.kwargs) -> Value:
        return function(*args, **options)

    return call
