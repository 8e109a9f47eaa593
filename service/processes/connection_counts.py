"""The number of connections of each worker, in shared memory.

The memory is created before the first fork. Each worker joins and gets a slot; without one, or without other
workers, there is nothing to compare with.
"""

import contextlib
import multiprocessing
import os

SLACK = 8  # a worker may have an eighth plus one more connections than another
LOCK_SECONDS = 1.0  # a worker that is killed while it joins would hold the lock for ever


class ConnectionCounts:
    """A table of process ids and counts, a row for each worker and for its replacement; and this process' own row."""

    def __init__(self, workers: int = 0) -> None:
        """No workers: this process has nobody to compare with, and does not join."""
        self._places = 2 * workers
        if workers:
            context = multiprocessing.get_context("fork")
            self._lock = context.Lock()
            self._pids = context.RawArray("q", self._places)
            self._counts = context.RawArray("q", self._places)
        self._place: int | None = None  # of this process
        self._count = 0

    def join(self) -> None:
        """Reserve a slot for this process."""
        is_locked = self._lock.acquire(timeout=LOCK_SECONDS)
        try:
            free = [place for place in range(self._places) if not _is_alive(self._pids[place])]
            self._place = free[0] if free else None
            if self._place is not None:
                self._counts[self._place], self._pids[self._place] = 0, os.getpid()
        finally:
            if is_locked:
                self._lock.release()

    def add(self, change: int) -> None:
        """Add to the number of this process' connections (may be negative)."""
        self._count += change
        if self._place is not None:
            self._counts[self._place] = self._count

    def is_above_another(self, waiting: int) -> bool:
        """Whether another worker has clearly fewer connections, and would have with all that wait to be accepted."""
        if self._place is None:
            return False
        fewest = self._fewest_of_others(self._pids[self._place])
        return fewest is not None and self._count > fewest + max(waiting, 1 + fewest // SLACK)

    def leave(self) -> None:
        """Free the slot: this process accepts no more connections."""
        if self._place is not None:
            self._pids[self._place] = 0
            self._place = None

    def _fewest_of_others(self, own: int) -> int | None:
        """The smallest number of connections of the other workers; None without others."""
        return min(
            (
                self._counts[other]
                for other in range(self._places)
                if self._pids[other] not in (0, own) and _is_alive(self._pids[other])
            ),
            default=None,
        )


def _is_alive(pid: int) -> bool:
    if not pid:
        return False
    with contextlib.suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True
