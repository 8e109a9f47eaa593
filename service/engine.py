"""The seam behind which a SavedModel runs: named arrays in, named arrays out.

TensorFlow is one engine; another that reads the same directory is one more `LoadEngine`.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np

Arrays = Mapping[str, np.ndarray]


class Engine(Protocol):
    """One loaded SavedModel. Different signatures may run on different threads at the same time."""

    def run(self, signature: str, inputs: Arrays) -> dict[str, np.ndarray]:
        """Run a signature on whole arrays; whatever it raises is a failure of the model."""

    def is_thread_free(self, signature: str) -> bool:
        """Whether a run stays on the caller's thread, so that a cheap one may run on the event loop."""


LoadEngine = Callable[[Path], Engine]
