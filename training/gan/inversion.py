"""Quality of projections: the error of the image, and whether the latent vector is found.

Real digits have no known vector. Generated ones do, so projecting them shows whether the projection
finds it again.
"""

import time
from typing import Any

import numpy as np

from training import evaluation
from training.digits.reference_classifier import ReferenceClassifier
from training.gan.model import DIGITS
from training.gan.projection import LOSSES
from training.gan.signature_runner import SignatureRunner

ROWS = 16  # images projected at once
HOME = 0.3  # of w's standard deviation: so near a vector counts as found


def projections(
    runner: SignatureRunner, classifier: ReferenceClassifier, images: np.ndarray, steps: int
) -> dict[str, Any]:
    """Errors of projected real digits uint8 [B, 28, 28, 1], with either loss, after several numbers of steps."""
    seen = classifier(images).argmax(axis=1)
    guess = runner("encode", images=images)["w"]
    results: dict[str, Any] = {"projection_steps": steps}
    results["psnr_of_the_encoders_guess"] = psnr(runner("synthesize", w=guess)["images"], images)
    for number, name in enumerate(LOSSES):
        began = time.monotonic()
        found = runner.project(images, guess, steps=steps, loss=number, rows=ROWS)
        seconds = time.monotonic() - began
        kept = classifier(found["images"]).argmax(axis=1) == seen
        results[f"projection_{name}_psnr"] = psnr(found["images"], images)
        results[f"projection_{name}_digit_kept"] = evaluation.proportion(int(kept.sum()), len(kept))
        results[f"projection_{name}_seconds_each_in_{ROWS}"] = seconds / len(images)
    began = time.monotonic()
    runner.project(images[:1], guess[:1], steps=steps, loss=0, rows=1)
    return results | {"projection_perceptual_seconds_alone": time.monotonic() - began}


def self_inversion(runner: SignatureRunner, count: int, steps: int) -> dict[str, Any]:
    """Errors of projected generated digits with a known w, in w and in the image.

    The halves of w are measured apart: an image shows less of the fine one.
    """
    images, w = runner.sample(np.arange(count) % DIGITS, seed=38)
    guess = runner("encode", images=images)["w"]
    found = runner.project(images, guess, steps=steps, loss=0, rows=ROWS)
    half = w.shape[1] // 2
    parts = {"": slice(None), "_coarse": slice(0, half), "_fine": slice(half, None)}
    results: dict[str, Any] = {"self_inversion_psnr": psnr(found["images"], images)}
    for name, columns in parts.items():
        apart = distance(found["w"][:, columns], w[:, columns])
        results[f"self_inversion_distance{name}"] = float(apart.mean())
    results["self_inversion_distance_of_the_encoders_guess"] = float(distance(guess, w).mean())
    home = int((distance(found["w"], w) <= HOME).sum())
    return results | {f"self_inversion_within_{HOME}": evaluation.proportion(home, count)}


def distance(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """‖found - wanted‖ of each row of two [B, W] over the root mean square of ‖wanted - its mean‖: [B]."""
    size = np.sqrt(((wanted - wanted.mean(axis=0)) ** 2).sum(axis=1).mean())
    apart: np.ndarray = np.linalg.norm(found - wanted, axis=1) / size
    return apart


def psnr(found: np.ndarray, wanted: np.ndarray) -> float:
    """Mean over images uint8 [B, 28, 28, 1] of 10 log₁₀(255² / mean squared error), in dB."""
    errors = ((found.astype(float) - wanted) ** 2).mean(axis=(1, 2, 3))
    return float((10 * np.log10(255**2 / np.maximum(errors, 1e-6))).mean())
