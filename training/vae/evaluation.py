"""Evaluates an autoencoder: likelihood, reconstructions, latent space and anomaly detection.

Likelihoods are of binarised images, one fixed draw of the test split; they compare with published
figures on dynamically binarised MNIST, and with nothing else. All in nats per image.
"""

import math
from typing import Any

import numpy as np
import tensorflow as tf
from scipy.special import logsumexp
from scipy.stats import sem
from sklearn.neighbors import KNeighborsClassifier

from training import evaluation
from training.data.mnist import synthetic_images
from training.digits.reference_classifier import ReferenceClassifier
from training.job import Splits
from training.vae import images as vae_images
from training.vae import model as vae_model
from training.vae.fitting import binarised
from training.vae.model import Vae
from training.vae.numpy_vae import NumpyVae

BOUND_SAMPLES = 10  # samples of z for each image's bound
IMPORTANCE_SAMPLES, IMPORTANCE_IMAGES = 500, 1_000  # Burda et al., 2016
ACTIVE_VARIANCE = 0.01  # minimum variance of an active dimension's mean (ibid.)
PAIRS, SURE = 1_000, 0.9
NEAR = 0.5  # in standard deviations of the prior, root mean square over the dimensions
NEIGHBOURS, NEIGHBOURS_AMONG = 10, 10_000
LETTERS = "ACEFHJKMNPRTUVWXYadefhkmnprtwxy"  # letters that do not look like digits


def evaluate(model: Vae, splits: Splits, classifier: ReferenceClassifier) -> dict[str, Any]:
    """Return the card's `metrics` and `pictures`; the only use of the test split.

    classifier: reads the digits of reconstructed and sampled images.
    """
    vae = NumpyVae(model)
    ink, _ = binarised(splits.test, model.latent_dim, seed=2)
    metrics: dict[str, Any] = {"latent_numbers": model.latent_dim}
    metrics |= likelihood(vae, ink) if model.beta else plain_loss(vae, ink)
    metrics |= bottleneck(vae, splits, classifier)
    metrics |= walking(vae, splits, classifier)
    metrics |= anomalies(vae, splits)
    shown = vae_images.figures(vae, splits)
    return {"metrics": metrics, "calibration": {}, "pictures": shown}


def likelihood(vae: NumpyVae, ink: np.ndarray) -> dict[str, Any]:
    """The bound with its two terms, the importance-weighted likelihood, and the rate of each dimension."""
    each, distortion, active = bound_terms(vae, ink)
    bound = each.sum(axis=1) + distortion
    return {
        "test_negative_elbo": float(bound.mean()),
        "test_negative_elbo_standard_error": float(sem(bound)),
        "test_rate": float(each.sum(axis=1).mean()),
        "test_distortion": float(distortion.mean()),
        **_importance(vae, ink[:IMPORTANCE_IMAGES]),
        "active_units": active,
        "test_rate_of_each_dimension": [round(float(nats), 4) for nats in each.mean(axis=0)],
    }


