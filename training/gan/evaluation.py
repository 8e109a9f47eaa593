"""Evaluates a GAN: its images compared with real ones, its projections, and its latent space.

Digits are classified by the released `digits` network, which took no part in the training. Real images
are those of the test split, which was not used for any choice.
"""

from typing import Any

import numpy as np

from training import evaluation
from training.digits.reference_classifier import ReferenceClassifier
from training.evaluation.image_grid import grid
from training.gan import accuracy_chart
from training.gan import distances as gan_distances
from training.gan import images as gan_images
from training.gan import inversion as gan_inversion
from training.gan import latent_space as gan_latent_space
from training.gan import memorization as gan_memorization
from training.gan import metrics as gan_metrics
from training.gan import train_on_generated as gan_train_on_generated
from training.gan.model import DIGITS, Gan
from training.gan.signature_runner import SignatureRunner
from training.job import Split, Splits
from training.vae.model import Vae

GENERATED, TRAINED_ON = 10_000, 55_000  # images measured; images that a fresh network is trained on
PROJECTED, STEPS = 128, 100
MIXED = 500
TYPICAL = 0.85  # a truncation at which validation digits have both precision and recall to spare


def evaluate(
    model: Gan, splits: Splits, classifier: ReferenceClassifier, vae: Vae
) -> dict[str, Any]:
    """Return the card's `metrics`, `calibration` and `pictures`; the test split is touched once.

    classifier: classifies the digits; vae: an autoencoder whose samples are measured for comparison.
    """
    calibration = gan_latent_space.calibrate(model, splits, classifier)
    runner = SignatureRunner(model, calibration)
    digits = np.random.default_rng(31).choice(splits.train.labels, GENERATED)
    images, _ = runner.sample(digits, seed=32)
    metrics: dict[str, Any] = {"pictures_judged": len(images)}
    metrics |= digits_of(classifier, images, digits, splits)
    metrics |= gan_distances.distances(classifier, vae, Split(images, digits), splits)
    metrics |= truncated(runner, classifier, digits, splits)
    copied, suspicious = gan_memorization.measure(
        Split(images, digits), splits, classifier.features
    )
    metrics |= copied
    metrics |= usefulness(runner, splits)
    metrics |= against_discriminator(runner, images, splits)
    metrics |= gan_inversion.projections(runner, classifier, splits.test.images[:PROJECTED], STEPS)
    metrics |= gan_inversion.self_inversion(runner, PROJECTED, STEPS)
    metrics |= halves(runner)
    metrics |= gan_latent_space.listed(calibration["directions"])
    shown = figures(model, runner, calibration, splits)
    shown["most_like_a_training_picture_and_that_one_below"] = suspicious
    return {"metrics": metrics, "calibration": calibration, "pictures": shown}


def digits_of(
    classifier: ReferenceClassifier, images: np.ndarray, digits: np.ndarray, splits: Splits
) -> dict[str, Any]:
    """The share of images that show the requested digit, in total and for each digit."""
    probabilities = classifier(images)
    seen = probabilities.argmax(axis=1)
    return {
        "class_conditional_accuracy": evaluation.accuracy(probabilities, digits),
        "class_conditional_accuracy_of_real_test_digits": evaluation.accuracy(
            classifier(splits.test.images), splits.test.labels
        ),
        "accuracy_of_each_digit": [
            round(float((seen[digits == digit] == digit).mean()), 4) for digit in range(DIGITS)
        ],
        "smallest_share_of_a_digit": float(np.bincount(seen, minlength=DIGITS).min() / len(seen)),
    }


def truncated(
    runner: SignatureRunner, classifier: ReferenceClassifier, digits: np.ndarray, splits: Splits
) -> dict[str, Any]:
    """The same z closer to their digit's mean: more realistic images with less variety."""
    images, _ = runner.sample(digits, seed=32, truncation=TYPICAL)
    real = classifier.features(splits.test.images[: len(images)])
    precision, recall = gan_metrics.precision_recall(real, classifier.features(images)[: len(real)])
    at = f"at_truncation_{TYPICAL}"
    return {f"precision_{at}": precision, f"recall_{at}": recall}


def usefulness(runner: SignatureRunner, splits: Splits) -> dict[str, Any]:
    """Accuracy of a new network trained only on generated digits, and on as many real ones.

    The generated ones show the digits that the real ones do, so that only the images differ.
    """
    images, digits = (part[:TRAINED_ON] for part in splits.train)
    made, _ = runner.sample(digits, seed=34)
    results: dict[str, Any] = {"pictures_that_teach": len(digits)}
    for name, training_images in (("generated", made), ("real", images)):
        logits = gan_train_on_generated.classifier_trained_on(
            training_images, digits, splits.test, name
        )
        results[f"test_accuracy_taught_by_{name}"] = evaluation.accuracy(logits, splits.test.labels)
    return results


def against_discriminator(
    runner: SignatureRunner, images: np.ndarray, splits: Splits
) -> dict[str, Any]:
    """The discriminator's accuracy; against a perfect generator the best one has a half."""
    of_real = runner("discriminate", images=splits.test.images)["probability_real"] > 0.5
    of_made = runner("discriminate", images=images)["probability_real"] < 0.5
    return {
        "discriminator_accuracy_real": evaluation.proportion(int(of_real.sum()), len(of_real)),
        "discriminator_accuracy_generated": evaluation.proportion(int(of_made.sum()), len(of_made)),
        "discriminator_accuracy_against_a_perfect_generator": accuracy_chart.PERFECT,
    }


def halves(runner: SignatureRunner) -> dict[str, float]:
    """Mean change of an image, in grey levels of 255, with another's coarse or fine half of w."""
    images, w = runner.sample(np.arange(MIXED) % DIGITS, seed=37)
    half, results = w.shape[1] // 2, {}
    for name, columns in (("coarse", slice(0, half)), ("fine", slice(half, None))):
        mixed = w.copy()
        mixed[:, columns] = np.roll(w, 13, axis=0)[:, columns]
        changes = np.abs(runner("synthesize", w=mixed)["images"].astype(float) - images)
        results[f"greys_changed_by_another_{name}_half"] = float(changes.mean())
    return results


def figures(
    model: Gan, runner: SignatureRunner, calibration: dict[str, Any], splits: Splits
) -> dict[str, str]:
    """Samples and the discriminator by training time, samples, edits, mixes, and projected digits."""

    def synthesize(w: np.ndarray) -> np.ndarray:
        return runner("synthesize", w=w.astype(np.float32))["images"]

    digits = np.repeat(np.arange(DIGITS), 12)
    samples, w = runner.sample(digits, seed=36)
    first = [np.flatnonzero(splits.validation.labels == d)[:1] for d in range(DIGITS)]
    sent = splits.validation.images[np.concatenate(first)]
    guess = runner("encode", images=sent)["w"]
    found = runner.project(sent, guess, steps=STEPS, loss=0, rows=gan_inversion.ROWS)["images"]
    shown = {
        "samples": grid(samples, 12),
        "edits": gan_images.edits(synthesize, w[[48, 85, 108]], calibration["directions"]),
        "mixes": gan_images.mixes(synthesize, w[[2, 26, 50, 87, 99, 3, 27, 51, 75, 111]]),
        "projections": grid(np.concatenate([sent, synthesize(guess), found]), len(sent)),
    }
    past = {}
    if model.samples is not None:
        past["samples_by_training_time"] = gan_images.by_training_time(model.samples)
    if model.past is not None:
        curves = model.past["accuracy_real"], model.past["accuracy_generated"]
        past["discriminator_accuracy_by_training_time"] = accuracy_chart.draw(*curves)
    return past | shown
