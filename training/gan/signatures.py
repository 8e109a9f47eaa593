"""The signatures of an exported GAN: sample, synthesize, encode, discriminate, project. Images are uint8.

Each row depends only on its own inputs, so any rows may share a batch.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from training.data import mnist
from training.gan import model as gan_model
from training.gan.images import to_greys
from training.gan.model import DIGITS, Gan
from training.gan.projection import LOSSES, Projector
from training.job import Arrays, Signature

TASK = "generate_image"
INPUT = {"height": 28, "width": 28, "channels": 1}
LABELS = [(str(digit), str(digit)) for digit in range(DIGITS)]
LARGEST = 1e3  # limit of z and w; beyond it sums could overflow
PROJECT_ROWS = 16  # maximum rows per run: a projection is a hundred times the work of a sample
GOLDEN_STEPS = 3
TOLERANCE = {
    "images": 2.0,  # tolerance in grey levels: after a projection the last digits of w change an image slightly
    "w": 2e-3,
    "m": 2e-3,
    "v": 2e-3,
    "losses": 2e-3,
    "probability_real": 1e-3,
    "digit_probabilities": 1e-3,
}


def signatures(model: Gan, calibration: Mapping[str, Any]) -> dict[str, Signature]:
    """The five, for latent vectors w float32 [B, W] whose halves are the coarse and the fine styles.

    calibration: the result of `latent_space.calibrate`.
    """
    networks, width = gan_model.parts(model), 2 * model.half
    z, w = _rows(tf.float32, model.z_size), _rows(tf.float32, width)
    images, number, whole = _rows(tf.uint8, 28, 28, 1), _rows(tf.float32), _rows(tf.int32)
    golden, served = _golden(model, calibration), _Functions(networks, calibration)
    project = {"images": images, "w": w, "m": w, "v": w, "step": whole, "steps": whole}
    project |= {"total_steps": whole, "loss": whole}
    sample = {"z": z, "digit": whole, "truncation": number}
    every: dict[str, tuple[Callable[..., Any], dict[str, Any], tuple[str, ...]]] = {
        "sample": (served.sample, sample, ("images", "w")),
        "synthesize": (served.synthesize, {"w": w}, ("images",)),
        "encode": (served.encode, {"images": images}, ("w", "digit_probabilities")),
        "discriminate": (served.discriminate, {"images": images}, ("probability_real",)),
        "project": (served.project, project, ("w", "m", "v", "images", "losses")),
    }
    return {
        name: Signature(
            function,
            inputs,
            {output: TOLERANCE[output] for output in outputs},
            {key: golden[key] for key in inputs},
        )
        for name, (function, inputs, outputs) in every.items()
    }


def manifest_fields(model: Gan, calibration: Mapping[str, Any]) -> dict[str, Any]:
    """The latent vector's parts, its mean, and the directions with how well each was measured."""
    half = model.half
    return {
        "latents": {
            "z": model.z_size,
            "w": 2 * half,
            "coarse": [0, half],
            "fine": [half, 2 * half],
        },
        "w_mean": calibration["w_mean"],
        "w_std": calibration["w_std"],
        "directions": calibration["directions"],
        "batch_limits": {"project": PROJECT_ROWS},
    }


def _golden(model: Gan, calibration: Mapping[str, Any]) -> Arrays:
    """Ten rows for every input, including a projection's first three steps with either loss."""
    random, rows = np.random.default_rng(7), np.arange(10, dtype=np.int32)
    zeros, width = np.zeros((10, 2 * model.half), np.float32), 2 * model.half
    far = random.standard_normal((10, width)).astype(np.float32) * calibration["w_std"]
    return {
        **mnist.golden_digits(),
        "z": random.standard_normal((10, model.z_size)).astype(np.float32),
        "digit": rows,
        "truncation": np.linspace(0, 1, 10, dtype=np.float32),
        "w": np.asarray(calibration["w_mean"], np.float32) + far,
        "m": zeros,
        "v": zeros,
        "step": np.zeros(10, np.int32),
        "steps": np.full(10, GOLDEN_STEPS, np.int32),
        "total_steps": np.full(10, 100, np.int32),
        "loss": rows % len(LOSSES),
    }


class _Functions:
    """The functions of a GAN on tensors, by the names of their inputs."""

    def __init__(self, networks: Mapping[str, Any], calibration: Mapping[str, Any]) -> None:
        self.networks = networks
        self.means = tf.constant(calibration["class_means"], tf.float32)
        self.projector = Projector(
            networks["synthesis"],
            networks["loss_maps"],
            tuple(calibration["map_power"]),
            tf.constant(calibration["w_mean"], tf.float32),
            calibration["w_std"],
        )

    def sample(self, z: tf.Tensor, digit: tf.Tensor, truncation: tf.Tensor) -> dict[str, tf.Tensor]:
        digit = tf.clip_by_value(digit, 0, DIGITS - 1)
        mean = tf.gather(self.means, digit)
        drawn = self.networks["mapping"]([_tame(z), digit], training=False)
        w = mean + truncation[:, None] * (drawn - mean)
        return {**self.synthesize(w), "w": w}

    def synthesize(self, w: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"images": to_greys(self.networks["synthesis"](_tame(w), training=False))}

    def encode(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        guess, logits = self.networks["encoder"](_to_floats(images), training=False)
        return {"w": guess, "digit_probabilities": tf.nn.softmax(logits)}

    def discriminate(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        given = _to_floats(images)
        _, logits = self.networks["encoder"](given, training=False)
        digit = tf.argmax(logits, axis=1, output_type=tf.int32)
        logit, _ = self.networks["discriminator"]([given, digit], training=False)
        return {"probability_real": tf.sigmoid(logit[:, 0])}

    def project(  # noqa: PLR0913 - the tensors of the contract, by name
        self,
        images: tf.Tensor,
        w: tf.Tensor,
        m: tf.Tensor,
        v: tf.Tensor,
        step: tf.Tensor,
        steps: tf.Tensor,
        total_steps: tf.Tensor,
        loss: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        target, pixel = _to_floats(images), loss == LOSSES.index("pixel")
        clock = (step, steps, total_steps)
        w, m, v = self.projector.project(target, (_tame(w), m, v), clock, pixel)
        maps = self.projector.loss_maps(target, training=False)
        losses, made = self.projector.losses(w, target, maps, pixel)
        return {"w": w, "m": m, "v": v, "images": to_greys(made), "losses": losses}


def _rows(dtype: tf.DType, *shape: int) -> tf.TensorSpec:
    return tf.TensorSpec([None, *shape], dtype)


def _tame(values: tf.Tensor) -> tf.Tensor:
    return tf.clip_by_value(values, -LARGEST, LARGEST)


def _to_floats(images: tf.Tensor) -> tf.Tensor:
    return tf.cast(images, tf.float32) / 127.5 - 1
