"""Code shared by all peer servers: an image file → 28×28, and the course's network for a batch.

BENCHMARK_MODEL is the folder of a version of `digits-course`, BENCHMARK_ENGINE onnx or tensorflow.
"""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SIDE = 28
Predict = Callable[[np.ndarray], np.ndarray]  # uint8 [B, 28, 28, 1] → probabilities [B, 10]


def decode(body: bytes) -> np.ndarray:
    """An image's bytes → uint8 [28, 28, 1]."""
    with Image.open(io.BytesIO(body)) as image:
        return prepare(image)


def prepare(image: Image.Image) -> np.ndarray:
    """An opened image → uint8 [28, 28, 1]."""
    grey = image.convert("L")
    if grey.size != (SIDE, SIDE):
        grey = grey.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.asarray(grey)[..., np.newaxis]


def load() -> Predict:
    """The network on one thread."""
    directory = Path(os.environ["BENCHMARK_MODEL"])
    if os.environ["BENCHMARK_ENGINE"] == "onnx":
        return _load_onnx(directory)
    return _load_tensorflow(directory)


def _load_onnx(directory: Path) -> Predict:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    file = directory / "assets.extra" / "onnx" / "images.onnx"
    session = ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    wanted = ["serving_default/probabilities"]
    return lambda images: session.run(wanted, {"images": images})[0]


def _load_tensorflow(directory: Path) -> Predict:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    loaded = tf.saved_model.load(str(directory))
    signature = loaded.signatures["serving_default"]

    def predict(images: np.ndarray) -> np.ndarray:
        assert loaded  # its variables live as long as it does
        return signature(images=tf.constant(images))["probabilities"].numpy()

    return predict


def answer(probabilities: np.ndarray) -> dict[str, Any]:
    """Probabilities [10] as JSON values."""
    digit = int(probabilities.argmax())
    scores = probabilities.tolist()
    prediction = {"digit": digit, "probability": scores[digit], "probabilities": scores}
    return {"predictions": [prediction]}
