"""The engine interface: named arrays in, named arrays out. Implementations: ONNX Runtime, TensorFlow."""

from collections.abc import Mapping
from typing import Literal, Protocol

import numpy as np

Arrays = Mapping[str, np.ndarray]
EngineName = Literal["onnx", "tensorflow"]


class CannotRun(Exception):
    """A signature cannot run on this machine or with these settings; the message says why."""


Engines = Mapping[str, "Engine"]  # by signature


class Engine(Protocol):
    """Runs signatures of a loaded version. Different ones may run on different threads at the same time.

    name: as in `X-Engine` and the manifest.
    is_thread_free: whether a run stays on the caller's thread, so that cheap runs may use the event loop.
    """

    name: EngineName
    is_thread_free: bool

    def run(self, signature: str, inputs: Arrays) -> dict[str, np.ndarray]:
        """Run a signature on whole arrays [B, …].

        Raises:
            NotReady: the process that runs the signature is still starting.
            Overloaded: the queue of the signature's process is full.
            CannotRun: the signature cannot run here.
            Exception: anything else is a failure of the model.
        """
