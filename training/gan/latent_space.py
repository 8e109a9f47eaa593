"""Statistics of w: its mean and spread, and the quality of the directions in it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from scipy.stats import spearmanr

from training import evaluation
from training.digits.reference_classifier import ReferenceClassifier
from training.evaluation.batches import in_batches
from training.gan import attributes as gan_attributes
from training.gan import directions as gan_directions
from training.gan import model as gan_model
from training.gan.images import to_greys
from training.gan.model import DIGITS, Gan
from training.job import Splits

MEAN_OF, MOVED = 2_000, 200  # latent vectors: of each digit; of all
SCALED_ON = 1_000  # training images
STRENGTHS = np.linspace(-2, 2, 9)
CHUNK = 500


class NumpyGenerator:
    """A generator on NumPy arrays, in chunks."""

    def __init__(self, model: Gan) -> None:
        networks = gan_model.parts(model)
        self.z_size = model.z_size
        self._mapping = tf.function(networks["mapping"], reduce_retracing=True)
        self._synthesis = tf.function(
            lambda w: to_greys(networks["synthesis"](w, training=False)), reduce_retracing=True
        )

    def draw(self, digits: np.ndarray, seed: int) -> np.ndarray:
        """One w for each digit, float32 [B, W]."""
        z = np.random.default_rng(seed).standard_normal((len(digits), self.z_size), np.float32)
        w: np.ndarray = self._mapping([tf.constant(z), tf.constant(digits, tf.int32)]).numpy()
        return w

    def synthesize(self, w: np.ndarray) -> np.ndarray:
        """Images uint8 [B, 28, 28, 1] of w [B, W]."""
        return in_batches(self._synthesis, w.astype(np.float32), rows=CHUNK)


def calibrate(model: Gan, splits: Splits, classifier: ReferenceClassifier) -> dict[str, Any]:
    """Constants for signatures and manifest, besides the weights.

    class_means float32 [10, W], w_mean and w_std, the power of the loss's maps, and the directions.
    """
    generator = NumpyGenerator(model)
    digits = np.repeat(np.arange(DIGITS), MEAN_OF)
    w = generator.draw(digits, seed=11)
    means = w.reshape(DIGITS, MEAN_OF, -1).mean(axis=1)
    ink = tf.constant(splits.train.images[:SCALED_ON].astype(np.float32) / 127.5 - 1)
    maps = gan_model.parts(model)["loss_maps"](ink, training=False)
    w_std = float(np.sqrt(((w - means.mean(axis=0)) ** 2).mean()))
    found = gan_directions.find(model, w_std)
    others = generator.draw(
        np.arange(MOVED) % DIGITS, seed=13
    )  # that no direction was learned from
    return {
        "class_means": means.astype(np.float32),
        "w_mean": [round(float(x), 6) for x in means.mean(axis=0)],
        "w_std": w_std,
        "map_power": [float(tf.reduce_mean(part**2)) for part in maps],
        "directions": {
            name: move(generator, classifier, others, name, *one) for name, one in found.items()
        },
    }


def move(
    generator: NumpyGenerator,
    classifier: ReferenceClassifier,
    w: np.ndarray,
    name: str,
    vector: np.ndarray,
    sigma: float,
) -> dict[str, Any]:
    """Move latent vectors [B, W] along a direction; measure the wanted and the unwanted changes."""
    steps = STRENGTHS[:, None, None] * sigma * vector
    images = generator.synthesize((w + steps).reshape(-1, w.shape[1]))
    measured = {
        key: column.reshape(len(STRENGTHS), len(w))
        for key, column in gan_attributes.measure(images).items()
    }
    middle = len(STRENGTHS) // 2
    changes = {key: column - column[middle] for key, column in measured.items()}
    strengths = np.broadcast_to(STRENGTHS[:, None], (len(STRENGTHS), len(w))).ravel()
    rho = {key: float(spearmanr(strengths, change.ravel())[0]) for key, change in changes.items()}
    seen = classifier(images).argmax(axis=1).reshape(len(STRENGTHS), -1)
    slope = np.polyfit(strengths, changes[name].ravel(), 1)[0]
    return {
        "vector": [round(float(x), 6) for x in vector],
        "sigma": float(sigma),
        "unit": gan_attributes.UNITS[name],
        "per_sigma": float(slope),
        "rho": rho[name],
        "leakage": {key: value for key, value in rho.items() if key != name},
        "class_kept": dict(evaluation.proportion(int((seen == seen[middle]).sum()), seen.size)),
    }


def listed(found: Mapping[str, Any]) -> dict[str, float]:
    """The directions' metrics for the card: strength, leakage, digit kept."""
    results: dict[str, Any] = {}
    for name, one in found.items():
        results[f"direction_{name}_rho"] = one["rho"]
        results[f"direction_{name}_largest_leakage"] = max(abs(x) for x in one["leakage"].values())
        results[f"direction_{name}_digit_kept"] = one["class_kept"]
    return results
