"""A lane executes runs: on one or several threads, or on the event loop itself.

It counts the queued seconds of work, for estimates of new requests.
"""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from service.scheduling.run_cost import Slowdown
from service.scheduling.turns import at_once

Result = TypeVar("Result")
Turn = Callable[[], AbstractAsyncContextManager[Callable[[], bool]]]
RUNS_PER_REPLICA = 2  # one that runs, one that is already there when it ends
NOTHING = 1e-6  # seconds of queued work, which are sums of rounded numbers
LOW_PRIORITY = 10  # how much nicer a thread of heavy runs is than the rest of the process


class Lane:
    """Used on the event loop only.

    executor: the lane's threads; None: the event loop.
    parallel_runs: how many runs may be under way at the same time.
    eager_runs: how many of them start with whatever waits; the others, which would wait behind these,
        start with a full batch only.
    is_pipelined: whether runs start at once with a part of the queue, so that requests are decoded and answered
        while others run; for networks that a batch makes no cheaper.
    queued_seconds: of the work that waits, as estimated.
    expected_ends: when each run that is under way is expected to be over (monotonic).
    turn: acquired before a run and held during it.
    """

    def __init__(
        self,
        executor: Executor | None = None,
        parallel_runs: int = 1,
        turn: Turn = at_once,
        eager_runs: int | None = None,
        *,
        is_pipelined: bool = False,
    ) -> None:
        self.executor = executor
        self.turn = turn
        self.parallel_runs = parallel_runs
        self.eager_runs = eager_runs or parallel_runs
        self.is_pipelined = is_pipelined
        self.queued_seconds = 0.0
        self.expected_ends: list[float] = []
        self.slowdown = Slowdown()
        self._waiting_since: float | None = None  # the end of the last run, if others waited

    def seconds_ahead(self) -> float:
        """Estimated duration of all queued and running work."""
        waiting = max(0.0, self.queued_seconds)
        if waiting:
            waiting *= self.slowdown.factor
        if not self.expected_ends:
            return waiting / self.parallel_runs
        now = time.monotonic()
        running = sum(max(0.0, end - now) for end in self.expected_ends)
        return (waiting + running) / self.parallel_runs

    async def run(
        self, expected_seconds: float, function: Callable[..., Result], *arguments: Any
    ) -> Result:
        """Call a function on a thread of the lane; the call counts as running until it ends."""
        started = time.monotonic()
        expected_end = started + expected_seconds
        self.expected_ends.append(expected_end)
        try:
            result = await asyncio.get_running_loop().run_in_executor(
                self.executor, function, *arguments
            )
        finally:
            self.expected_ends.remove(expected_end)
        self.note_run(started, time.monotonic() - started)
        return result

    def note_run(self, started: float, seconds: float) -> None:
        """Compare a run's seconds with the time since the one before, if requests have waited since then."""
        now = time.monotonic()
        began = started if self._waiting_since is None else self._waiting_since
        if seconds:
            self.slowdown.record(max(1.0, (now - began) / seconds))
        self._waiting_since = now if self.queued_seconds > NOTHING else None


def thread_lane(
    name: str,
    *,
    is_heavy: bool,
    parallel_runs: int = 1,
    eager_runs: int | None = None,
    turn: Turn = at_once,
) -> Lane:
    """A lane on threads; a heavy one has low priority, and is pipelined if it has several."""
    initializer = lower_priority if is_heavy else None
    threads = ThreadPoolExecutor(parallel_runs, name, initializer)
    is_pipelined = is_heavy and parallel_runs > 1
    return Lane(threads, parallel_runs, turn, eager_runs, is_pipelined=is_pipelined)


def lower_priority() -> None:
    """Increase the niceness of the calling thread, if threads have one (Linux)."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        nice = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, min(19, nice + LOW_PRIORITY))
