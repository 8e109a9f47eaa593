"""Keeps TensorFlow's start-up lines off the terminal: C++ code writes them to file descriptor 2, whatever its settings.

The twin of `service.native_stderr`: training and service share no module.
"""

import contextlib
import importlib
import logging
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
    """Hold back what is written to file descriptor 2 until the block ends; then pass on all but the noise."""
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


def import_keras() -> None:
    """Import Keras and TensorFlow, in silence; a command calls it before it imports what needs them."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # deprecations inside TensorFlow itself
    with without_noise():
        importlib.import_module("keras")
        importlib.import_module("tensorflow")
