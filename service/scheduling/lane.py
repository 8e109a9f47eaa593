"""Where runs happen, one at a time: on a thread of its own, or on the event loop itself.

It counts the seconds of work that wait for it, so that a newcomer knows what is ahead.
"""

import os
import sys
import threading
import time
from concurrent.futures import Executor, ThreadPoolExecutor

LOW_PRIORITY = 10  # how much nicer a thread of heavy runs is than the rest of the process


class Lane:
    """Used on the event loop only.

    executor: its thread; None: the event loop.
    queued_seconds: of the work that waits, as estimated.
    busy_until: when the run that is under way is expected to be over (monotonic).
    """

    def __init__(self, executor: Executor | None = None) -> None:
        self.executor = executor
        self.queued_seconds = 0.0
        self.busy_until = 0.0

    def seconds_ahead(self) -> float:
        """How long everything that waits or runs will take."""
        return max(0.0, self.queued_seconds) + max(0.0, self.busy_until - time.monotonic())


def thread_lane(name: str, *, is_heavy: bool) -> Lane:
    """A lane on a thread; a heavy one gives way to whatever else wants the processor."""
    initializer = lower_priority if is_heavy else None
    return Lane(ThreadPoolExecutor(1, name, initializer))


def lower_priority() -> None:
    """Make the calling thread nicer, where threads have a niceness of their own (Linux)."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        nice = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, min(19, nice + LOW_PRIORITY))
