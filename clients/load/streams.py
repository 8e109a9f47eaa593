"""Concurrent text streams: time to the first characters, and of the whole stream.

A closed loop like `closed_loop`: each connection requests its next text when the last one is complete.
"""

import time
from array import array
from dataclasses import dataclass, field

from clients.load.closed_loop import Tally, saturate
from clients.load.connection import Connection
from clients.load.scenario import Scenario, request_bytes
from clients.load.target import Target

STREAM_TIMEOUT_S = 60.0


@dataclass
class StreamTally(Tally):
    """The answers; latencies are of streams that ended rightly."""

    first_s: "array[float]" = field(default_factory=lambda: array("d"))  # of the same streams


async def drive_streams(
    scenario: Scenario,
    target: Target,
    streams: int,
    seconds: float,
) -> StreamTally:
    """Keep `streams` streams open for `seconds`, then let those under way finish."""
    tally = StreamTally()
    request = request_bytes(scenario, target)

    async def read(connection: Connection, end: float) -> None:
        asked, first_s = time.perf_counter(), 0.0

        def note(piece: bytes) -> None:
            nonlocal first_s
            first_s = first_s or time.perf_counter() - asked

        answer = await connection.ask(request, STREAM_TIMEOUT_S, note)
        if tally.count(answer, time.perf_counter() - asked, scenario):
            tally.first_s.append(first_s)

    await saturate(read, tally, target, streams, seconds)
    return tally
