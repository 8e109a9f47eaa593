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
    """A directory as `tf.saved_model.load` gives it."""

    def __init__(self, tensorflow: Any, directory: Path) -> None:
        self._constant = tensorflow.constant
        self._loaded = tensorflow.saved_model.load(str(directory))
        self._signatures = dict(self._loaded.signatures)

    def run(self, signature: str, inputs: Arrays) -> dict[str, np.ndarray]:
        """Call the signature's concrete function; no Python function is traced, whatever the shape."""
        tensors = {name: self._constant(array) for name, array in inputs.items()}
        outputs = self._signatures[signature](**tensors)
        return {name: tensor.numpy() for name, tensor in outputs.items()}

    def is_thread_free(self, signature: str) -> bool:
        """False: TensorFlow hands its work to threads of its own."""
        return False

    def name_of(self, signature: str) -> EngineName:
        """TensorFlow."""
        return "tensorflow"


def load_tensorflow(directory: Path) -> Engine:
    """Load a SavedModel directory; TensorFlow's own exceptions (six kinds) pass through."""
    return TensorFlowEngine(_import_tensorflow(), directory)


@functools.cache
def _import_tensorflow() -> Any:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with without_noise():
        import tensorflow as tf

    # Measured, see docs/decisions/0004: handing small work to more threads costs more than it gives.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    # The import leaves half a million objects that stay: a full garbage collection that walks them
    # stops every request for over 100 ms.
    gc.collect()
    gc.freeze()
    return tf
