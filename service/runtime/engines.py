"""The engine of each signature of a version, from its manifest or from `VITRINE_ENGINE`."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np

from service.engine import Arrays, CannotRun, Engine, EngineName, Engines
from service.onnx_engine import BACKBONE, GRAPHS, OnnxEngine, Step, graph_file
from service.runtime.manifest import Manifest
from service.runtime.saved_model import check_operations

Choice = Literal["auto", "onnx", "tensorflow"]
LoadEngines = Callable[[Path, Manifest], Engines]
Steps = dict[str, list[Step]]  # of each signature that ONNX Runtime runs
LoadOnnx = Callable[[Path, Steps], Engine]


class _NoGraph:
    """The engine of signatures that only TensorFlow could run, which the settings exclude."""

    name: EngineName = "onnx"
    is_thread_free = False

    def run(self, signature: str, inputs: Arrays) -> dict[str, np.ndarray]:
        """Raise CannotRun."""
        raise CannotRun("it has no ONNX graph, and VITRINE_ENGINE is onnx")


def engine_loader(
    choice: Choice, load_tensorflow: Callable[[Path], Engine], load_onnx: LoadOnnx = OnnxEngine
) -> LoadEngines:
    """Return a loader for the engines of a version; it loads TensorFlow only if a signature needs it.

    choice: "auto" follows the manifest; a name overrides it for every signature.
    load_onnx: creates the ONNX engine of a directory for these signatures.
    """

    def load(directory: Path, manifest: Manifest) -> Engines:
        converted = onnx_signatures(directory, manifest, choice)
        others = manifest.signatures.keys() - converted.keys()
        engines: dict[str, Engine] = {}
        if converted:
            engines |= dict.fromkeys(converted, load_onnx(directory, converted))
        if others and choice == "onnx":
            engines |= dict.fromkeys(others, _NoGraph())
        elif others:
            engines |= dict.fromkeys(others, load_tensorflow(directory))
        return engines

    return load


def load_checked(
    load: Callable[[Path], Engine], allowed: tuple[str, ...], directory: Path
) -> Engine:
    """Load a version with TensorFlow only if it uses allowed operations."""
    check_operations(directory, allowed)
    return load(directory)


def needs_tensorflow(directory: Path, manifest: Manifest, choice: Choice) -> bool:
    """Whether a version needs TensorFlow."""
    converted = onnx_signatures(directory, manifest, choice)
    return choice != "onnx" and bool(manifest.signatures.keys() - converted.keys())


def onnx_signatures(directory: Path, manifest: Manifest, choice: Choice) -> Steps:
    """The signatures that ONNX Runtime runs, with their steps."""
    return {
        name: _steps(manifest, name)
        for name in manifest.signatures
        if (choice == "auto" and manifest.engines.get(name) == "onnx")
        or (choice == "onnx" and _has_graph(directory, manifest, name))
    }


def _has_graph(directory: Path, manifest: Manifest, signature: str) -> bool:
    steps = _steps(manifest, signature)
    return all((directory / GRAPHS / step.file).is_file() for step in steps)


def _steps(manifest: Manifest, signature: str) -> list[Step]:
    """The graph of a signature, preceded by the backbone's graph if there is one."""
    if manifest.backbone is None:
        return [Step(graph_file(manifest.signatures[signature].inputs), signature)]
    backbone = manifest.signatures[manifest.backbone]
    first = Step(BACKBONE + graph_file(backbone.inputs), manifest.backbone)
    if signature == manifest.backbone:
        return [first]
    return [first, Step(graph_file(backbone.outputs), signature)]
