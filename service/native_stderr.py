"""Keeps TensorFlow's start-up messages out of the log: C++ code writes them to file descriptor 2 regardless of its settings."""

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator

NOISE = re.compile(
    rb"WARNING: All log messages before absl|[IW]0000 |.* [IW] (tensorflow|external)/|To enable the following instr"
)


@contextlib.contextmanager
def without_noise() -> Iterator[None]:
    """Buffer file descriptor 2 until the block ends, then write everything except known noise."""
    sys.stderr.flush()
    original = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(original, 2)
            os.close(original)
            held.seek(0)
            for line in held:
                if not NOISE.match(line):
                    os.write(2, line)
