"""A replica of one model version: arrays in, arrays out. Ray places, restarts and multiplies it."""

from pathlib import Path

import numpy as np

from service import tensorflow_engine
from service.engine import Arrays, EngineName
from service.runtime.engines import Choice, engine_loader
from service.runtime.manifest import check_files, read_manifest

Reply = tuple[dict[str, np.ndarray] | None, str]  # the outputs, or None and why there are none


class ModelReplica:
    """One version, loaded in a process of its own.

    Its directory is the same for every node: a shared volume, or a copy that `model_source` made.
    """

    def __init__(self, directory: str, choice: Choice) -> None:
        self._directory = Path(directory)
        self._manifest = read_manifest(self._directory)
        check_files(self._directory, self._manifest)
        load = engine_loader(choice, tensorflow_engine.load_tensorflow)
        self._engine = load(self._directory, self._manifest)

    def run(self, signature: str, inputs: Arrays) -> Reply:
        """Run a signature on whole arrays [B, …]; a failure of the model is told, not raised.

        Raised exceptions would travel as pickles with their traceback, and Ray would wrap them.
        """
        try:
            return self._engine.run(signature, inputs), ""
        except Exception as error:  # noqa: BLE001 - engines raise what they like
            return None, f"{type(error).__name__}: {error}"

    def engines(self) -> dict[str, EngineName]:
        """Which engine runs each signature."""
        return {name: self._engine.name_of(name) for name in self._manifest.signatures}
