"""Refuses requests by their head alone while the queue that they ask for lets nobody in.

A refusal by way of the app costs the event loop 0.3 ms and more. Where requests arrive ten times as
fast as they can be answered, that is the time in which the others should be answered. So what a queue
has refused is remembered for a moment: a request with the same target, time limit and key, and a body
that is no shorter, gets the same answer as soon as its head is parsed, without being read.

A whole request whose head has the same bytes is not even parsed.

Some requests still reach the application: one for each that has left the queue meanwhile, and 25 a second.
Used on the event loop only.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

import orjson
from prometheus_client import Counter, Histogram
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from service.asgi.request_head import Header, length_of_head, request_id_of
from service.asgi.responses import JSON, problem, status_of
from service.errors import QueueRefusal
from service.metrics import Metrics

VALID_SECONDS = (
    0.25  # after the last refusal of a request that was looked at, unless the queue is full
)
LOOKS_PER_SECOND = 25.0
MOST_LOOKS = 256.0  # saved up at most: as many requests can leave the queue in one turn of the loop
MOST_REFUSALS = 64  # remembered at the same time
COUNTED = (b"authorization", b"x-api-key", b"x-timeout-ms")  # what an answer depends on
NOT_FORESEEN = (b"transfer-encoding", b"expect")
OWN_ID = b"x-request-id"

Key = tuple[bytes | None, ...]

log = logging.getLogger("vitrine.request")


class Queue(Protocol):
    """What refused."""

    departures: int  # requests that have left it, ever

    @property
    def is_full(self) -> bool:
        """Whether it has no free place."""


class RefusedCycle:
    """In the place of uvicorn's cycle of request and response: answered before its body is read."""

    response_started = response_complete = True
    disconnected = False
    more_body = True
    message_event = asyncio.Event()  # nobody waits for it

    def __init__(self, keep_alive: bool) -> None:
        self.keep_alive = keep_alive


