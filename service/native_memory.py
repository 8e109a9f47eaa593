"""Returns memory to the system that native libraries have freed but the C library keeps."""

import contextlib
import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
LEAST_MAPPED = (
    5 * 2**17
)  # bytes; zlib-ng inflates a drawing into 512 kB, which are not mapped anew each time
MOST_KEPT = 2**24  # bytes; a hundred prepared drawings


def keep_little_free_memory() -> None:
    """Return freed memory to the system at once, except for 16 MB.

    By itself glibc raises its thresholds with the largest block that was freed: after 240 uploads at once,
    of which the service kept 0.5 GB, it had 1.5 GB, and 0.9 GB when they were gone; with this 0.7 and 0.15 GB.
    Set alone, the first threshold keeps the second at 128 kB: decoding a drawing then takes 300 page faults, and twice as long.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            c_library = ctypes.CDLL(None)
            c_library.mallopt(TRIM_THRESHOLD, MOST_KEPT)
            c_library.mallopt(MMAP_THRESHOLD, LEAST_MAPPED)


def give_back_free_memory() -> None:
    """Return freed memory to the system; after loading a model that is a tenth of the process' memory."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # a C library other than glibc
            ctypes.CDLL(None).malloc_trim(0)
