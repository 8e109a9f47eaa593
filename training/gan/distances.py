"""Distances of generated images from the test split in two feature spaces, with reference values.

`frechet_…`, `kernel_…` and the shares use the 128 features of the released `digits` network, which
took no part in the training; `frechet_efficientnet_…` uses the 1280 features of a photo network. They are not
comparable with published figures. Both sets have the same number of images, as distances depend on it.
"""

from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from training.digits.reference_classifier import ReferenceClassifier
from training.gan import metrics as gan_metrics
from training.job import Split, Splits
from training.pretrained import frozen_features, photo_features
from training.vae.model import Vae
from training.vae.numpy_vae import NumpyVae

BLUR = 1.0  # blur in pixels of test images, for reference distances
FLOOR = "train_floor"


def distances(
    classifier: ReferenceClassifier, vae: Vae, generated: Split, splits: Splits
) -> dict[str, Any]:
    """All distances of generated images from the test split, and those of samples of `vae`."""
    images, digits = generated
    test = splits.test.images[: len(images)]
    others = compared(images[: len(test)], test, splits, vae)
    real = classifier.features(test)
    features = {name: classifier.features(one) for name, one in others.items()}
    results: dict[str, Any] = {}
    for kind, measure in (
        ("frechet", gan_metrics.frechet_distance),
        ("kernel", gan_metrics.kernel_distance),
    ):
        results |= {f"{kind}_{name}": measure(real, one) for name, one in features.items()}
    results |= by_photographs(test, others)
    results |= shares(real, features["generated"], "")
    results |= shares(real, features[FLOOR], "_of_train")
    return results | variety(real, splits.test.labels[: len(test)], features, digits[: len(test)])


def compared(
    images: np.ndarray, test: np.ndarray, splits: Splits, vae: Vae
) -> dict[str, np.ndarray]:
    """Sets of as many images: the generated ones, training digits, a VAE's, and the test's blurred."""
    return {
        "generated": images,
        FLOOR: splits.train.images[: len(test)],
        "vae": vae_samples(vae, len(test)),
        "blurred_test": gaussian_filter(test.astype(float), (0, BLUR, BLUR, 0)).round(),
    }


def by_photographs(test: np.ndarray, others: dict[str, np.ndarray]) -> dict[str, Any]:
    """Fréchet distances in the space of EfficientNet-Lite0, and how they are to be read."""
    network, results = photo_features.make_network(), {}
    real = frozen_features.predict(network, test, "test").astype(np.float64)
    for name, images in others.items():
        features = frozen_features.predict(network, images, name).astype(np.float64)
        found = gan_metrics.frechet_distance(real, features)
        results[f"frechet_efficientnet_{name}"] = found
    note = (
        f"a covariance of {photo_features.SIZE} numbers from {len(test):,} images is noisy, and the noise makes every "
        "distance larger: compare them with the train floor"
    )
    return results | {"frechet_efficientnet_note": note}


def shares(real: np.ndarray, other: np.ndarray, of: str) -> dict[str, float]:
    """Precision and recall (k = 3), density and coverage (k = 5) of a set relative to the test split."""
    precision, recall = gan_metrics.precision_recall(real, other)
    density, coverage = gan_metrics.density_coverage(real, other)
    return {
        f"precision{of}": precision,
        f"recall{of}": recall,
        f"density{of}": density,
        f"coverage{of}": coverage,
    }


def variety(
    real: np.ndarray, labels: np.ndarray, features: dict[str, np.ndarray], digits: np.ndarray
) -> dict[str, Any]:
    """Mean distance between images of one digit, divided by that of test digits."""
    of_each = gan_metrics.spread(features["generated"], digits) / gan_metrics.spread(real, labels)
    return {
        "diversity_within_a_digit": float(of_each.mean()),
        "smallest_diversity_within_a_digit": float(of_each.min()),
        "diversity_of_each_digit": [round(float(ratio), 4) for ratio in of_each],
    }


def vae_samples(network: Vae, count: int) -> np.ndarray:
    """Images of an autoencoder, from the standard normal distribution."""
    z = np.random.default_rng(33).standard_normal((count, network.latent_dim), np.float32)
    return NumpyVae(network).decode(z)
