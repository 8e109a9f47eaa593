"""Imports Keras and TensorFlow without their start-up messages."""

import importlib
import logging
import os

from service.native_stderr import without_noise


def import_keras() -> None:
    """Import Keras and TensorFlow without messages; commands call it before other imports."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # deprecations inside TensorFlow itself
    with without_noise():
        importlib.import_module("keras")
        importlib.import_module("tensorflow")
