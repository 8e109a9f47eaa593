"""Admission control: a bounded queue, deadlines, and Retry-After from the queued work.

Used on the event loop only.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from service.errors import DeadlineExceeded, QueueRefusal

MARGIN = 1.25  # an estimate is taken so much longer, so that what is accepted is answered


class Admission:
    """Counts the admitted, unanswered requests of one model."""

    def __init__(self, max_waiting: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.waiting = 0
        self._preparing = 0  # received requests that will wait once they are decoded
        self.departures = 0  # requests that have left, ever
        self._max_waiting = max_waiting
        self._clock = clock

    @property
    def is_full(self) -> bool:
        """Whether the queue has no free place."""
        return self.waiting + self._preparing >= self._max_waiting

    @contextmanager
    def preparing(self) -> Iterator[None]:
        """Count a whole request that waits to be decoded, so that no more are decoded than can be admitted."""
        self.begin_preparing()
        try:
            yield
        finally:
            self.end_preparing()

    def begin_preparing(self) -> None:
        """The same, until `end_preparing`."""
        self._preparing += 1

    def end_preparing(self) -> None:
        """It is decoded, or will not be."""
        self._preparing -= 1

    def check(self, deadline: float, ahead: float, least: float = 0.0) -> None:
        """Refuse a request that could not be admitted now; it does not take a place yet.

        ahead: seconds until the queued work is done.
        least: minimum wait of any request, in seconds, to refuse requests before they are read.
        """
        allowed = deadline - self._clock()
        if allowed < 0:
            raise DeadlineExceeded(
                "the deadline passed before the request was queued: X-Timeout-Ms allows more"
            )
        if self.is_full:
            places = self.waiting + self._preparing
            raise refusal(f"the queue is full with {places} requests", ahead)
        if MARGIN * least > allowed:
            expected = f"the answer may take {1000 * MARGIN * least:.0f} ms"
            raise refusal(f"{expected}, the deadline allows {1000 * allowed:.0f} ms", ahead)

    def enter(self, deadline: float, ahead: float, own: float) -> None:
        """Admit a decoded request, or refuse it if the queue is full or it would be late.

        own: duration of the request itself, in seconds.
        """
        self.check(deadline, ahead, ahead + own)
        self.waiting += 1

    def leave(self) -> None:
        """Release the place of a request that is answered, failed or cancelled."""
        self.waiting -= 1
        self.departures += 1


def refusal(why: str, ahead: float) -> QueueRefusal:
    """A refusal with the time until the queued work is done."""
    seconds = max(1, math.ceil(ahead))
    return QueueRefusal(f"too busy: {why}; try again in {seconds} s", seconds)
