"""Returns memory to the system that native libraries have freed but the C library keeps."""

import contextlib
import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
LEAST_MAPPED = 5 * 2**17  # bytes; zlib-ng inflates a drawing into 512 kB, which stay mapped
MOST_KEPT = 2**24  # bytes; a hundred prepared drawings


def keep_little_free_memory() -> None:
    """Return freed memory to the system at once, except for a megabyte.

    By itself glibc raises its thresholds with the largest block that was freed: after 240 uploads at once,
    of which the service kept 0.5 GB, it had 1.5 GB, and 0.9 GB when they were gone; with this 0.7 and 0.15 GB.
    """
    _call("mallopt", TRIM_THRESHOLD, 2**20)


def keep_memory_of_requests() -> None:
    """The same once everything is loaded, except for 16 MB and blocks such as those of a drawing.

    With the first threshold alone the second stays at 128 kB: decoding a drawing then takes 300 page faults, and twice as long.
    Set before the models are loaded, it would leave 55 MB in pieces.
    """
    _call("mallopt", TRIM_THRESHOLD, MOST_KEPT)
    _call("mallopt", MMAP_THRESHOLD, LEAST_MAPPED)


def give_back_free_memory() -> None:
    """Return freed memory to the system; after loading a model that is a tenth of the process' memory."""
    _call("malloc_trim", 0)


def _call(function: str, *arguments: int) -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # a C library other than glibc
            getattr(ctypes.CDLL(None), function)(*arguments)
