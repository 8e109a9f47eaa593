"""Counts the bytes that the process holds for its clients: bodies, decoded images, unread answers.

Used on the event loop only.
"""

import os
from pathlib import Path

from service.errors import Overloaded

MOST_BY_DEFAULT = 2**30
SHARE = 4  # the default is a quarter of the memory that the process may use
CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
RETRY_SECONDS = 1


class BytesInFlight:
    """A count with a limit, shared by all requests and connections of a process."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0

    def has_room(self, count: int) -> bool:
        """Whether that many more bytes can be taken."""
        return self.held + count <= self.limit

    def hold(self) -> "Held":
        """A new count for one request or connection."""
        return Held(self)


class Held:
    """The bytes held by one request or connection."""

    def __init__(self, total: BytesInFlight) -> None:
        self._total = total
        self._bytes = 0

    def take(self, count: int) -> None:
        """Reserve that many more bytes; Overloaded where too many are in flight."""
        if not self._total.has_room(count):
            raise Overloaded(
                f"too busy: requests and answers in flight must have at most {self._total.limit:,} bytes "
                f"together; try again in {RETRY_SECONDS} s",
                RETRY_SECONDS,
            )
        self.note(count)

    def note(self, count: int) -> None:
        """Count bytes that already exist and cannot be refused."""
        self._bytes += count
        self._total.held += count

    def release(self) -> None:
        """Release all bytes."""
        self._total.held -= self._bytes
        self._bytes = 0


def default_limit() -> int:
    """A quarter of the memory that the process may use, at most 1 GiB."""
    return min(MOST_BY_DEFAULT, _usable_memory() // SHARE)


def _usable_memory() -> int:
    """The machine's memory in bytes, or the container's limit if that is lower."""
    limits = [int(text) for path in CGROUP_LIMITS if (text := _read(path)).isdigit()]
    if hasattr(os, "sysconf"):  # not on Windows
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return min(limits, default=SHARE * MOST_BY_DEFAULT)


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
