"""A signature of an exported version with its engine alone; needs only NumPy and the engine."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]
Predict = Callable[[Arrays], Arrays]  # every input by name → every output by name


def newest_version(models: Path, name: str = "digits") -> Path:
    """The directory with the highest version number below models/<name>."""
    folder = models / name
    versions = [path for path in folder.glob("*") if path.name.isdigit() and path.is_dir()]
    if not versions:
        raise ValueError(
            f"{folder} has no version of the model; `vitrine export {name}` builds one"
        )
    return max(versions, key=lambda path: int(path.name))


def load_onnx(
    directory: Path, key: str, threads: int = 1, outputs: tuple[str, ...] = ()
) -> Predict:
    """A signature of the ONNX graph that has it; outputs: only these."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    for file in sorted((directory / "assets.extra" / "onnx").glob("*.onnx")):
        session = ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        names = [output.name.partition("/") for output in session.get_outputs()]
        if found := [output for signature, _, output in names if signature == key]:
            break
    else:
        raise ValueError(f"{directory} has no ONNX graph of {key}")
    only_these = ort.RunOptions()
    only_these.only_execute_path_to_fetches = True
    wanted = outputs or found
    fetches = [f"{key}/{output}" for output in wanted]
    return lambda given: dict(zip(wanted, session.run(fetches, given, only_these), strict=True))


def load_tensorflow(directory: Path, threads: int = 1) -> dict[str, Predict]:
    """Every signature of a SavedModel by name."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    loaded = tf.saved_model.load(str(directory))

    def caller(signature: Any) -> Predict:
        def call(given: Arrays) -> Arrays:
            assert loaded is not None  # it owns the variables that the signature reads
            outputs = signature(**{name: tf.constant(array) for name, array in given.items()})
            return {name: tensor.numpy() for name, tensor in outputs.items()}

        return call

    return {name: caller(signature) for name, signature in loaded.signatures.items()}
