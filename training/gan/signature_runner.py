"""Runs a GAN's exported signatures on NumPy arrays of any length, so that metrics measure the served functions."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from training.evaluation.batches import in_batches
from training.gan import signatures as gan_signatures
from training.gan.model import Gan

CHUNK = 250


class SignatureRunner:
    """Calls signatures by name, in chunks."""

    def __init__(self, model: Gan, calibration: Mapping[str, Any]) -> None:
        self._z = model.z_size
        self._functions = {
            name: tf.function(signature.function, input_signature=list(signature.inputs.values()))
            for name, signature in gan_signatures.signatures(model, calibration).items()
        }

    def __call__(
        self, signature: str, *, rows: int = CHUNK, **arrays: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Run a signature on arrays [B, …], `rows` at a time; return its outputs [B, …]."""
        function = self._functions[signature]
        return in_batches(
            lambda *parts: function(**dict(zip(arrays, parts, strict=True))),
            *arrays.values(),
            rows=rows,
        )

    def sample(
        self, digits: np.ndarray, seed: int, truncation: float = 1.0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Images of these digits, uint8 [B, 28, 28, 1], and their w; by default without truncation."""
        z = np.random.default_rng(seed).standard_normal((len(digits), self._z), np.float32)
        each = np.full(len(digits), truncation, np.float32)
        made = self("sample", z=z, digit=digits.astype(np.int32), truncation=each)
        return made["images"], made["w"]

    def project(
        self, images: np.ndarray, w: np.ndarray, *, steps: int, loss: int, rows: int
    ) -> dict[str, np.ndarray]:
        """All steps of a projection from w at once."""
        counts = {"step": 0, "steps": steps, "total_steps": steps, "loss": loss}
        whole = {name: np.full(len(w), number, np.int32) for name, number in counts.items()}
        zeros = np.zeros_like(w)
        return self("project", rows=rows, images=images, w=w, m=zeros, v=zeros, **whole)
