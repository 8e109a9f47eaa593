"""Progress and remaining time of a training: at most one line every ten seconds."""

import time
from collections.abc import Callable

EVERY_SECONDS = 10.0


class Progress:
    """Counts the steps of a training, from its start or resumption."""

    def __init__(self, done: int, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        """done, total: steps before this run, and at the end of the training."""
        self._first, self._total, self._clock = done, total, clock
        self._began = self._shown = clock()

    def show(self, done: int, words: str) -> None:
        """Print `words` and the remaining time, at most every ten seconds; done: steps so far."""
        now = self._clock()
        if now - self._shown < EVERY_SECONDS or done <= self._first:
            return
        self._shown = now
        left = (now - self._began) / (done - self._first) * max(0, self._total - done)
        print(f"  {words}, {in_words(left)} left", flush=True)


def in_words(seconds: float) -> str:
    """A duration in words."""
    if seconds < 90:
        return f"about {round(seconds)} s"
    if seconds < 5400:
        return f"about {round(seconds / 60)} min"
    return f"about {seconds / 3600:.1f} h"
