"""How good a GAN is: its pictures beside real ones, its projections, and its latent space.

Features and digits are those of the released `digits` network, which took no part in the training:
Fréchet distances here compare with each other and with nothing published. Equal numbers of pictures
everywhere, as the distances depend on them.
"""

import time
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from training import (
    evaluation,
    gan_latents,
    gan_metrics,
    gan_pictures,
    gan_usefulness,
    vae_tools,
)
from training.gan_model import DIGITS, Gan
from training.gan_served import Served
from training.job import Splits
from training.judge import Judge, released_network
from training.picture_grid import grid

GENERATED, LESSON = 10_000, 30_000  # pictures judged; pictures that teach a fresh network
PROJECTED, STEPS, ROWS = 128, 100, 16
MIXED = 500
BLUR = 1.0  # pixels, of the test pictures that show what a distance means
PERFECT = 0.5  # accuracy of the best discriminator against a perfect generator


def evaluate(model: Gan, splits: Splits) -> dict[str, Any]:
    """Return the card's `metrics`, `calibration` and `pictures`; the test split is touched once."""
    judge = Judge()
    calibration = gan_latents.calibrate(model, splits, judge)
    served = Served(model, calibration)
    random = np.random.default_rng(31)
    digits = random.choice(splits.train.labels, GENERATED)
    images, _ = served.sample(digits, seed=32)
    metrics: dict[str, Any] = {"pictures_judged": len(images)}
    metrics |= digits_of(judge, images, digits, splits)
    metrics |= distances(judge, images, splits)
    metrics |= usefulness(served, splits)
    metrics |= against_discriminator(served, images, splits)
    metrics |= projections(served, judge, splits)
    metrics |= halves(served)
    metrics |= gan_latents.listed(calibration["directions"])
    shown = pictures(model, served, calibration, splits)
    return {"metrics": metrics, "calibration": calibration, "pictures": shown}


def digits_of(
    judge: Judge, images: np.ndarray, digits: np.ndarray, splits: Splits
) -> dict[str, Any]:
    """Is each picture the digit that was asked for? And does any digit get lost?"""
    probabilities = judge(images)
    seen = probabilities.argmax(axis=1)
    return {
        "class_conditional_accuracy": evaluation.accuracy(probabilities, digits),
        "class_conditional_accuracy_of_real_test_digits": evaluation.accuracy(
            judge(splits.test.images), splits.test.labels
        ),
        "accuracy_of_each_digit": [
            round(float((seen[digits == digit] == digit).mean()), 4) for digit in range(DIGITS)
        ],
        "smallest_share_of_a_digit": float(np.bincount(seen, minlength=DIGITS).min() / len(seen)),
    }


def distances(judge: Judge, images: np.ndarray, splits: Splits) -> dict[str, Any]:
    """Distances from the test split of generated pictures, and of what they are to be compared with."""
    test = splits.test.images[: len(images)]
    real, generated = judge.features(test), judge.features(images)
    others = {
        "train_floor": splits.train.images[: len(test)],
        "vae": vae_samples(len(test)),
        "blurred_test": gaussian_filter(test.astype(float), (0, BLUR, BLUR, 0)).round(),
    }
    features = {name: judge.features(one) for name, one in others.items()}
    sets = {"generated": generated[: len(real)], **features}
    precision, recall = gan_metrics.precision_recall(real, sets["generated"])
    floor = gan_metrics.precision_recall(real, features["train_floor"])
    return {
        **{
            f"frechet_{name}": gan_metrics.frechet_distance(real, one) for name, one in sets.items()
        },
        **{f"kernel_{name}": gan_metrics.kernel_distance(real, one) for name, one in sets.items()},
        "precision": precision,
        "recall": recall,
        "precision_of_train": floor[0],
        "recall_of_train": floor[1],
    }


def vae_samples(count: int) -> np.ndarray:
    """Pictures of the released `vae`, from the standard normal distribution."""
    network, _ = released_network("vae")
    z = np.random.default_rng(33).standard_normal((count, network.latent_dim), np.float32)
    return vae_tools.Tools(network).decode(z)


def usefulness(served: Served, splits: Splits) -> dict[str, Any]:
    """What a fresh network learns from generated digits alone, and from as many real ones."""
    digits = np.arange(LESSON) % DIGITS
    images, _ = served.sample(digits, seed=34)
    order = np.random.default_rng(35).permutation(len(digits))
    taught = gan_usefulness.taught(images[order], digits[order], splits.test)
    real = gan_usefulness.taught(
        splits.train.images[:LESSON], splits.train.labels[:LESSON], splits.test
    )
    return {
        "test_accuracy_taught_by_generated": evaluation.accuracy(taught, splits.test.labels),
        "test_accuracy_taught_by_real": evaluation.accuracy(real, splits.test.labels),
    }


