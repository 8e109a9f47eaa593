"""`python -m clients.load.raw_model MODELS_DIR`: what a model alone costs, without any service.

Loads the newest models/digits/<version> with nothing but `tf.saved_model.load`, on one thread, and
times calls of `serving_default` from a NumPy array to NumPy arrays; with `--decoder` those of `decode`
of models/vae. Prints one line of JSON; with `--on-demand` one for every line on standard input, and
sleeps in between.
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
DECODER_CALLS = {16: 100}
WARM_UP_CALLS = 20

Predict = Callable[[np.ndarray], dict[str, np.ndarray]]


def newest_version(models: Path, name: str = "digits") -> Path:
    """The directory with the highest version number below models/<name>."""
    folder = models / name
    versions = [path for path in folder.glob("*") if path.name.isdigit() and path.is_dir()]
    if not versions:
        raise ValueError(
            f"{folder} holds no version of the model; `python -m training export {name}` makes one"
        )
    return max(versions, key=lambda path: int(path.name))


def load(directory: Path, key: str = "serving_default") -> Predict:
    """The one input of a signature → every output, by name."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    # One thread, as in the service: at batch 1 the faster setting, so the stricter yardstick.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    loaded = tf.saved_model.load(str(directory))
    signature = loaded.signatures[key]
    (name,) = signature.structured_input_signature[1]

    def predict(given: np.ndarray) -> dict[str, np.ndarray]:
        assert loaded is not None  # it owns the variables the signature reads
        outputs = signature(**{name: tf.constant(given)})
        return {key: tensor.numpy() for key, tensor in outputs.items()}

    return predict


def pictures(count: int) -> np.ndarray:
    """Noise, uint8 [count, 28, 28, 1]."""
    return np.random.default_rng(0).integers(0, 256, (count, 28, 28, 1), dtype=np.uint8)


def latents(count: int) -> np.ndarray:
    """Standard normal vectors, float32 [count, 20]."""
    return np.random.default_rng(0).standard_normal((count, 20), np.float32)


def time_calls(
    predict: Predict,
    calls: dict[int, int],
    make_input: Callable[[int], np.ndarray],
) -> dict[str, Any]:
    """Median and 99th percentile of single calls, in milliseconds, by batch size."""
    timings = {}
    for batch_size, count in calls.items():
        given = make_input(batch_size)
        for _ in range(WARM_UP_CALLS):
            predict(given)
        seconds = sorted(_time_once(predict, given) for _ in range(count))
        timings[str(batch_size)] = {
            "median_ms": percentile(seconds, 0.5) * 1000,
            "p99_ms": percentile(seconds, 0.99) * 1000,
        }
    return timings


def _time_once(predict: Predict, given: np.ndarray) -> float:
    started = time.perf_counter()
    predict(given)
    return time.perf_counter() - started


def main(arguments: list[str]) -> int:
    """Time the model once, or once for every line read; status 1 if there is no model."""
    parser = argparse.ArgumentParser(prog="python -m clients.load.raw_model", description=__doc__)
    parser.add_argument("models", type=Path, help="folder of model versions, such as models/")
    parser.add_argument("--on-demand", action="store_true", help="once per line of standard input")
    parser.add_argument("--decoder", action="store_true", help="of models/vae instead")
    options = parser.parse_args(arguments)
    name, key = ("vae", "decode") if options.decoder else ("digits", "serving_default")
    try:
        directory = newest_version(options.models, name)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    predict = load(directory, key)
    measured = (DECODER_CALLS, latents) if options.decoder else (CALLS, pictures)
    for _ in sys.stdin if options.on_demand else [""]:
        answer = {"version": int(directory.name), "batches": time_calls(predict, *measured)}
        print(json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
