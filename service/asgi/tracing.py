"""The steps of a request for OpenTelemetry, which is only imported if tracing is on."""

import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from service.asgi.request_spans import Tracing

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


def make_tracing(endpoint: str) -> "Tracing | None":
    """Create the exporter of spans, or None if tracing is off."""
    if not endpoint:
        return None
    from service.asgi.request_spans import Tracing

    return Tracing(endpoint)
