"""A queue of requests with many runs each (text, projections), which alternate; estimates their completion.

Used on the event loop only.
"""

import asyncio
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, partial
from typing import NamedTuple

from service.errors import Overloaded
from service.scheduling.admission import MARGIN, refusal
from service.scheduling.urgency import choose_rows, efficient_width

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


@dataclass
class _Estimate:
    job: Job
    left: int
    alone: float  # seconds, with nobody else
    seconds: float = 0.0  # beside the others


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
        self._waiting: list[asyncio.Future[None]] = []  # for somebody to leave

    def seconds_ahead(self) -> float:
        """Seconds until all jobs are done."""
        return max((one.seconds for one in self._estimates(self._jobs)), default=0.0)

    def check(self, job: Job) -> None:
        """Overloaded if the job would be late, or would make an accepted one late."""
        now = self._clock()
        estimates = self._estimates([*self._jobs, job])
        own = next(one for one in estimates if one.job is job)
        allowed, ahead = job.deadline - now, own.seconds - own.alone
        if MARGIN * own.alone > allowed:
            raise Overloaded(
                f"{own.left} steps of {job.rows} take about {own.alone:.1f} s here, the deadline "
                f"allows {allowed:.1f} s: ask for fewer steps, or for more time with X-Timeout-Ms",
                max(1, math.ceil(ahead)),
            )
        if MARGIN * own.seconds > allowed:
            why = f"with the running ones this takes about {own.seconds:.1f} s"
            raise refusal(f"{why}, the deadline allows {allowed:.1f} s", ahead)
        late = [one.job for one in estimates if one is not own and now + one.seconds > one.job.due]
        if late and self._is_any_in_time(late):
            raise refusal("one more would make an accepted request late", ahead)

    def _is_any_in_time(self, jobs: list[Job]) -> bool:
        """Whether one of these would meet its deadline without the new one."""
        before, now = {one.job: one.seconds for one in self._estimates(self._jobs)}, self._clock()
        return any(now + before[job] <= job.deadline for job in jobs)

    def join(self, job: Job) -> None:
        """Add a job, if `check` allows it."""
        self.check(job)
        now = self._clock()
        job.due = now + (job.deadline - now) / MARGIN
        self._jobs.append(job)

    def leave(self, job: Job) -> None:
        """Remove a job that is done, failed or cancelled."""
        self._jobs.remove(job)
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
        estimates = self._estimates(self._jobs)
        rows = [_Work(one.job, one.alone, one.job.deadline) for one in estimates]
        return [row.job for row in choose_rows(rows, len(rows), float, self._clock())]

    def _estimates(self, jobs: Iterable[Job]) -> list[_Estimate]:
        """The completion time of each job if all get the same share; the shortest first.

        Until a job of n steps is done, every other job has run n steps, or all of its own.
        """
        known: dict[tuple[Cost, int], float] = {}

        def cost(job: Job, rows: int) -> float:
            key = (job.cost, rows)
            if key not in known:
                known[key] = job.cost(rows)
            return known[key]

        lefts = [(job, job.steps_left()) for job in jobs]
        ordered = [_Estimate(job, left, left * cost(job, job.rows)) for job, left in lefts]
        ordered.sort(key=lambda one: one.left)
        together = min(self._width, sum(one.job.rows for one in ordered))
        row_seconds = cache(partial(_row_seconds, together))
        shares = [self._share(one.job, row_seconds) for one in ordered]
        ended, rate = 0.0, sum(shares)
        for one, share in zip(ordered, shares, strict=True):
            one.seconds = max(one.alone, ended + one.left * rate)
            ended += one.left * share
            rate -= share
        return ordered

    def _share(self, job: Job, row_seconds: Callable[[Cost], float]) -> float:
        """Seconds that a job adds to a step of all jobs."""
        runs_alone = self._width == 1
        seconds = job.cost(job.rows) if runs_alone else job.rows * row_seconds(job.cost)
        return seconds / self._parallel_runs


def _row_seconds(together: int, cost: Cost) -> float:
    """Seconds that each row costs, of a step that runs `together` rows."""
    width = efficient_width(together, cost)
    return cost(width) / width