def bound_terms(vae: NumpyVae, ink: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Rate of each dimension [B, Z] and distortion [B] of images, and the number of active dimensions."""
    generator = np.random.default_rng(3)
    z_mean, z_log_var = vae.encode(ink)
    each = vae_model.kl_per_dimension(z_mean, tf.constant(z_log_var)).numpy()
    distortion = np.zeros(len(ink))
    for _ in range(BOUND_SAMPLES):
        noise = generator.standard_normal(z_mean.shape, np.float32)
        z = z_mean + np.exp(z_log_var / 2) * noise
        distortion += vae.reconstruction_loss(ink, z) / BOUND_SAMPLES
    return each, distortion, int((z_mean.var(axis=0) > ACTIVE_VARIANCE).sum())


def plain_loss(vae: NumpyVae, ink: np.ndarray) -> dict[str, float]:
    """The loss of an autoencoder without distributions: no bound, since a point has no rate."""
    losses = vae.reconstruction_loss(ink, vae.encode(ink)[0])
    return {
        "test_distortion": float(losses.mean()),
        "test_distortion_standard_error": float(sem(losses)),
    }


def _importance(vae: NumpyVae, ink: np.ndarray) -> dict[str, float]:
    """-ln p of each image from importance-weighted samples of z; more samples give a tighter bound."""
    generator = np.random.default_rng(4)
    losses = []
    for image, mean, log_var in zip(ink, *vae.encode(ink), strict=True):
        noise = generator.standard_normal((IMPORTANCE_SAMPLES, len(mean)), np.float32)
        z = mean + np.exp(log_var / 2) * noise
        copies = np.broadcast_to(image, (IMPORTANCE_SAMPLES, *image.shape))
        prior, posterior = (z**2).sum(axis=1), (noise**2 + log_var).sum(axis=1)
        weights = -vae.reconstruction_loss(copies, z) - prior / 2 + posterior / 2
        losses.append(math.log(IMPORTANCE_SAMPLES) - logsumexp(weights))
    name = f"test_importance_weighted_nll_{IMPORTANCE_SAMPLES}"
    return {
        name: float(np.mean(losses)),
        f"{name}_standard_error": float(sem(losses)),
    }


def bottleneck(vae: NumpyVae, splits: Splits, classifier: ReferenceClassifier) -> dict[str, Any]:
    """Share of digits unchanged by reconstruction, and accuracy of nearest neighbours in the latent space."""
    z_mean, _ = vae.encode(splits.test.images / 255)
    returned = vae.decode(z_mean)
    same = classifier(returned).argmax(axis=1) == classifier(splits.test.images).argmax(axis=1)
    error = ((returned.astype(float) - splits.test.images) ** 2).mean()
    known, labels = splits.train.images[:NEIGHBOURS_AMONG], splits.train.labels[:NEIGHBOURS_AMONG]
    neighbours = KNeighborsClassifier(NEIGHBOURS).fit(vae.encode(known / 255)[0], labels)
    voted = neighbours.predict(z_mean)
    return {
        "digits_kept_by_reconstruction": evaluation.proportion(int(same.sum()), len(same)),
        "test_mean_squared_error_of_greys": float(error),
        f"label_by_{NEIGHBOURS}_neighbours": evaluation.proportion(
            int((voted == splits.test.labels).sum()), len(voted)
        ),
    }


def walking(vae: NumpyVae, splits: Splits, classifier: ReferenceClassifier) -> dict[str, Any]:
    """Quality of interpolated images and of samples from the standard normal distribution."""
    generator = np.random.default_rng(5)
    z_mean, _ = vae.encode(splits.test.images / 255)
    first, second = z_mean[generator.integers(0, len(z_mean), (2, PAIRS))]
    between = np.concatenate([(1 - t) * first + t * second for t in (0.25, 0.5, 0.75)])
    drawn = generator.standard_normal((PAIRS, vae.latent_dim), np.float32)
    shares = {"between_two_digits": between, "drawn_from_the_prior": drawn}
    found, _ = vae.encode(vae.decode(drawn) / 255)
    near = np.sqrt(((found - drawn) ** 2).mean(axis=1)) < NEAR
    # A classifier is certain of many non-digits; images from a hole are encoded elsewhere.
    again = {"found_again_drawn_from_the_prior": evaluation.proportion(int(near.sum()), len(near))}
    return again | {
        f"sure_digits_{name}": evaluation.proportion(
            int((classifier(vae.decode(z.astype(np.float32))).max(axis=1) > SURE).sum()), len(z)
        )
        for name, z in shares.items()
    }


def anomalies(vae: NumpyVae, splits: Splits) -> dict[str, Any]:
    """AUROC of the service's reconstruction_loss + kl, for digits against other images."""
    digits = splits.test.images
    generator = np.random.default_rng(6)
    shuffled = generator.permuted(digits[:IMPORTANCE_IMAGES].reshape(-1, 784), axis=1)
    outliers = {
        "letters": synthetic_images(LETTERS, IMPORTANCE_IMAGES, seed=6).images,
        "shuffled_pixels": shuffled.reshape(-1, 28, 28, 1),
        "digits_on_their_side": np.rot90(digits[:IMPORTANCE_IMAGES], axes=(1, 2)),
        "uniform_noise": generator.integers(0, 256, shuffled.shape).reshape(-1, 28, 28, 1),
    }
    of_digits = _anomaly_score(vae, digits)
    return {
        f"anomaly_auroc_{name}": evaluation.auroc(_anomaly_score(vae, images), of_digits)
        for name, images in outliers.items()
    }


def _anomaly_score(vae: NumpyVae, images: np.ndarray) -> np.ndarray:
    ink = (images / 255).astype(np.float32)
    z_mean, z_log_var = vae.encode(ink)
    kl: np.ndarray = vae_model.kl_loss(z_mean, tf.constant(z_log_var)).numpy()
    return vae.reconstruction_loss(ink, z_mean) + kl
