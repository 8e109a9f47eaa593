"""Duration of a run of a signature by rows and steps: measured in the warm-up, updated by every run."""

import math
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

SMOOTHING = 0.2  # least weight of the newest run in the running mean of the slowdown
MOST_GROWTH = 8.0  # of the slowdown by one run: a process that stood still once is not slow
RETRIED_AFTER = 100  # runs of other sizes: an old figure may be of a bad moment
RELAXATION_SECONDS = 3.0  # in which a slowdown that is not measured any more fades: idle, a service refuses nothing for long


class Slowdown:
    """A running mean of how much longer something takes than it should; fades to 1 while nothing is recorded."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._factor = 1.0
        self._recorded_at = -math.inf

    def record(self, factor: float) -> None:
        """One more observation; the longer ago the last one was, the more it counts."""
        now, before = self._clock(), self.factor
        factor = min(factor, MOST_GROWTH * before)
        weight = max(SMOOTHING, 1 - math.exp((self._recorded_at - now) / RELAXATION_SECONDS))
        self._factor = before + weight * (factor - before)
        self._recorded_at = now

    @property
    def factor(self) -> float:
        """The current one."""
        age = self._clock() - self._recorded_at
        return 1.0 + (self._factor - 1.0) * math.exp(-age / RELAXATION_SECONDS)


class RunCost:
    """Seconds per step for each number of rows, times the current slowdown of the machine.

    The figures of the warm-up are a baseline that only falls; what load, other models and other
    processes add is one factor, which fades while nothing runs. Used on the event loop, except
    `learn`, which the loading thread calls before anybody else knows the object.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._slowdown = Slowdown(clock)
        self._seconds: dict[int, float] = {}  # number of rows → seconds per step
        self._interpolated: dict[int, float] = {}  # of other numbers of rows, from these
        self._sizes: Sequence[int] = ()
        self._runs = 0
        self._last_runs: dict[int, int] = {}  # number of rows → the run that it was in

    def pad_to(self, sizes: Sequence[int]) -> None:
        """Count runs as of the next of these numbers of rows, in ascending order, since they are padded to it."""
        self._sizes = sizes

    @property
    def is_known(self) -> bool:
        """Whether anything was measured."""
        return bool(self._seconds)

    def learn(self, rows: int, seconds: float, steps: int = 1) -> None:
        """Record a run of the warm-up as the baseline for its number of rows."""
        rows, each = self._padded(rows), seconds / steps
        if each < self._seconds.get(rows, math.inf):
            self._seconds[rows] = each
            self._interpolated = {}

    def record(self, rows: int, seconds: float, steps: int = 1) -> None:
        """Update the slowdown with a run, and count it."""
        self.count(rows)
        if not self._seconds or self._padded(rows) in self._seconds:
            self.learn(rows, seconds, steps)
        if expected := self._baseline(rows) * steps:
            self._slowdown.record(seconds / expected)

    def count(self, rows: int) -> None:
        """Count a run, which may be too short to be measured, as a try of its size."""
        self._runs += 1
        self._last_runs[self._padded(rows)] = self._runs

    def seconds(self, rows: int, steps: int = 1) -> float:
        """Estimated duration of a run in seconds; 0 before anything was measured."""
        return self._baseline(rows) * steps * self._slowdown.factor

    def seconds_in_batches(self, rows: int, size: int) -> float:
        """Estimated duration of rows that run in batches of at most `size`."""
        whole, rest = divmod(rows, size)
        return whole * self.seconds(size) + (self.seconds(rest) if rest else 0.0)

    def size_to_retry(self, most: int) -> int:
        """The largest number of at most `most` rows that needs no padding, if it has not run for long; else 0."""
        place = bisect_right(self._sizes, most)
        size = self._sizes[place - 1] if place else 0
        return size if self._runs - self._last_runs.get(size, 0) > RETRIED_AFTER else 0

    def _padded(self, rows: int) -> int:
        place = bisect_left(self._sizes, rows)
        return self._sizes[place] if place < len(self._sizes) else rows

    def _baseline(self, rows: int) -> float:
        rows = self._padded(rows)
        seconds = self._seconds.get(rows) or self._interpolated.get(rows)
        if seconds is None:
            seconds = self._interpolated[rows] = self._interpolate(rows)
        return seconds

    def _interpolate(self, rows: int) -> float:
        """Interpolate between the measured numbers of rows; extrapolate linearly beyond the largest."""
        known = self._seconds
        if rows in known or not known:
            return known.get(rows, 0.0)
        below = max((n for n in known if n < rows), default=None)
        above = min((n for n in known if n > rows), default=None)
        if below is None:
            return known[min(known)]
        if above is None:
            return known[below] * rows / below
        share = (rows - below) / (above - below)
        return known[below] + share * (known[above] - known[below])
