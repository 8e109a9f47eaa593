"""Runs SavedModels with TensorFlow; the only module of the service that imports it.

The import takes seconds, so it happens with the first load, not at the start of the service.
"""

import functools
import gc
import os
from pathlib import Path
from typing import Any

import numpy as np

from service.engine import Arrays, Engine, EngineName
from service.native_stderr import without_noise


class TensorFlowEngine:
    """A directory loaded by `tf.saved_model.load`."""

    name: EngineName = "tensorflow"
    is_thread_free = False  # TensorFlow uses its own threads

    def __init__(self, tensorflow: Any, directory: Path) -> None:
        self._constant = tensorflow.constant
        self._loaded = tensorflow.saved_model.load(str(directory))
        self._signatures = dict(self._loaded.signatures)

    def run(self, signature: str, inputs: Arrays) -> dict[str, np.ndarray]:
        """Call the signature's concrete function; no Python function is traced for any shape."""
        tensors = {name: self._constant(array) for name, array in inputs.items()}
        outputs = self._signatures[signature](**tensors)
        return {name: tensor.numpy() for name, tensor in outputs.items()}


def load_tensorflow(directory: Path) -> Engine:
    """Load a SavedModel directory; TensorFlow's own exceptions (six kinds) pass through."""
    return TensorFlowEngine(_import_tensorflow(), directory)


@functools.cache
def _import_tensorflow() -> Any:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with without_noise():
        import tensorflow as tf

    # Measured, see docs/decisions/0004: for small work more threads cost more than they gain.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    # The import creates half a million permanent objects: a full garbage collection that visits them
    # stops every request for over 100 ms.
    gc.collect()
    gc.freeze()
    return tf
