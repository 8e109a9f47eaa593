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

from clients.benchmark.engines import load_onnx, load_tensorflow

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
    directory, key = Path(os.environ["BENCHMARK_MODEL"]), "serving_default"
    if os.environ["BENCHMARK_ENGINE"] == "onnx":
        call = load_onnx(directory, key, outputs=("probabilities",))
    else:
        call = load_tensorflow(directory)[key]
    return lambda images: call({"images": images})["probabilities"]


def answer(probabilities: np.ndarray) -> dict[str, Any]:
    """Probabilities [10] as JSON values."""
    digit = int(probabilities.argmax())
    scores = probabilities.tolist()
    prediction = {"digit": digit, "probability": scores[digit], "probabilities": scores}
    return {"predictions": [prediction]}
