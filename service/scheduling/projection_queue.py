"""Requests of many runs each, which take turns: whether one more would be done in time, and the others still.

Knows no model, no arrays and no queue of single runs (that is `admission`). Used on the event loop only.
"""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from service.errors import Overloaded

SMOOTHING = 0.2  # weight of the newest run in the running means
# A figure that old says nothing. It would also keep refusing what alone could bring a newer one.
FORGET_SECONDS = 10.0
TOGETHER = 0.6  # of what a row costs alone: 16 pictures of the GAN took 9.6 times as long as one


@dataclass(eq=False)
class Job:
    """One request: rows of each of its runs, steps it still has to take, its deadline (monotonic)."""

    rows: int
    left: int
    deadline: float


class Backlog:
    """The long requests of one model, and how fast their steps go."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._jobs: list[Job] = []
        self._seconds: dict[int, float] = {}  # of a step with so many rows: running means
        self._noted_at = -math.inf

    def join(self, job: Job) -> None:
        """Take a job in; Overloaded if it would be late, or would make another one late."""
        seconds = {one: self._seconds_left(one) for one in (*self._jobs, job)}
        own, now = seconds[job], self._clock()
        ahead = _shared(own, (seconds[one] for one in self._jobs))
        allowed = job.deadline - now
        if own > allowed:
            raise Overloaded(
                f"{job.left} steps of {job.rows} take about {own:.1f} s here, the deadline allows "
                f"{allowed:.1f} s: ask for fewer, or for more time with X-Timeout-Ms.",
                max(1, math.ceil(ahead)),
            )
        if own + ahead > allowed:
            why = f"beside others of its kind this takes about {own + ahead:.1f} s"
            raise _refusal(f"{why}, the deadline allows {allowed:.1f} s", ahead)
        for other in self._jobs:
            others = (seconds[one] for one in self._jobs if one is not other)
            alone = seconds[other] + _shared(seconds[other], others)
            if alone <= other.deadline - now < alone + min(own, seconds[other]):
                raise _refusal("one more would make an accepted request late", ahead)
        self._jobs.append(job)

    def leave(self, job: Job) -> None:
        """A job is done, failed, or was given up."""
        self._jobs.remove(job)

    def note(self, job: Job, steps: int, seconds: float) -> None:
        """One of its runs made so many steps in so many seconds."""
        job.left -= steps
        if not steps:
            return  # it only looked
        self._forget()
        each = seconds / steps
        known = self._seconds.setdefault(job.rows, each)
        self._seconds[job.rows] = known + SMOOTHING * (each - known)
        self._noted_at = self._clock()

    def _seconds_left(self, job: Job) -> float:
        """How long a job's steps take by themselves; 0 as long as nobody knows."""
        self._forget()
        if not self._seconds:
            return 0.0
        if job.rows in self._seconds:
            return job.left * self._seconds[job.rows]
        a_row = min(seconds / rows for rows, seconds in self._seconds.items())
        share = TOGETHER if job.rows > max(self._seconds) else 1.0
        return job.left * job.rows * a_row * share

    def _forget(self) -> None:
        if self._clock() - self._noted_at > FORGET_SECONDS:
            self._seconds.clear()


def _shared(own: float, others: Iterable[float]) -> float:
    """How long others keep a job of `own` seconds waiting, if all get the same share."""
    return sum(min(own, other) for other in others)


def _refusal(why: str, ahead: float) -> Overloaded:
    seconds = max(1, math.ceil(ahead))
    return Overloaded(f"Too busy: {why}. Try again in {seconds} s.", seconds)
