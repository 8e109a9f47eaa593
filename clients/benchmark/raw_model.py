"""Latency of a model's signature without a service, in a process of its own.

Loads the newest version of a model with its engine alone (ONNX Runtime if the manifest says so, otherwise
TensorFlow), on one thread or more, and times calls of a signature from NumPy arrays to NumPy arrays. Prints one
line of JSON for every line on standard input, and sleeps in between.
"""

import argparse
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from clients.benchmark.engines import Arrays, Predict, load_onnx, load_tensorflow, newest_version
from clients.load.measurement import percentile

CALLS = {1: 400, 8: 200, 32: 100}  # batch size: calls timed
WARM_UP_CALLS = 20


class InputSpec(NamedTuple):
    """One input of a signature: the shape without the batch, and the dtype's name."""

    shape: tuple[int, ...]
    dtype: str


Inputs = dict[str, InputSpec]


def load(directory: Path, key: str, threads: int = 1) -> tuple[Predict, Inputs]:
    """A signature with the engine that the manifest names, and its inputs."""
    manifest = json.loads((directory / "assets.extra" / "manifest.json").read_text())
    inputs = _inputs_of(manifest["signatures"][key])
    if manifest.get("engines", {}).get(key) == "onnx":
        return load_onnx(directory, key, threads), inputs
    return load_tensorflow(directory, threads)[key], inputs


def _inputs_of(signature: dict[str, Any]) -> Inputs:
    """From descriptions such as `uint8 [B,28,28,1]`."""
    inputs = {}
    for name, text in signature["inputs"].items():
        dtype, _, shape = text.partition(" ")
        inputs[name] = InputSpec(tuple(map(int, shape.strip("[]").split(",")[1:])), dtype)
    return inputs


def make_up(inputs: Inputs, count: int) -> Arrays:
    """Noise of the right shapes: bytes 0 to 255, whole numbers 0 to 9, normally distributed floats."""
    drawn = np.random.default_rng(0)

    def array(spec: InputSpec) -> np.ndarray:
        shape = (count, *spec.shape)
        if spec.dtype.startswith("float"):
            return drawn.standard_normal(shape).astype(spec.dtype)
        return drawn.integers(0, 256 if spec.dtype == "uint8" else 10, shape).astype(spec.dtype)

    return {name: array(spec) for name, spec in inputs.items()}


def time_calls(
    predict: Predict, inputs: Inputs, calls: dict[int, int], callers: int = 1
) -> dict[str, Any]:
    """Median and 99th percentile of calls, in milliseconds, by batch size.

    callers: threads that call at the same time.
    """
    timings = {}
    for batch_size, count in calls.items():
        given = make_up(inputs, batch_size)
        for _ in range(WARM_UP_CALLS):
            predict(given)
        seconds = _time_at_once(predict, given, count, callers)
        timings[str(batch_size)] = {
            "median_ms": percentile(seconds, 0.5) * 1000,
            "p99_ms": percentile(seconds, 0.99) * 1000,
        }
    return timings


def command(
    models: Path,
    name: str,
    signature: str,
    calls: dict[int, int],
    threads: int = 1,
    callers: int = 1,
) -> list[str]:
    """The command line that times a signature on demand, with this number of calls for each batch size."""
    sizes = ",".join(f"{size}:{count}" for size, count in calls.items())
    options = ["--model", name, "--signature", signature, "--calls", sizes]
    options += ["--threads", str(threads), "--callers", str(callers)]
    return [sys.executable, "-m", "clients.benchmark.raw_model", str(models), *options]


def _time_at_once(predict: Predict, given: Arrays, count: int, callers: int) -> list[float]:
    def call(_: int) -> list[float]:
        return [_time_once(predict, given) for _ in range(count)]

    with ThreadPoolExecutor(callers) as pool:
        return [seconds for timed in pool.map(call, range(callers)) for seconds in timed]


def _time_once(predict: Predict, given: Arrays) -> float:
    started = time.perf_counter()
    predict(given)
    return time.perf_counter() - started


def main(arguments: list[str]) -> int:
    """Time the model for every line read."""
    options = _parser().parse_args(arguments)
    directory = newest_version(options.models, options.model)
    predict, inputs = load(directory, options.signature, options.threads)
    for _ in sys.stdin:
        answer = {
            "version": int(directory.name),
            "callers": options.callers,
            "batches": time_calls(predict, inputs, options.calls, options.callers),
        }
        print(json.dumps(answer), flush=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("models", type=Path, help="folder of model versions, such as models/")
    add("--model", required=True, help="its name")
    add("--signature", required=True)
    add("--calls", type=_calls, required=True, help="batch size:calls, such as 1:400,8:200")
    add("--threads", type=int, required=True, help="that a call may use")
    add("--callers", type=int, required=True, help="threads that call at the same time")
    return parser


def _calls(text: str) -> dict[int, int]:
    pairs = (part.split(":") for part in text.split(","))
    return {int(size): int(count) for size, count in pairs}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
