"""A refusal that is repeated to similar requests, and the probes: requests that reach the application all the same.

A token bucket limits the probes: it gains one for each request that has left the queue, and 5 a second.
"""

import time
from typing import Protocol

import orjson
from prometheus_client import Counter, Histogram
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from service.asgi.responses import JSON, problem, status_of
from service.errors import QueueRefusal
from service.metrics import observe_many

VALID_SECONDS = 0.25  # after the last refusal of a probe, unless the queue is full
PROBES_PER_SECOND = 5.0  # for queues that make room without a departure
MAX_PROBES = 256.0  # saved up: as many requests can leave the queue in one turn of the event loop


class Queue(Protocol):
    """The queue that refused."""

    departures: int  # requests that have left it, ever

    @property
    def is_full(self) -> bool:
        """Whether it has no free place."""


class Refusal:
    """The refusal of one kind of request, and how many more of that kind may be probes."""

    def __init__(
        self,
        queue: Queue,
        counters: tuple[Counter, Histogram, Counter],
        error: QueueRefusal,
        length: int,
    ) -> None:
        """length: of the refused request's body in bytes."""
        self.queue = queue
        self._answered, self._seconds, self._errors = counters
        self._shortest = length
        self._probes = 0.0
        self._is_probe_due = False  # although the queue is full
        self._updated_at = time.monotonic()
        self._departures = queue.departures
        self.renew(error, length)

    def renew(self, error: QueueRefusal, length: int) -> None:
        """A probe was refused."""
        self.valid_until = time.monotonic() + VALID_SECONDS
        self._shortest = min(self._shortest, length)
        body = orjson.dumps({**problem(error, "")})
        self._body = body.removesuffix(b'""}')  # the request's id is its last field
        self._head = (
            STATUS_LINE[status_of(error)]
            + f"content-type: {JSON}\r\nretry-after: {error.retry_after_seconds}\r\n".encode()
        )

    def is_expired(self, now: float) -> bool:
        """Whether it is not valid any more; while its queue is full, it stays valid and a probe is due.

        Otherwise all requests of a turn of the event loop would reach the application.
        """
        if now <= self.valid_until:
            return False
        if not self.queue.is_full:
            return True
        self.valid_until, self._is_probe_due = now + VALID_SECONDS, True
        return False

    def take_probe(self, now: float, length: int) -> bool:
        """Whether a request becomes a probe: its body is shorter, or the queue may have a free place."""
        if length < self._shortest:
            return True
        if not self.has_probe(now):
            return False
        self.count_probe()
        return True

    def count_probe(self) -> None:
        """A request became a probe."""
        self._probes = max(0.0, self._probes - 1)
        self._is_probe_due = False

    def has_probe(self, now: float) -> bool:
        """Whether a request whose body is not shorter may become a probe."""
        if self.queue.is_full:
            return self._is_probe_due
        departures = self.queue.departures
        gained = departures - self._departures + (now - self._updated_at) * PROBES_PER_SECOND
        self._departures, self._updated_at = departures, now
        self._probes = min(MAX_PROBES, self._probes + gained)
        return self._is_probe_due or self._probes >= 1

    def render(self, request_id: str, more: bytes) -> bytes:
        """The whole answer, with `more` lines in its head."""
        own_id = orjson.dumps(request_id)
        length = len(self._body) + len(own_id) + 1
        return b"%b%bx-request-id: %b\r\ncontent-length: %d\r\n\r\n%b%b}" % (
            self._head, more, request_id.encode(), length, self._body, own_id,
        )  # fmt: skip

    def count(self, number: int, seconds: float) -> None:
        """Count answers that were sent so many seconds after their requests were read."""
        self._answered.inc(number)
        observe_many(self._seconds, seconds, number)
        self._errors.inc(number)
