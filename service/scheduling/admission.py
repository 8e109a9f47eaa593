"""Who may wait: a bounded queue, deadlines, and the drain rate that Retry-After is computed from.

Knows no model and no arrays. Used on the event loop only.
"""

import math
import time
from collections.abc import Callable

from service.errors import DeadlineExceeded, Overloaded

SMOOTHING = 0.2  # weight of the newest batch in the running mean of the seconds a request takes


class Admission:
    """Counts the requests of one model that wait, and knows how fast they leave."""

    def __init__(self, max_waiting: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.waiting = 0
        self._max_waiting = max_waiting
        self._clock = clock
        self._seconds_each = 0.0

    def enter(self, deadline: float, expected: float | None = None) -> None:
        """Count one more waiting request, or refuse it: the queue is full, or it is or would be too late.

        expected: seconds that what is before it takes; absent: as many as those that wait usually take.
        """
        if expected is None:
            expected = self.waiting * self._seconds_each
        if self._clock() > deadline:
            raise DeadlineExceeded("The deadline was over before the request could wait.")
        if self.waiting >= self._max_waiting:
            self._refuse(f"{self.waiting} requests wait already, the most allowed", expected)
        if self._clock() + expected > deadline:
            self._refuse(
                f"the queue takes about {expected * 1000:.0f} ms, longer than the deadline",
                expected,
            )
        self.waiting += 1

    def leave(self) -> None:
        """One request no longer waits: it runs, failed, or was given up."""
        self.waiting -= 1

    def drained(self, requests: int, seconds: float) -> None:
        """Note that a batch of `requests` took `seconds`."""
        each = seconds / requests
        weight = SMOOTHING if self._seconds_each else 1.0
        self._seconds_each += weight * (each - self._seconds_each)

    def _refuse(self, why: str, expected: float) -> None:
        seconds = max(1, math.ceil(expected))
        raise Overloaded(f"Too busy: {why}. Try again in {seconds} s.", seconds)