def against_discriminator(served: Served, images: np.ndarray, splits: Splits) -> dict[str, Any]:
    """How often the discriminator is right; against a perfect generator the best one is half the time."""
    of_real = served("discriminate", images=splits.test.images)["probability_real"] > 0.5
    of_made = served("discriminate", images=images)["probability_real"] < 0.5
    return {
        "discriminator_accuracy_real": evaluation.proportion(int(of_real.sum()), len(of_real)),
        "discriminator_accuracy_generated": evaluation.proportion(int(of_made.sum()), len(of_made)),
        "discriminator_accuracy_against_a_perfect_generator": PERFECT,
    }


def projections(served: Served, judge: Judge, splits: Splits) -> dict[str, Any]:
    """Latent vectors of real test digits: how near their pictures come, by either loss, and how soon."""
    images = splits.test.images[:PROJECTED]
    seen = judge(images).argmax(axis=1)
    guess = served("encode", images=images)["w"]
    told: dict[str, Any] = {"projection_steps": STEPS}
    told["psnr_of_the_encoders_guess"] = psnr(served("synthesize", w=guess)["images"], images)
    for number, name in enumerate(("perceptual", "pixel")):
        began = time.monotonic()
        found = served.project(images, guess, steps=STEPS, loss=number, rows=ROWS)
        seconds = time.monotonic() - began
        kept = judge(found["images"]).argmax(axis=1) == seen
        told[f"projection_{name}_psnr"] = psnr(found["images"], images)
        told[f"projection_{name}_digit_kept"] = evaluation.proportion(int(kept.sum()), len(kept))
        told[f"projection_{name}_seconds_each_in_{ROWS}"] = seconds / len(images)
    began = time.monotonic()
    served.project(images[:1], guess[:1], steps=STEPS, loss=0, rows=1)
    return told | {"projection_perceptual_seconds_alone": time.monotonic() - began}


def halves(served: Served) -> dict[str, float]:
    """How many greys of 255 a picture changes, in the mean, with another's coarse or fine half of w."""
    images, w = served.sample(np.arange(MIXED) % DIGITS, seed=37)
    half, told = w.shape[1] // 2, {}
    for name, columns in (("coarse", slice(0, half)), ("fine", slice(half, None))):
        mixed = w.copy()
        mixed[:, columns] = np.roll(w, 13, axis=0)[:, columns]
        changes = np.abs(served("synthesize", w=mixed)["images"].astype(float) - images)
        told[f"greys_changed_by_another_{name}_half"] = float(changes.mean())
    return told


def psnr(found: np.ndarray, wanted: np.ndarray) -> float:
    """Mean over pictures uint8 [B, 28, 28, 1] of 10 log₁₀(255² / mean squared error), in dB."""
    errors = ((found.astype(float) - wanted) ** 2).mean(axis=(1, 2, 3))
    return float((10 * np.log10(255**2 / np.maximum(errors, 1e-6))).mean())


def pictures(
    model: Gan, served: Served, calibration: dict[str, Any], splits: Splits
) -> dict[str, str]:
    """Samples by training time, samples, edits, mixes, and validation digits with their projections."""

    def synthesize(w: np.ndarray) -> np.ndarray:
        return served("synthesize", w=w.astype(np.float32))["images"]

    digits = np.repeat(np.arange(DIGITS), 12)
    samples, w = served.sample(digits, seed=36)
    first = [np.flatnonzero(splits.validation.labels == d)[:1] for d in range(DIGITS)]
    sent = splits.validation.images[np.concatenate(first)]
    guess = served("encode", images=sent)["w"]
    found = served.project(sent, guess, steps=STEPS, loss=0, rows=ROWS)["images"]
    shown = {
        "samples": grid(samples, 12),
        "edits": gan_pictures.edits(synthesize, w[[48, 85, 108]], calibration["directions"]),
        "mixes": gan_pictures.mixes(synthesize, w[[2, 26, 50, 87, 99, 3, 27, 51, 75, 111]]),
        "projections": grid(np.concatenate([sent, synthesize(guess), found]), len(sent)),
    }
    if model.samples is not None:
        return {"samples_by_training_time": gan_pictures.by_training_time(model.samples)} | shown
    return shown
