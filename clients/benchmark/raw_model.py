"""`python -m clients.benchmark.raw_model MODELS_DIR`: latency of a model's signature without a service.

Loads the newest models/digits/<version> with its engine alone (ONNX Runtime if the manifest says so, otherwise
TensorFlow), on one thread or more, and times calls of `serving_default` from NumPy arrays to NumPy arrays; `--model` and
`--signature` select others. Prints one line of JSON; with `--on-demand` one for every line on standard
input, and sleeps in between.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from clients.load.measurement import percentile

CALLS = {1: 400, 8: 200, 32: 100}  # batch size: calls timed
WARM_UP_CALLS = 20

Arrays = dict[str, np.ndarray]
Predict = Callable[[Arrays], Arrays]


class InputSpec(NamedTuple):
    """One input of a signature: the shape without the batch, and the dtype's name."""

    shape: tuple[int, ...]
    dtype: str


Inputs = dict[str, InputSpec]


def newest_version(models: Path, name: str = "digits") -> Path:
    """The directory with the highest version number below models/<name>."""
    folder = models / name
    versions = [path for path in folder.glob("*") if path.name.isdigit() and path.is_dir()]
    if not versions:
        raise ValueError(
            f"{folder} has no version of the model; `vitrine export {name}` builds one"
        )
    return max(versions, key=lambda path: int(path.name))


def load(directory: Path, key: str = "serving_default", threads: int = 1) -> tuple[Predict, Inputs]:
    """A signature as a function of every input by name to every output by name, and its inputs."""
    manifest = json.loads((directory / "assets.extra" / "manifest.json").read_text())
    if manifest.get("engines", {}).get(key) == "onnx":
        return _load_onnx(directory, key, threads), _inputs_of(manifest["signatures"][key])
    return _load_tensorflow(directory, key, threads)


def _load_onnx(directory: Path, key: str, threads: int) -> Predict:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    for file in sorted((directory / "assets.extra" / "onnx").glob("*.onnx")):
        session = ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        if wanted := [name for name in names if name.startswith(f"{key}/")]:
            break
    else:
        raise ValueError(f"{directory} has no ONNX graph of {key}")
    only_these = ort.RunOptions()
    only_these.only_execute_path_to_fetches = True

    def predict(given: Arrays) -> Arrays:
        return dict(zip(wanted, session.run(wanted, given, only_these), strict=True))

    return predict


def _inputs_of(signature: dict[str, Any]) -> Inputs:
    """From descriptions such as `uint8 [B,28,28,1]`."""
    inputs = {}
    for name, text in signature["inputs"].items():
        dtype, _, shape = text.partition(" ")
        inputs[name] = InputSpec(tuple(map(int, shape.strip("[]").split(",")[1:])), dtype)
    return inputs


def _load_tensorflow(directory: Path, key: str, threads: int) -> tuple[Predict, Inputs]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    loaded = tf.saved_model.load(str(directory))
    signature = loaded.signatures[key]

    def predict(given: Arrays) -> Arrays:
        assert loaded is not None  # it owns the variables the signature reads
        outputs = signature(**{name: tf.constant(array) for name, array in given.items()})
        return {key: tensor.numpy() for key, tensor in outputs.items()}

    specs = signature.structured_input_signature[1].items()
    return predict, {name: InputSpec(tuple(s.shape[1:]), s.dtype.name) for name, s in specs}


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
    options += ["--threads", str(threads), "--callers", str(callers), "--on-demand"]
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
    """Time the model once, or once for every line read; status 1 if there is no model."""
    options = _parser().parse_args(arguments)
    try:
        directory = newest_version(options.models, options.model)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    predict, inputs = load(directory, options.signature, options.threads)
    for _ in sys.stdin if options.on_demand else [""]:
        answer = {
            "version": int(directory.name),
            "callers": options.callers,
            "batches": time_calls(predict, inputs, options.calls, options.callers),
        }
        print(json.dumps(answer), flush=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m clients.benchmark.raw_model", description=__doc__
    )
    add = parser.add_argument
    add("models", type=Path, help="folder of model versions, such as models/")
    add("--model", default="digits", help="its name (default digits)")
    add("--signature", default="serving_default", help="default serving_default")
    add("--calls", type=_calls, default=CALLS, help="batch size:calls, such as 1:400,8:200")
    add("--threads", type=int, default=1, help="that a call may use (default 1)")
    add("--callers", type=int, default=1, help="threads that call at the same time (default 1)")
    add("--on-demand", action="store_true", help="once per line of standard input")
    return parser


def _calls(text: str) -> dict[int, int]:
    pairs = (part.split(":") for part in text.split(","))
    return {int(size): int(count) for size, count in pairs}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
