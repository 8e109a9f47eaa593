"""Runs the ONNX graphs of a version with ONNX Runtime, on the caller's thread.

`assets.extra/onnx/` contains one graph for each set of inputs, so that signatures with the same inputs
share their weights: `images.onnx`, `images+noise.onnx`. A graph's inputs have the names of the
signature's inputs, its outputs are named `<signature>/<output>`.

If a version has a backbone, that signature's graph is in `backbone/`, and the graphs of the other
signatures take its outputs. Files with identical bytes share one session across versions: any number
of heads run on one network in memory, and it stays loaded as long as one of them needs it.
"""

import contextlib
import functools
import hashlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from weakref import WeakValueDictionary

import numpy as np
import onnxruntime as ort

from service.engine import Arrays, CannotRun, EngineName
from service.onnx_graph import check_graph, without_outputs

GRAPHS = "assets.extra/onnx"
BACKBONE = "backbone/"
LAYERS = "activations"  # the signature whose outputs are values inside the network

# By SHA-256 and number of threads
_sessions: WeakValueDictionary[tuple[str, int], ort.InferenceSession] = WeakValueDictionary()
_thread = threading.local()


@contextlib.contextmanager
def shrinking_arena() -> Iterator[None]:
    """Inside this context, a run on this thread returns the arena's free memory to the system.

    This makes a full batch of photos take half as long again, so it is only used for the last run of a
    warm-up, which frees a hundred megabytes.
    """
    _thread.shrinks = True
    try:
        yield
    finally:
        _thread.shrinks = False


@contextlib.contextmanager
def on_two_threads() -> Iterator[None]:
    """Inside this context, a run on this thread uses a second one as well.

    The second thread has the priority of the thread that makes the first such run. While a graph runs, each
    waits for the other without sleeping, so this pays only on processors that nobody else uses.
    """
    _thread.threads = 2
    try:
        yield
    finally:
        _thread.threads = 1


def threads_of_runs() -> int:
    """The number of threads that a run which is started on this thread uses."""
    return getattr(_thread, "threads", 1)


class GraphError(CannotRun):
    """A version has no usable ONNX graph for a signature."""


class Step(NamedTuple):
    """A run of a graph, for the outputs of one signature."""

    file: str
    signature: str


class Graph(NamedTuple):
    """A graph, with or without the outputs of its layers: what is an output is not fused with what follows."""

    file: str
    has_layers: bool


class Loaded(NamedTuple):
    """A graph that can run."""

    digest: str  # SHA-256 of what runs
    session: ort.InferenceSession


class OnnxEngine:
    """The ONNX graphs of one version."""

    name: EngineName = "onnx"
    is_thread_free = True  # a session with one thread computes on the caller's

    def __init__(self, directory: Path, signatures: Mapping[str, Sequence[Step]]) -> None:
        """Load the graphs of `signatures` (signature → steps, run in order); GraphError on failure."""
        steps = {step for chain in signatures.values() for step in chain}
        self._directory = directory / GRAPHS
        self._steps = signatures
        self._graphs = {step: Graph(step.file, step.signature == LAYERS) for step in steps}
        self._loaded = {(one, 1): self._load(one, 1) for one in set(self._graphs.values())}
        self._fetches = {
            step: _outputs_of(step.signature, self._loaded[graph, 1].session)
            for step, graph in self._graphs.items()
        }
        # Of a graph with several signatures, only the part for the requested outputs runs.
        self._options, self._shrinking = ort.RunOptions(), ort.RunOptions()
        for options in (self._options, self._shrinking):
            options.only_execute_path_to_fetches = True
        self._shrinking.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def run(self, signature: str, inputs: Arrays) -> dict[str, np.ndarray]:
        """Run a signature's part of its graph or graphs; any number of rows."""
        options = self._shrinking if getattr(_thread, "shrinks", False) else self._options
        outputs = dict(inputs)
        for step in self._steps[signature]:
            fetches = self._fetches[step]
            session = self._session(self._graphs[step])
            arrays = session.run(list(fetches.values()), outputs, options)
            outputs = dict(zip(fetches, arrays, strict=True))
        return outputs

    def _session(self, graph: "Graph") -> ort.InferenceSession:
        """The session of a graph on the wanted threads; GraphError if its file has changed."""
        key = (graph, threads_of_runs())
        if key not in self._loaded:
            loaded = self._load(*key)
            if loaded.digest != self._loaded[graph, 1].digest:
                raise GraphError(f"{GRAPHS}/{graph.file} has changed since it was loaded")
            self._loaded[key] = loaded
        return self._loaded[key].session

    def _load(self, graph: "Graph", threads: int) -> Loaded:
        return _load(self._directory / graph.file, threads, has_layers=graph.has_layers)


def graph_file(inputs: Iterable[str]) -> str:
    """The file name of the graph with these inputs."""
    return "+".join(sorted(inputs)) + ".onnx"


def _load(path: Path, threads: int, *, has_layers: bool) -> Loaded:
    """The session of a file, or the existing one for the same bytes and number of threads."""
    if not path.is_file():
        raise GraphError(f"{GRAPHS}/{path.name} is missing: export the model again")
    content = path.read_bytes()  # the checked bytes are the bytes that run
    try:
        check_graph(content)
        if not has_layers:
            content = without_outputs(content, f"{LAYERS}/")
    except ValueError as error:
        raise GraphError(f"{GRAPHS}/{path.name} must hold ONNX's own operations: {error}") from None
    digest = hashlib.sha256(content).hexdigest()
    if running := _sessions.get((digest, threads)):
        return Loaded(digest, running)
    _share_allocator()
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    # Threads wait for work without sleeping while a graph runs, and not after it
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.log_severity_level = 3
    try:
        session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - ONNX Runtime's exceptions have no common base
        raise GraphError(f"ONNX Runtime cannot run {GRAPHS}/{path.name}: {error}") from None
    session._model_bytes = None  # a second copy of the weights, kept for a change of providers
    # Another thread may have loaded it meanwhile
    return Loaded(digest, _sessions.setdefault((digest, threads), session))


def _outputs_of(signature: str, session: ort.InferenceSession) -> dict[str, str]:
    """Output of the signature → output of the graph."""
    prefix = f"{signature}/"
    names = [output.name for output in session.get_outputs()]
    found = {name.removeprefix(prefix): name for name in names if name.startswith(prefix)}
    if not found:
        raise GraphError(f"no graph in {GRAPHS} has outputs of the signature {signature}")
    return found


@functools.cache
def _share_allocator() -> None:
    """Share one memory arena among all sessions: eleven models take half the memory of separate arenas."""
    info = ort.OrtMemoryInfo(
        "Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT
    )
    ort.create_and_register_allocator(info, None)
