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
LoadOnnx = Callable[[Path, Mapping[str, list[str]]], Engine]


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


def engine_loader(
    choice: Choice, load_tensorflow: Callable[[Path], Engine], load_onnx: LoadOnnx = OnnxEngine
) -> LoadEngine:
    """Return what loads the engines of a version; TensorFlow only if a signature needs it.

    choice: "auto" follows the manifest; a name overrides it for every signature.
    load_onnx: gives the ONNX engine of a directory for these signatures (name → names of its inputs).
    """

    def load(directory: Path, manifest: Manifest) -> Engine:
        converted = onnx_signatures(directory, manifest, choice)
        others = manifest.signatures.keys() - converted.keys()
        engines: dict[str, Engine] = {}
        if converted:
            engines |= dict.fromkeys(converted, load_onnx(directory, converted))
        if others and choice == "onnx":
            reason = "it has no ONNX graph, and VITRINE_ENGINE is onnx"
            engines |= dict.fromkeys(others, _Unavailable("onnx", reason))
        elif others:
            engines |= dict.fromkeys(others, load_tensorflow(directory))
        return MixedEngine(engines)

    return load


def onnx_signatures(directory: Path, manifest: Manifest, choice: Choice) -> dict[str, list[str]]:
    """What ONNX Runtime is to run of a version: name of a signature → names of its inputs."""
    return {
        name: list(signature.inputs)
        for name, signature in manifest.signatures.items()
        if (choice == "auto" and manifest.engines.get(name) == "onnx")
        or (choice == "onnx" and _has_graph(directory, manifest, name))
    }


def _has_graph(directory: Path, manifest: Manifest, signature: str) -> bool:
    inputs = manifest.signatures[signature].inputs
    return (directory / GRAPHS / graph_file(inputs)).is_file()
