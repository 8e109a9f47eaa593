"""Memory that native libraries have freed, but the C library keeps."""

import contextlib
import ctypes
import sys


def give_back_free_memory() -> None:
    """Return it to the system: after a model was loaded that is a tenth of what the process holds."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # a C library that is not glibc
            ctypes.CDLL(None).malloc_trim(0)
