"""How long other requests wait: a health check every few milliseconds during the work."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from clients.robustness.soak.connection import Connection

PAUSE_SECONDS = 0.002


class Lag:
    """The longest time that a health check took, milliseconds."""

    most_ms = 0.0


@contextlib.asynccontextmanager
async def watching(port: int) -> AsyncIterator[Lag]:
    """Ask until the block ends."""
    lag = Lag()
    task = asyncio.create_task(_watch(port, lag))
    await asyncio.sleep(0.05)
    lag.most_ms = 0.0
    yield lag
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _watch(port: int, lag: Lag) -> None:
    connection = Connection(port)
    try:
        while True:
            started = time.monotonic()
            await connection.send("GET", "/v2/health/live")
            lag.most_ms = max(lag.most_ms, 1000 * (time.monotonic() - started))
            await asyncio.sleep(PAUSE_SECONDS)
    finally:
        connection.close()
