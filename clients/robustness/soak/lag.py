"""`python -m clients.robustness.soak.lag PORT`: asks for the health every few milliseconds until its input ends.

It prints the longest time that an answer took, in milliseconds. As a process of its own
it does not wait for the client whose request it watches.
"""

import asyncio
import contextlib
import http.client
import select
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator

PAUSE_SECONDS = 0.002


class Lag:
    """The longest time that a health check took, milliseconds; known once the block has ended."""

    most_ms = 0.0


@contextlib.asynccontextmanager
async def watching(port: int) -> AsyncIterator[Lag]:
    """Ask until the block ends."""
    lag, command = Lag(), (sys.executable, "-m", "clients.robustness.soak.lag", str(port))
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    assert process.stdout is not None
    await process.stdout.readline()  # it has begun
    try:
        yield lag
    finally:
        last, _ = await process.communicate(b"")  # ends its input
    lag.most_ms = float(last)


def watch(port: int) -> float:
    """Ask until the standard input ends; the longest time, milliseconds."""
    connection, most = http.client.HTTPConnection("127.0.0.1", port, timeout=60), 0.0
    _ask(connection)
    print("watching", flush=True)
    while not select.select([sys.stdin], [], [], PAUSE_SECONDS)[0]:
        started = time.monotonic()
        _ask(connection)
        most = max(most, time.monotonic() - started)
    return 1000 * most


def _ask(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", "/v2/health/live")
    connection.getresponse().read()


if __name__ == "__main__":
    print(watch(int(sys.argv[1])))
