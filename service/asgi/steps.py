"""The steps of a request, which become child spans if tracing is on."""

import time
from typing import NamedTuple

NANOSECONDS = 1_000_000_000


class Step(NamedTuple):
    """A step of a request; nanoseconds since the epoch."""

    name: str  # decode, queue, infer or encode
    start: int
    end: int


class Steps:
    """The steps of one request, and its model."""

    def __init__(self) -> None:
        self.done: list[Step] = []
        self.attributes: dict[str, str | int] = {}

    def add(self, name: str, seconds: float, ago: float = 0.0) -> None:
        """Add a step that took `seconds` and ended now, or some seconds ago."""
        end = time.time_ns() - int(ago * NANOSECONDS)
        self.done.append(Step(name, end - int(seconds * NANOSECONDS), end))
