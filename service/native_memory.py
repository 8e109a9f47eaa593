"""Returns memory to the system that native libraries have freed but the C library keeps."""

import contextlib
import ctypes
import sys

TRIM_THRESHOLD = -1  # M_TRIM_THRESHOLD of glibc's malloc.h


def keep_little_free_memory() -> None:
    """Return freed memory to the system at once, except for a megabyte.

    By itself glibc raises its thresholds with the largest block that was freed: after 240 uploads at once,
    of which the service kept 0.5 GB, it had 1.5 GB, and 0.9 GB when they were gone; with this 0.7 and 0.15 GB.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(TRIM_THRESHOLD, 2**20)


def give_back_free_memory() -> None:
    """Return freed memory to the system; after loading a model that is a tenth of the process' memory."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # a C library other than glibc
            ctypes.CDLL(None).malloc_trim(0)
