"""`python -m clients.load.raw_model MODELS_DIR`: what the digits model alone costs, without any service.

Loads the newest models/digits/<version> with nothing but `tf.saved_model.load`, TensorFlow's own
thread settings, and times calls of `serving_default` from a NumPy array to NumPy arrays. Prints one
line of JSON; with `--on-demand` one for every line on standard input, and sleeps in between.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from clients.load.measurement import percentile

CALLS = {1: 400, 8: 200, 32: 100}  # batch size: calls timed
WARM_UP_CALLS = 20

Predict = Callable[[np.ndarray], dict[str, np.ndarray]]


def newest_version(models: Path) -> Path:
    """The directory with the highest version number below models/digits."""
    folder = models / "digits"
    versions = [path for path in folder.glob("*") if path.name.isdigit() and path.is_dir()]
    if not versions:
        raise ValueError(
            f"{folder} holds no version of the model; `python -m training export digits` makes one"
        )
    return max(versions, key=lambda path: int(path.name))


def load(directory: Path) -> Predict:
    """uint8 [B, 28, 28, 1] → every output of `serving_default`, by name."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    # One thread, as in the service: at batch 1 the faster setting, so the stricter yardstick.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    loaded = tf.saved_model.load(str(directory))
    signature = loaded.signatures["serving_default"]
    (name,) = signature.structured_input_signature[1]

    def predict(images: np.ndarray) -> dict[str, np.ndarray]:
        assert loaded is not None  # it owns the variables the signature reads
        outputs = signature(**{name: tf.constant(images)})
        return {key: tensor.numpy() for key, tensor in outputs.items()}

    return predict


def time_calls(predict: Predict) -> dict[str, Any]:
    """Median and 99th percentile of single calls, in milliseconds, by batch size."""
    generator = np.random.default_rng(0)
    timings = {}
    for batch_size, calls in CALLS.items():
        images = generator.integers(0, 256, (batch_size, 28, 28, 1), dtype=np.uint8)
        for _ in range(WARM_UP_CALLS):
            predict(images)
        seconds = sorted(_time_once(predict, images) for _ in range(calls))
        timings[str(batch_size)] = {
            "median_ms": percentile(seconds, 0.5) * 1000,
            "p99_ms": percentile(seconds, 0.99) * 1000,
        }
    return timings


def _time_once(predict: Predict, images: np.ndarray) -> float:
    started = time.perf_counter()
    predict(images)
    return time.perf_counter() - started


def main(arguments: list[str]) -> int:
    """Time the model once, or once for every line read; status 1 if there is no model."""
    parser = argparse.ArgumentParser(prog="python -m clients.load.raw_model", description=__doc__)
    parser.add_argument("models", type=Path, help="folder of model versions, such as models/")
    parser.add_argument("--on-demand", action="store_true", help="once per line of standard input")
    options = parser.parse_args(arguments)
    try:
        directory = newest_version(options.models)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    predict = load(directory)
    for _ in sys.stdin if options.on_demand else [""]:
        answer = {"version": int(directory.name), "batches": time_calls(predict)}
        print(json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
