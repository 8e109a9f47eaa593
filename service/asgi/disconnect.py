"""Cancels work when the client disconnects or the deadline passes."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from service.errors import DeadlineExceeded

T = TypeVar("T")


async def cancel_on_disconnect(
    receive: Receive, deadline: float, work: Coroutine[Any, Any, T]
) -> T:
    """The result of `work`, which is cancelled when the client disconnects or the deadline passes.

    deadline: monotonic seconds.
    """
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_until_gone(receive))
    try:
        seconds = deadline - time.monotonic()
        await asyncio.wait({working, leaving}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        if leaving.done():
            raise ClientDisconnect
        raise DeadlineExceeded(
            "the deadline passed before the answer was complete: X-Timeout-Ms allows more"
        )
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _until_gone(receive: Receive) -> None:
    """Wait for the disconnect; the body has been read, so no other message can arrive."""
    while (await receive())["type"] != "http.disconnect":
        pass
