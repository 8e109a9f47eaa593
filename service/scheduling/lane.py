"""A lane executes runs: on one or several threads, or on the event loop itself.

It counts the queued seconds of work, for estimates of new requests.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager

from service.scheduling.turns import at_once

Turn = Callable[[], AbstractAsyncContextManager[Callable[[], bool]]]
RUNS_PER_REPLICA = 2  # one that runs, one that is already there when it ends
LOW_PRIORITY = 10  # how much nicer a thread of heavy runs is than the rest of the process


class Lane:
    """Used on the event loop only.

    executor: the lane's threads; None: the event loop.
    parallel_runs: how many runs may be under way at the same time.
    eager_runs: how many of them start with whatever waits; the others, which would wait behind these,
        start with a full batch only.
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
    ) -> None:
        self.executor = executor
        self.turn = turn
        self.parallel_runs = parallel_runs
        self.eager_runs = eager_runs or parallel_runs
        self.queued_seconds = 0.0
        self.expected_ends: list[float] = []

    def seconds_ahead(self) -> float:
        """Estimated duration of all queued and running work."""
        if not self.expected_ends:
            return max(0.0, self.queued_seconds) / self.parallel_runs
        now = time.monotonic()
        running = sum(max(0.0, end - now) for end in self.expected_ends)
        return (max(0.0, self.queued_seconds) + running) / self.parallel_runs


def thread_lane(
    name: str,
    *,
    is_heavy: bool,
    parallel_runs: int = 1,
    eager_runs: int | None = None,
    turn: Turn = at_once,
) -> Lane:
    """A lane on threads; a heavy one has low priority."""
    initializer = lower_priority if is_heavy else None
    threads = ThreadPoolExecutor(parallel_runs, name, initializer)
    return Lane(threads, parallel_runs, turn, eager_runs)


def lower_priority() -> None:
    """Increase the niceness of the calling thread, if threads have one (Linux)."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        nice = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, min(19, nice + LOW_PRIORITY))
