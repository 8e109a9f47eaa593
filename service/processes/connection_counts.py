"""The number of connections of each worker, in shared memory.

The memory is created before the first fork. Each worker gets a slot; without a free slot, or without other
workers, there is nothing to compare with.
"""

import contextlib
import multiprocessing
import os

SLACK = 8  # a worker may have an eighth plus one more connections than another
LOCK_SECONDS = 1.0  # a worker that is killed while it joins would hold the lock for ever


class ConnectionCounts:
    """A table of process ids and counts, a row for each worker and for its replacement."""

    def __init__(self, workers: int) -> None:
        self._places = 2 * workers
        context = multiprocessing.get_context("fork")
        self._lock = context.Lock()
        self._pids = context.RawArray("q", self._places)
        self._counts = context.RawArray("q", self._places)

    def join(self) -> "OwnCount":
        """Reserve a slot for the calling process."""
        is_locked = self._lock.acquire(timeout=LOCK_SECONDS)
        try:
            free = [place for place in range(self._places) if not _is_alive(self._pids[place])]
            place = free[0] if free else None
            if place is not None:
                self._counts[place], self._pids[place] = 0, os.getpid()
            return OwnCount(self, place)
        finally:
            if is_locked:
                self._lock.release()

    def note(self, place: int, count: int) -> None:
        """Set the number of connections of the worker in a slot."""
        self._counts[place] = count

    def leave(self, place: int) -> None:
        """Free the slot of a worker that no longer accepts connections."""
        self._pids[place] = 0

    def fewest_of_others(self, place: int) -> int | None:
        """The smallest number of connections of the other workers; None without others."""
        own = self._pids[place]
        return min(
            (
                self._counts[other]
                for other in range(self._places)
                if self._pids[other] not in (0, own) and _is_alive(self._pids[other])
            ),
            default=None,
        )


class OwnCount:
    """The count of one worker. Used on the event loop only."""

    def __init__(self, counts: ConnectionCounts | None = None, place: int | None = None) -> None:
        """No place: it has nobody to compare with."""
        self._counts = counts
        self._place = place
        self._count = 0

    def add(self, change: int) -> None:
        """Add to the number of connections (may be negative)."""
        self._count += change
        if self._counts and self._place is not None:
            self._counts.note(self._place, self._count)

    def is_above_another(self, waiting: int) -> bool:
        """Whether another worker has clearly fewer connections, and would have with all that wait to be accepted."""
        if self._counts is None or self._place is None:
            return False
        fewest = self._counts.fewest_of_others(self._place)
        return fewest is not None and self._count > fewest + max(waiting, 1 + fewest // SLACK)

    def leave(self) -> None:
        """Free the slot: this worker accepts no more connections."""
        if self._counts and self._place is not None:
            self._counts.leave(self._place)
            self._place = None


def _is_alive(pid: int) -> bool:
    if not pid:
        return False
    with contextlib.suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True
