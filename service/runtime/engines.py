"""Which engine runs each signature of a version: what its manifest says, or what `VITRINE_ENGINE` says."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from service.engine import Arrays, CannotRun, Engine, EngineName
from service.onnx_engine import GRAPHS, OnnxEngine, graph_file
from service.runtime.manifest import Manifest

Choice = Literal["auto", "onnx", "tensorflow"]
LoadEngine = Callable[[Path, Manifest], Engine]


class MixedEngine:
    """One engine for each signature of a version."""

    def __init__(self, engines: Mapping[str, Engine]) -> None:
        self._engines = engines

    def run(self, signature: str, inputs: Arrays) -> dict[str, np.ndarray]:
        """Run a signature on its engine."""
        return self._engines[signature].run(signature, inputs)

    def is_thread_free(self, signature: str) -> bool:
        """Whether its engine stays on the caller's thread."""
        return self._engines[signature].is_thread_free(signature)

    def name_of(self, signature: str) -> EngineName:
        """The name of its engine."""
        return self._engines[signature].name_of(signature)


class _Unavailable:
    """Stands for an engine that the settings exclude."""

    def __init__(self, name: EngineName, reason: str) -> None:
        self._name = name
        self._reason = reason

    def run(self, signature: str, inputs: Arrays) -> dict[str, np.ndarray]:
        """Say why not."""
        raise CannotRun(self._reason)

    def is_thread_free(self, signature: str) -> bool:
        """False: nothing runs."""
        return False

    def name_of(self, signature: str) -> EngineName:
        """The engine that would run it."""
        return self._name


def engine_loader(choice: Choice, load_tensorflow: Callable[[Path], Engine]) -> LoadEngine:
    """Return what loads the engines of a version; TensorFlow only if a signature needs it.

    choice: "auto" follows the manifest; a name overrides it for every signature.
    """

    def load(directory: Path, manifest: Manifest) -> Engine:
        names = {
            name: manifest.engines.get(name, "tensorflow") if choice == "auto" else choice
            for name in manifest.signatures
        }
        if choice == "onnx":
            missing = {name for name in names if not _has_graph(directory, manifest, name)}
        else:
            missing = set()
        converted = {
            name: list(manifest.signatures[name].inputs)
            for name, engine in names.items()
            if engine == "onnx" and name not in missing
        }
        engines: dict[str, Engine] = dict.fromkeys(
            missing, _Unavailable("onnx", "it has no ONNX graph, and VITRINE_ENGINE is onnx")
        )
        if converted:
            engines |= dict.fromkeys(converted, OnnxEngine(directory, converted))
        if "tensorflow" in names.values():
            remote = load_tensorflow(directory)
            engines |= {name: remote for name, engine in names.items() if engine == "tensorflow"}
        return MixedEngine(engines)

    return load


def _has_graph(directory: Path, manifest: Manifest, signature: str) -> bool:
    inputs = manifest.signatures[signature].inputs
    return (directory / GRAPHS / graph_file(inputs)).is_file()
