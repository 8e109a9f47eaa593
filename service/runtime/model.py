"""One loaded version: named arrays in, named arrays out, padded to the warmed-up batch sizes."""

import logging
import math
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from service.codecs.tensor_types import STRING, numpy_dtype
from service.engine import Arrays, CannotRun, Engines
from service.errors import NotReady
from service.native_memory import give_back_free_memory
from service.onnx_engine import shrinking_arena
from service.runtime.engines import LoadEngines
from service.runtime.filters import LayerFilter, read_filters
from service.runtime.golden import GoldenError, check_golden, read_golden
from service.runtime.manifest import EXTRA, Manifest, read_manifest
from service.runtime.saved_model import describe
from service.runtime.version_files import check_files, read_card
from service.scheduling.run_cost import RunCost

# Inputs with the number of steps of a run: a run of zero steps would not measure its cost.
STEP_INPUTS = ("lengths", "steps", "total_steps")
CHEAP_SECONDS, CHEAP_REPEATS = 0.01, 3
INTERRUPTED, BUSY_REPEATS = 1.25, 10  # others use the processor: × a run's own time; runs then
START_SECONDS = 5  # about the start-up time of TensorFlow: Retry-After
POLL_SECONDS = 0.05  # interval of checks for an engine that is starting
UNDESCRIBED = "tensors"  # the task of a SavedModel without a manifest

log = logging.getLogger("vitrine.model")


class Model:
    """A version that can run. A thread-free signature runs on any thread, others on one at a time.

    engines: the engine of each signature.
    costs: the measured cost of each signature.
    unready: signature → the reason why it cannot run (yet); the others run.
    filters: the filters of each layer, if the export contains them.
    warm_up_seconds: duration of warm-up and golden check, without engines that were starting.
    """

    def __init__(self, manifest: Manifest, engines: Engines, card: dict[str, Any]) -> None:
        self.manifest = manifest
        self.engines = engines
        self.card = card
        self.filters: dict[str, LayerFilter] = {}
        self.warm_up_seconds = 0.0
        self.unready: dict[str, str] = {}
        self.costs = {name: RunCost() for name in manifest.signatures}
        self.batch_sizes = sorted(manifest.batch_sizes) or _batch_sizes(manifest.max_batch_size)

    def run(self, signature: str, inputs: Arrays) -> dict[str, np.ndarray]:
        """Run a signature on `inputs` [B, …], B up to its batch limit; outputs have the same B.

        For TensorFlow the batch is padded with zeros to the next warm size, so that no new shape is
        ever compiled. Raises NotReady for a signature that is `unready`.
        """
        self._check_ready(signature)
        return self._run(signature, inputs)

    def run_prepared(self, signature: str, inputs: Arrays) -> dict[str, np.ndarray]:
        """Run inputs prepared by `run` in another process: padded, or one row without its first dimension."""
        self._check_ready(signature)
        return self.engines[signature].run(signature, inputs)

    def _check_ready(self, signature: str) -> None:
        if why := self.unready.get(signature):
            raise NotReady(f"{self.manifest.name}: {why}", START_SECONDS)

    def zeros(self, signature: str, rows: int) -> dict[str, np.ndarray]:
        """Inputs of zeros; free sizes other than the rows are the manifest's `steps`."""
        free, spec, found = self.manifest.steps, self.manifest.signatures[signature], {}
        for name, (dtype, shape) in spec.input_specs.items():
            sizes = [free if n is None else n for n in shape[1 if spec.is_batched else 0 :]]
            empty = b"" if dtype == STRING else 0
            found[name] = np.full((rows, *sizes), empty, numpy_dtype(dtype))
        return found

    def prepare(self, golden: Arrays, signatures: Iterable[str]) -> list[str]:
        """Warm up and check the signatures; return those whose engine is still starting.

        A signature whose engine cannot run here stays `unready`; other failures raise.
        """
        starting = []
        for name in signatures:
            try:
                if self.manifest.task == UNDESCRIBED:
                    self._try(name)
                else:
                    self._warm_up(name)
                    with shrinking_arena():
                        check_golden(self._run, name, golden, self.manifest.tolerance)
            except NotReady as error:
                self.unready[name] = f"{name} is not ready: {error}"
                starting.append(name)
            except CannotRun as error:
                self.unready[name] = f"{name} cannot run here: {error}"
            else:
                self.unready.pop(name, None)
        return starting

    def prepare_later(self, golden: Arrays, signatures: Iterable[str]) -> None:
        """Prepare signatures as soon as their engine has started; failed ones stay `unready`."""
        for name in signatures:
            try:
                while self.prepare(golden, [name]):
                    time.sleep(POLL_SECONDS)
            except GoldenError as error:
                self.unready[name] = f"{name} cannot be used: {error}"
            except Exception:
                log.exception("a signature cannot be used")
                self.unready[name] = f"{name} cannot be used; the log has the cause"

    def _run(self, signature: str, inputs: Arrays) -> dict[str, np.ndarray]:
        if not self.manifest.signatures[signature].is_batched:
            return self._run_alone(signature, inputs)
        rows = len(next(iter(inputs.values())))
        sizes = self._sizes(signature)
        size = next((size for size in sizes if size >= rows), rows)
        if size == rows or self._takes_any_size(signature):
            outputs = self.engines[signature].run(signature, inputs)
            if any(np.shape(array)[:1] != (rows,) for array in outputs.values()):
                raise ValueError("an output must have one row for each row of the inputs")
            return outputs
        padded = {name: _pad(array, size) for name, array in inputs.items()}
        outputs = self.engines[signature].run(signature, padded)
        return {name: array[:rows] for name, array in outputs.items()}

    def _run_alone(self, signature: str, inputs: Arrays) -> dict[str, np.ndarray]:
        """Run one row of a signature without batch dimension."""
        outputs = self.engines[signature].run(
            signature, {name: array[0] for name, array in inputs.items()}
        )
        return {name: _as_array(value)[np.newaxis] for name, value in outputs.items()}

    def _takes_any_size(self, signature: str) -> bool:
        if self.manifest.task == UNDESCRIBED:
            return True
        return self.engines[signature].name == "onnx" and not self.manifest.batch_sizes

    def _warm_up(self, name: str) -> None:
        """Run a signature once at each of its batch sizes; time all that it is padded to, or one row and a full batch."""
        sizes, is_padded = self._sizes(name), not self._takes_any_size(name)
        for size in sizes if is_padded else [1]:
            self._run(name, self.zeros(name, size))
        if is_padded:
            self.costs[name].pad_to(sizes)
        for size in sizes if is_padded else sorted({sizes[0], sizes[-1]}):
            self._time(name, self.zeros(name, size), size)

    def _time(self, signature: str, inputs: dict[str, np.ndarray], rows: int) -> None:
        """Measure the cost of a run with the maximum number of steps; for cheap runs the fastest counts."""
        stepped = [inputs[name] for name in STEP_INPUTS if name in inputs]
        steps = (self.manifest.steps or 1) if stepped else 1
        for array in stepped:
            array.fill(steps)
        is_thread_free, fastest, least = self.engines[signature].is_thread_free, math.inf, math.inf
        for repeat in range(1, BUSY_REPEATS + 1):
            started, used = time.perf_counter(), time.thread_time()
            self._run(signature, inputs)
            used, seconds = time.thread_time() - used, time.perf_counter() - started
            fastest, least = min(fastest, seconds), min(least, used)
            self.costs[signature].learn(rows, seconds, steps)
            if (used if is_thread_free else seconds) > CHEAP_SECONDS:
                break
            if repeat >= CHEAP_REPEATS and not (is_thread_free and fastest > INTERRUPTED * least):
                break

    def _try(self, name: str) -> None:
        """Run a signature once on zeros, which an unknown model may refuse."""
        try:
            self._run(name, self.zeros(name, 1))
        except (NotReady, CannotRun):
            raise
        except Exception as error:  # noqa: BLE001 - engines raise what they like
            log.info(
                "refuses zeros", extra={"model": self.manifest.name, "error": str(error)[:200]}
            )

    def _sizes(self, signature: str) -> list[int]:
        """The batch sizes of the signature, in ascending order."""
        limit = self.manifest.batch_limit(signature)
        if self.manifest.compiled and self.engines[signature].name == "tensorflow":
            return [limit]  # other sizes are compiled separately and can differ in the last bits
        return [*(size for size in self.batch_sizes if size < limit), limit]


