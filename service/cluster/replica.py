"""A replica of one model version: arrays in, arrays out. Ray places, restarts and scales replicas."""

from functools import partial
from pathlib import Path

import numpy as np

from service import tensorflow_engine
from service.cluster.model_mirror import ModelMirror
from service.engine import Arrays, EngineName
from service.runtime.engines import Choice, engine_loader, load_checked
from service.runtime.model import load_model

Reply = tuple[dict[str, np.ndarray] | None, str]  # the outputs, or None and the reason


class ModelReplica:
    """One version, loaded in a separate process.

    Every replica warms up and checks its golden outputs on its own processor; one
    that does not reproduce them does not start. The directory is at the same path on every node: on a
    shared volume, or copied there from the object store.
    """

    def __init__(
        self, directory: str, choice: Choice, allowed: tuple[str, ...] = (), store: str = ""
    ) -> None:
        if store:  # the version may not be on this node yet
            models, name, number = Path(directory).parents[1], *Path(directory).parts[-2:]
            ModelMirror(store, models).fetch_version(name, number)
        load = partial(load_checked, tensorflow_engine.load_tensorflow, allowed)
        load_engines = engine_loader(choice, load)
        self._model = load_model(Path(directory), load_engines)

    async def run(self, signature: str, inputs: Arrays) -> Reply:
        """Run a signature on the inputs that a front prepared; a failure of the model is reported, not raised.

        A run blocks the event loop of Ray's user code, so there is one at a time; Ray answers
        on another thread. Raised exceptions would travel as pickles with their traceback.
        """
        try:
            return self._model.run_prepared(signature, inputs), ""
        except Exception as error:  # noqa: BLE001 - engines raise what they like
            return None, f"{type(error).__name__}: {error}"

    def engines(self) -> dict[str, EngineName]:
        """The engine of each signature."""
        return {name: engine.name for name, engine in self._model.engines.items()}
