"""A queue of requests with many runs each (text, projections), which alternate; estimates their completion.

Used on the event loop only.
"""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from service.errors import Overloaded
from service.scheduling.admission import MARGIN, refusal
from service.scheduling.urgency import choose_rows, efficient_width

VALID_SECONDS = 0.05  # of an estimate: a slowdown fades also while all are refused
Cost = Callable[[int], float]  # rows → seconds of a step; 0 as long as nothing is known


@dataclass(eq=False)
class Job:
    """One request: rows that advance together, their remaining steps, its deadline (monotonic).

    due: when it should be done; the time from there to its deadline is a reserve that no other job may use.
    """

    rows: int
    steps_left: Callable[[], int]
    deadline: float
    cost: Cost
    due: float = math.inf


# The rows of estimates [6, jobs]: steps left; seconds that the job adds to a step of all; seconds until it is done
# with nobody else; beside the others; when it should be done; its deadline.
LEFT, SHARE, ALONE, BESIDE, DUE, DEADLINE = range(6)


class _Work(NamedTuple):
    """A job for `choose_rows`: of k alternating jobs each is k times slower."""

    job: Job
    left: float  # seconds, with nobody else
    deadline: float


class JobQueue:
    """The long requests of one model.

    width: maximum rows of different jobs per run; 1: each job's rows run alone.
    parallel_runs: maximum concurrent runs.
    """

    def __init__(
        self,
        width: int = 1,
        clock: Callable[[], float] = time.monotonic,
        parallel_runs: int = 1,
    ) -> None:
        self._width = width
        self._parallel_runs = parallel_runs
        self._clock = clock
        self._jobs: list[Job] = []
        self._rows = 0  # of all jobs
        self._waiting: list[asyncio.Future[None]] = []  # for somebody to leave
        # Until a job advances, or for VALID_SECONDS:
        self._estimated: dict[int, np.ndarray] = {}  # rows that run together → estimates
        self._costs: dict[tuple[Cost, int, int], tuple[float, float]] = {}
        self._valid_until = -math.inf

    def seconds_ahead(self) -> float:
        """Seconds until all jobs are done."""
        return float(_seconds(self._estimates(self._together())).max(initial=0.0))

    def advanced(self) -> None:
        """Forget the estimates: jobs have made steps."""
        self._estimated, self._costs = {}, {}
        self._valid_until = self._clock() + VALID_SECONDS

    def check(self, job: Job) -> None:
        """Overloaded if the job would be late, or would make an accepted one late."""
        found = self._estimates_with(job)
        now, seconds = self._clock(), _seconds(found)
        alone, expected = float(found[ALONE, -1]), float(seconds[-1])
        allowed, ahead = job.deadline - now, expected - alone
        if MARGIN * alone > allowed:
            raise Overloaded(
                f"{found[LEFT, -1]:.0f} steps of {job.rows} take about {alone:.1f} s here, the deadline "
                f"allows {allowed:.1f} s: ask for fewer steps, or for more time with X-Timeout-Ms",
                max(1, math.ceil(ahead)),
            )
        if MARGIN * expected > allowed:
            why = f"with the running ones this takes about {expected:.1f} s"
            raise refusal(f"{why}, the deadline allows {allowed:.1f} s", ahead)
        late = (now + seconds > found[DUE])[:-1]
        if late.any() and self._is_any_in_time(late):
            raise refusal("one more would make an accepted request late", ahead)

    def _is_any_in_time(self, chosen: np.ndarray) -> bool:
        """Whether one of the chosen jobs would meet its deadline without the new one."""
        found = self._estimates(self._together())
        return bool((chosen & (self._clock() + _seconds(found) <= found[DEADLINE])).any())

    def join(self, job: Job) -> None:
        """Add a job, if `check` allows it."""
        self.check(job)
        now = self._clock()
        job.due = now + (job.deadline - now) / MARGIN
        found = self._estimates_with(job)
        self._jobs.append(job)
        self._rows += job.rows
        self._estimated = {self._together(): found}

    def leave(self, job: Job) -> None:
        """Remove a job that is done, failed or cancelled."""
        place = self._jobs.index(job)
        del self._jobs[place]
        self._rows -= job.rows
        found = self._estimated.get(self._together())
        self._estimated = {} if found is None else {self._together(): _without(found, place)}
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.done():
                one.set_result(None)

    async def turn(self, job: Job) -> None:
        """Delay an accepted job while it would make one with an earlier deadline late."""
        while job not in self._chosen():
            left: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(left)
            await left

    def _chosen(self) -> list[Job]:
        """The jobs that may run: all, unless the time is too short for all."""
        alone = self._estimates(self._together())[ALONE].tolist()
        rows = [_Work(job, left, job.deadline) for job, left in zip(self._jobs, alone, strict=True)]
        return [row.job for row in choose_rows(rows, len(rows), float, self._clock())]

    def _together(self, more: int = 0) -> int:
        """The rows of the largest run after `more` rows have joined."""
        return min(self._width, self._rows + more)

    def _estimates(self, together: int) -> np.ndarray:
        """The estimates if all get the same share.

        Until a job of n steps is done, every other job has run n steps, or all of its own.
        """
        if self._clock() > self._valid_until:
            self.advanced()
        if together not in self._estimated:
            found = np.empty((6, len(self._jobs)))
            kinds = [(job.cost, job.rows) for job in self._jobs]
            known = {kind: self._cost_of(*kind, together) for kind in set(kinds)}
            step, share = np.array([known[kind] for kind in kinds]).reshape(-1, 2).T
            left = np.array([job.steps_left() for job in self._jobs], np.float64)
            found[LEFT], found[SHARE], found[ALONE] = left, share, left * step
            found[BESIDE] = np.minimum.outer(left, left) @ share
            found[DUE] = [job.due for job in self._jobs]
            found[DEADLINE] = [job.deadline for job in self._jobs]
            self._estimated[together] = found
        return self._estimated[together]

    def _estimates_with(self, job: Job) -> np.ndarray:
        """The estimates if one more joins, the last one."""
        together = self._together(job.rows)
        others, left = self._estimates(together), job.steps_left()
        step, share = self._cost_of(job.cost, job.rows, together)
        steps = np.minimum(others[LEFT], left)  # of each, until it or the new one is done
        beside = float(steps @ others[SHARE]) + left * share
        new = [[left], [share], [left * step], [beside], [job.due], [job.deadline]]
        found = np.concatenate([others, new], axis=1)
        found[BESIDE, :-1] += steps * share
        return found

    def _cost_of(self, cost: Cost, rows: int, together: int) -> tuple[float, float]:
        """Seconds of a job's step with nobody else, and those that it adds to a step of all jobs."""
        key = (cost, rows, together)
        if key not in self._costs:
            added = cost(rows) if self._width == 1 else rows * _row_seconds(together, cost)
            self._costs[key] = cost(rows), added / self._parallel_runs
        return self._costs[key]


def _seconds(found: np.ndarray) -> np.ndarray:
    """When each is done; nobody is faster than alone."""
    seconds: np.ndarray = np.maximum(found[ALONE], found[BESIDE])
    return seconds


def _without(found: np.ndarray, place: int) -> np.ndarray:
    """The estimates after one has left."""
    gone, rest = found[:, place], np.delete(found, place, axis=1)
    rest[BESIDE] -= np.minimum(rest[LEFT], gone[LEFT]) * gone[SHARE]
    return rest


def _row_seconds(together: int, cost: Cost) -> float:
    """Seconds that each row costs, of a step that runs `together` rows."""
    width = efficient_width(together, cost)
    return cost(width) / width
