"""The engine interface on Ray Serve: a run is a call to the least busy replica of the version."""

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
from ray.exceptions import RayActorError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError

from service.engine import Arrays, EngineName
from service.errors import NotReady, Overloaded

ATTEMPTS = 4  # of one run: requests survive the death of a replica
RUN_SECONDS = 60.0  # the longest run; batchers enforce the deadlines of requests


class RayEngine:
    """Runs a signature of one version on its replicas, on the engine of this name there.

    on_close: called when this engine is no longer referenced and its replicas are not needed.
    """

    is_thread_free = False  # a run waits for another process

    def __init__(self, handle: Any, name: EngineName, on_close: Callable[[], None]) -> None:
        self.name = name
        self._handle = handle
        weakref.finalize(self, on_close)

    def run(self, signature: str, inputs: Arrays) -> dict[str, np.ndarray]:
        """Run a signature on a replica; on another one if that dies meanwhile.

        Raises:
            Overloaded: every replica's queue is full.
            NotReady: no replica is there.
            RuntimeError: the model failed.
        """
        for _ in range(ATTEMPTS):
            try:
                outputs, why = self._handle.run.remote(signature, dict(inputs)).result(
                    timeout_s=RUN_SECONDS
                )
            except RayActorError:
                continue
            except BackPressureError:
                raise Overloaded("all replicas are busy", 1) from None
            except DeploymentUnavailableError:
                raise NotReady("no replica is running") from None
            if outputs is None:
                raise RuntimeError(why)
            return dict(outputs)
        raise NotReady("all replicas that were tried have died")