def load_model(directory: Path, load_engines: LoadEngines) -> Model:
    """Read, verify, load, warm up and check one version directory; raises on any failure."""
    golden: dict[str, np.ndarray] = {}
    if (directory / EXTRA).exists():
        manifest = read_manifest(directory)
        check_files(directory, manifest)
        golden = read_golden(directory)
    else:
        manifest = describe(directory)
    model = Model(manifest, load_engines(directory, manifest), read_card(directory, manifest))
    model.filters = read_filters(directory, manifest)
    where = f"{manifest.name}/{manifest.version}"
    log.info("loading", extra={"model": where, "stage": "warm-up and golden check"})
    started = time.monotonic()
    starting = model.prepare(golden, manifest.signatures)
    while starting and len(model.unready) == len(manifest.signatures):
        time.sleep(POLL_SECONDS)
        starting = model.prepare(golden, manifest.signatures)
    if len(model.unready) == len(manifest.signatures):
        raise CannotRun("; ".join(model.unready.values()))
    model.warm_up_seconds = time.monotonic() - started
    give_back_free_memory()
    if starting:
        arguments = (golden, starting)
        threading.Thread(target=model.prepare_later, args=arguments, daemon=True).start()
    return model


def _batch_sizes(largest: int) -> list[int]:
    """Powers of two up to `largest`, and `largest` itself."""
    return sorted({*(2**n for n in range(largest.bit_length()) if 2**n <= largest), largest})


def _as_array(value: Any) -> np.ndarray:
    """An output as an array; engines return scalar strings as bytes."""
    if isinstance(value, bytes):
        array = np.empty((), object)
        array[()] = value
        return array
    return np.asarray(value)


def _pad(array: np.ndarray, size: int) -> np.ndarray:
    padded = np.zeros((size, *array.shape[1:]), array.dtype)
    padded[: len(array)] = array
    return padded
