"""A token bucket for each API key: a rate per second, with bursts of one second's requests."""

import math
import time

from service.errors import Overloaded


class RateLimit:
    """per_second: allowed requests of each key; 0: no limit."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._capacity = max(1.0, per_second)
        self._buckets: dict[bytes, tuple[float, float]] = {}

    def take(self, digest: bytes) -> None:
        """Count one request of a known key; Overloaded above the limit."""
        if not self._per_second:
            return
        now = time.monotonic()
        tokens, since = self._buckets.get(digest, (self._capacity, now))
        tokens = min(self._capacity, tokens + (now - since) * self._per_second)
        if tokens < 1:
            wait = (1 - tokens) / self._per_second
            raise Overloaded(
                f"requests with this key must be at most {self._per_second:g} a second, got more: "
                f"try again in {wait:.1f} s",
                max(1, math.ceil(wait)),
            )
        self._buckets[digest] = (tokens - 1, now)