class EarlyRefusals:
    """The refusals of the last moments, by what their requests have in common."""

    def __init__(self, metrics: Metrics, *, answers_other_origins: bool) -> None:
        """answers_other_origins: then the answer to a request with an Origin is another one."""
        self._metrics = metrics
        self._unforeseen = (*NOT_FORESEEN, b"origin") if answers_other_origins else NOT_FORESEEN
        self._refusals: dict[Key, _Refusal] = {}
        self._heads: dict[bytes, _Known] = {}
        self._last: _Known | None = None  # just refused, without an id of its own
        self._looking: _Refusal | None = None  # of the one that `answer_again` has just let in

    def learn(self, scope: Scope, error: QueueRefusal) -> None:
        """Remember what the queue of `scope` has refused."""
        given, route = dict(scope["headers"]), getattr(scope.get("route"), "path", "unmatched")
        if "raw_path" not in scope or scope["method"] == "HEAD":
            return  # another server's, or answered without a body
        if any(name in given for name in self._unforeseen):
            return
        query = scope["query_string"]
        target = scope["raw_path"] + b"?" + query if query else scope["raw_path"]
        key = _key(scope["method"].encode(), target, given)
        known = self._refusals.get(key)
        if known and known.queue is scope["queue"]:
            known.renew(error, _length(given))
            return
        if len(self._refusals) >= MOST_REFUSALS:
            self._forget()
        counters = (
            self._metrics.requests.labels(scope["method"], route, status_of(error)),
            self._metrics.request_seconds.labels(route),
            self._metrics.errors.labels(error.code),
        )
        self._refusals[key] = _Refusal(scope["queue"], counters, error, _length(given))

    def answer(
        self, method: bytes, target: bytes, headers: Iterable[Header], more: bytes
    ) -> bytes | None:
        """The refusal of a request with this head, with `more` lines in its own; None: look at the request."""
        started, self._looking = time.monotonic(), None
        given = dict(headers)
        key = _key(method, target, given)
        refusal = self._refusals.get(key)
        if refusal is None:
            return None
        if refusal.is_over(started):
            del self._refusals[key]
            return None
        length = _length(given)
        if any(name in given for name in self._unforeseen) or refusal.may_look(started, length):
            return None
        self._last = None if OWN_ID in given else _Known(refusal, length)
        request_id = request_id_of(given.items())
        answer = refusal.render(request_id, more)
        refusal.count(time.monotonic() - started)
        if log.isEnabledFor(logging.DEBUG):
            fields = {"method": method.decode(), "target": target.decode("latin-1"), "status": 429}
            log.debug("refused early", extra={**fields, "request_id": request_id})
        return answer

    def remember(self, data: bytes) -> None:
        """These bytes were the request that `answer` has just refused, and perhaps more."""
        end = length_of_head(data)
        if self._last and end and len(data) == end + self._last.length:
            if len(self._heads) >= MOST_REFUSALS:
                self._heads.clear()
            self._heads[data[:end]] = self._last

    def answer_again(self, data: bytes, more: bytes) -> bytes | None:
        """The refusal of these bytes if they are a whole request with a remembered head; None: parse it."""
        started, end = time.monotonic(), length_of_head(data)
        self._looking = None
        known = self._heads.get(data[:end])
        if known is None or len(data) != end + known.length:
            return None
        refusal = known.refusal
        if refusal.is_over(started):
            del self._heads[data[:end]]
            return None
        if refusal.can_look(started):
            self._looking = refusal
            return None
        answer = refusal.render(request_id_of(()), more)
        refusal.count(time.monotonic() - started)
        return answer

    def count_look(self) -> None:
        """What `answer_again` let in was taken without being parsed."""
        if self._looking:
            self._looking.count_look()
            self._looking = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to compare a head with."""
        return not self._refusals

    def _forget(self) -> None:
        now = time.monotonic()
        valid = {key: one for key, one in self._refusals.items() if one.valid_until >= now}
        self._refusals = valid if len(valid) < MOST_REFUSALS else {}


class _Refusal:
    """What one kind of request was told, and how many more of it may be looked at."""

    def __init__(
        self,
        queue: Queue,
        counters: tuple[Counter, Histogram, Counter],
        error: QueueRefusal,
        length: int,
    ) -> None:
        self.queue = queue
        self._answered, self._seconds, self._errors = counters
        self._shortest = length
        self._looks = 0.0
        self._is_due = False  # a look, though the queue is full
        self._looked_at = time.monotonic()
        self._departures = queue.departures
        self.renew(error, length)

    def renew(self, error: QueueRefusal, length: int) -> None:
        """Another one of this kind was looked at and refused."""
        self.valid_until = time.monotonic() + VALID_SECONDS
        self._shortest = min(self._shortest, length)
        body = orjson.dumps({**problem(error, "")})
        self._body = body.removesuffix(b'""}')  # the request's id is its last field
        self._head = (
            STATUS_LINE[status_of(error)]
            + f"content-type: {JSON}\r\nretry-after: {error.retry_after_seconds}\r\n".encode()
        )

    def is_over(self, now: float) -> bool:
        """Whether it is to be forgotten; while its queue stays full, one request is looked at instead.

        Forgotten, it would let all requests of a turn of the event loop in.
        """
        if now <= self.valid_until:
            return False
        if not self.queue.is_full:
            return True
        self.valid_until, self._is_due = now + VALID_SECONDS, True
        return False

    def may_look(self, now: float, length: int) -> bool:
        """Whether this one may be let in: it is shorter, or there may be room."""
        if length < self._shortest:
            return True
        if not self.can_look(now):
            return False
        self.count_look()
        return True

    def count_look(self) -> None:
        """One more was looked at."""
        self._looks = max(0.0, self._looks - 1)
        self._is_due = False

    def can_look(self, now: float) -> bool:
        """Whether there may be room for one that is as long."""
        left = self.queue.departures - self._departures
        gained = left + (now - self._looked_at) * LOOKS_PER_SECOND
        self._departures, self._looked_at = self.queue.departures, now
        self._looks = min(MOST_LOOKS, self._looks + gained)
        return self._is_due or (self._looks >= 1 and not self.queue.is_full)

    def render(self, request_id: str, more: bytes) -> bytes:
        """The whole answer."""
        body = self._body + orjson.dumps(request_id) + b"}"
        own = b"x-request-id: %s\r\ncontent-length: %d\r\n\r\n" % (request_id.encode(), len(body))
        return self._head + more + own + body

    def count(self, seconds: float) -> None:
        """As every answer is counted."""
        self._answered.inc()
        self._seconds.observe(seconds)
        self._errors.inc()


class _Known(NamedTuple):
    """What the requests with a head are told; the length of their body in bytes."""

    refusal: _Refusal
    length: int


def _key(method: bytes, target: bytes, given: Mapping[bytes, bytes]) -> Key:
    return (method, target, *(given.get(name) for name in COUNTED))


def _length(given: Mapping[bytes, bytes]) -> int:
    return int(given.get(b"content-length", 0))
