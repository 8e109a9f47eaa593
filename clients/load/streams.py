"""Concurrent text streams: time to the first characters, and rate.

A closed loop like `closed_loop`: each connection requests its next text when the last one is complete.
"""

import json
import time
from array import array
from dataclasses import dataclass, field

from clients.load.closed_loop import Tally, saturate
from clients.load.connection import Connection
from clients.load.scenario import Scenario, request_bytes
from clients.load.target import Target
from vitrine_client._transport.sse import EventReader

STREAM_TIMEOUT_S = 60.0


@dataclass
class StreamTally(Tally):
    """The answers; all but `characters` of streams that ended rightly."""

    first_s: "array[float]" = field(default_factory=lambda: array("d"))
    rates: "array[float]" = field(default_factory=lambda: array("d"))  # characters/s of each stream
    characters: int = 0  # of all streams

    def count_stream(self, arrivals: "Arrivals") -> None:
        """Add the timings of one stream."""
        self.first_s.append(arrivals.first_s)
        self.rates.append(arrivals.characters / arrivals.last_s)


class Arrivals:
    """When the first and the last chunk of one stream arrived, in seconds since the request."""

    def __init__(self, tally: StreamTally) -> None:
        self.first_s = self.last_s = 0.0
        self.characters = 0
        self._tally = tally
        self._asked = time.perf_counter()
        self._reader = EventReader()

    def take(self, piece: bytes) -> None:
        """Note the characters that a piece of the body brought."""
        characters = sum(_characters(event) for event in self._reader.feed(piece))
        if characters:
            self.last_s = time.perf_counter() - self._asked
            self.first_s = self.first_s or self.last_s
            self.characters += characters
            self._tally.characters += characters


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
        arrivals, asked = Arrivals(tally), time.perf_counter()
        answer = await connection.ask(request, STREAM_TIMEOUT_S, arrivals.take)
        tally.count(answer, time.perf_counter() - asked, scenario)
        if answer.status == 200 and scenario.is_right(answer.body):
            tally.count_stream(arrivals)

    await saturate(read, tally, target, streams, seconds)
    return tally


def _characters(event: str) -> int:
    try:
        return len(json.loads(event).get("text", ""))
    except (ValueError, AttributeError, TypeError):  # "[DONE]"
        return 0
