"""A server and its clients on a core of their own each, so that neither makes the other wait."""

import contextlib
import functools
import os
from collections.abc import Iterator


@contextlib.contextmanager
def on_core(number: int) -> Iterator[None]:
    """Keep this thread, and the threads and processes that it starts, on one of the process's cores."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {_cores()[number]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@functools.cache
def _cores() -> list[int]:
    """The process's cores when first asked: a thread inherits the one core of the thread that starts it."""
    return sorted(os.sched_getaffinity(0))
