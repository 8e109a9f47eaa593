"""A queue of requests with many runs each (text, projections), which alternate; estimates their completion.

Used on the event loop only.
"""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import NamedTuple

import numpy as np

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


class _Estimates(NamedTuple):
    """When jobs will be done; each array has a value for each job, in their order."""

    left: np.ndarray  # steps
    alone: np.ndarray  # seconds, with nobody else
    seconds: np.ndarray  # beside the others


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
        self._all_done_at: float | None = None  # None: not estimated since one joined or left

    def seconds_ahead(self) -> float:
        """Seconds until all jobs are done; estimated anew once one joins or leaves."""
        if self._all_done_at is None:
            seconds = self._estimates(self._jobs).seconds
            self._all_done_at = self._clock() + float(seconds.max(initial=0.0))
        return max(0.0, self._all_done_at - self._clock())

    def check(self, job: Job) -> None:
        """Overloaded if the job would be late, or would make an accepted one late."""
        now = self._clock()
        found = self._estimates([*self._jobs, job])
        alone, seconds = float(found.alone[-1]), float(found.seconds[-1])
        allowed, ahead = job.deadline - now, seconds - alone
        if MARGIN * alone > allowed:
            raise Overloaded(
                f"{found.left[-1]:.0f} steps of {job.rows} take about {alone:.1f} s here, the deadline "
                f"allows {allowed:.1f} s: ask for fewer steps, or for more time with X-Timeout-Ms",
                max(1, math.ceil(ahead)),
            )
        if MARGIN * seconds > allowed:
            why = f"with the running ones this takes about {seconds:.1f} s"
            raise refusal(f"{why}, the deadline allows {allowed:.1f} s", ahead)
        ends = zip(self._jobs, (now + found.seconds).tolist(), strict=False)
        late = {job for job, end in ends if end > job.due}
        if late and self._is_any_in_time(late):
            raise refusal("one more would make an accepted request late", ahead)

    def _is_any_in_time(self, jobs: set[Job]) -> bool:
        """Whether one of these would meet its deadline without the new one."""
        ends = (self._clock() + self._estimates(self._jobs).seconds).tolist()
        every = zip(self._jobs, ends, strict=True)
        return any(job in jobs and end <= job.deadline for job, end in every)

    def join(self, job: Job) -> None:
        """Add a job, if `check` allows it."""
        self.check(job)
        now = self._clock()
        job.due = now + (job.deadline - now) / MARGIN
        self._jobs.append(job)
        self._all_done_at = None

    def leave(self, job: Job) -> None:
        """Remove a job that is done, failed or cancelled."""
        self._jobs.remove(job)
        self._all_done_at = None
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
        alone = self._estimates(self._jobs).alone.tolist()
        rows = [_Work(job, left, job.deadline) for job, left in zip(self._jobs, alone, strict=True)]
        return [row.job for row in choose_rows(rows, len(rows), float, self._clock())]

    def _estimates(self, jobs: list[Job]) -> _Estimates:
        """The completion time of each job if all get the same share.

        Until a job of n steps is done, every other job has run n steps, or all of its own.
        """
        row_seconds = cache(partial(_row_seconds, min(self._width, sum(job.rows for job in jobs))))
        kinds = [(job.cost, job.rows) for job in jobs]
        known = {
            (cost, rows): (cost(rows), self._share(cost, rows, row_seconds))
            for cost, rows in set(kinds)
        }
        each = np.array([known[kind] for kind in kinds]).reshape(-1, 2)
        left = np.array([job.steps_left() for job in jobs], np.float64)
        alone, share = left * each[:, 0], each[:, 1]

        order = left.argsort(kind="stable")  # the first to be done first
        left_in_order, share_in_order = left[order], share[order]
        own = left_in_order * share_in_order
        before = own.cumsum() - own
        rate = share_in_order[::-1].cumsum()[::-1]  # of those that are not done yet
        seconds = np.empty_like(left)
        seconds[order] = before + left_in_order * rate
        return _Estimates(left, alone, np.maximum(alone, seconds))

    def _share(self, cost: Cost, rows: int, row_seconds: Callable[[Cost], float]) -> float:
        """Seconds that a job adds to a step of all jobs."""
        seconds = cost(rows) if self._width == 1 else rows * row_seconds(cost)
        return seconds / self._parallel_runs


def _row_seconds(together: int, cost: Cost) -> float:
    """Seconds that each row costs, of a step that runs `together` rows."""
    width = efficient_width(together, cost)
    return cost(width) / width
