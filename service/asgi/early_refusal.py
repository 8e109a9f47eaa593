"""Refuses requests by their head alone while the queue that they need admits nothing.

A refusal by way of the application costs the event loop 0.3 ms and more. Where requests arrive ten times as
fast as they can be answered, that is the time in which the others should be answered. So what a queue
has refused is remembered for a moment: a request with the same target, time limit and key, and a body
that is no shorter, gets the same answer as soon as its head is parsed, without being read.

A whole request whose head has the same bytes is not even parsed.

Some requests, the probes, still reach the application; see `service.asgi.refusal`.
Used on the event loop only.
"""

import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from starlette.types import Scope

from service.asgi.delayed_refusals import DelayedRefusals
from service.asgi.refusal import Refusal
from service.asgi.request_head import Header, length_of_head
from service.asgi.responses import status_of
from service.errors import QueueRefusal
from service.metrics import Metrics

MAX_REFUSALS = 64  # remembered at the same time
KEY_HEADERS = (b"authorization", b"x-api-key", b"x-timeout-ms")  # what an answer depends on
UNSUPPORTED_HEADERS = (b"transfer-encoding", b"expect")
REQUEST_ID = b"x-request-id"

Key = tuple[bytes | None, ...]


class EarlyRefusals:
    """The refusals of the last moments, by what their requests have in common."""

    def __init__(self, metrics: Metrics, *, answers_other_origins: bool) -> None:
        """answers_other_origins: then the answer to a request with an Origin is another one."""
        self.delayed = DelayedRefusals()
        self._metrics = metrics
        self._unsupported = UNSUPPORTED_HEADERS + ((b"origin",) if answers_other_origins else ())
        self._refusals: dict[Key, Refusal] = {}
        self._heads: dict[bytes, _KnownHead] = {}
        self._last: _KnownHead | None = None  # just refused, without an id of its own
        self._probed: Refusal | None = None  # of the request that `match_bytes` has just let pass

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to compare a head with."""
        return not self._refusals

    def record(self, scope: Scope, error: QueueRefusal) -> None:
        """Remember what the queue of `scope` has refused."""
        headers, route = dict(scope["headers"]), getattr(scope.get("route"), "path", "unmatched")
        if "raw_path" not in scope or scope["method"] == "HEAD":
            return  # another server's, or answered without a body
        if any(name in headers for name in self._unsupported):
            return
        query = scope["query_string"]
        target = scope["raw_path"] + b"?" + query if query else scope["raw_path"]
        key = _key(scope["method"].encode(), target, headers)
        known = self._refusals.get(key)
        if known and known.queue is scope["queue"]:
            known.renew(error, _length(headers))
            return
        if len(self._refusals) >= MAX_REFUSALS:
            self._remove_expired()
        counters = (
            self._metrics.requests.labels(scope["method"], route, status_of(error)),
            self._metrics.request_seconds.labels(route),
            self._metrics.errors.labels(error.code),
        )
        self._refusals[key] = Refusal(scope["queue"], counters, error, _length(headers))

    def match(self, method: bytes, target: bytes, headers: Iterable[Header]) -> Refusal | None:
        """The refusal of a request with this head; None: the application answers it."""
        now, self._probed = time.monotonic(), None
        fields = dict(headers)
        key = _key(method, target, fields)
        refusal = self._refusals.get(key)
        if refusal is None:
            return None
        if refusal.is_expired(now):
            del self._refusals[key]
            return None
        length = _length(fields)
        if any(name in fields for name in self._unsupported) or refusal.take_probe(now, length):
            return None
        self._last = None if REQUEST_ID in fields else _KnownHead(refusal, length)
        return refusal

    def remember(self, data: bytes) -> None:
        """These bytes were the request that `match` has just refused, and perhaps more."""
        end = length_of_head(data)
        if self._last and end and len(data) == end + self._last.length:
            if len(self._heads) >= MAX_REFUSALS:
                self._heads.clear()
            self._heads[data[:end]] = self._last

    def match_bytes(self, data: bytes) -> Refusal | None:
        """The refusal of these bytes if they are a whole request with a remembered head; None: parse it."""
        end = length_of_head(data)
        self._probed = None
        known = self._heads.get(data[:end])
        if known is None or len(data) != end + known.length:
            return None
        refusal, now = known.refusal, time.monotonic()
        if refusal.is_expired(now):
            del self._heads[data[:end]]
            return None
        if refusal.has_probe(now):
            self._probed = refusal
            return None
        return refusal

    def count_probe(self) -> None:
        """The request that `match_bytes` let pass was answered without being parsed."""
        if self._probed:
            self._probed.count_probe()
            self._probed = None

    def _remove_expired(self) -> None:
        now = time.monotonic()
        valid = {key: one for key, one in self._refusals.items() if one.valid_until >= now}
        self._refusals = valid if len(valid) < MAX_REFUSALS else {}


class _KnownHead(NamedTuple):
    """The refusal of the requests with a head, and the length of their body in bytes."""

    refusal: Refusal
    length: int


def _key(method: bytes, target: bytes, headers: Mapping[bytes, bytes]) -> Key:
    return (method, target, *(headers.get(name) for name in KEY_HEADERS))


def _length(headers: Mapping[bytes, bytes]) -> int:
    return int(headers.get(b"content-length", 0))
