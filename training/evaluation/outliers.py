"""Mahalanobis distance of an image from the training data of a classifier.

After Lee et al. (2018), "A Simple Unified Framework for Detecting Out-of-Distribution Samples": for
each selected layer, the distance of its features to the nearest class mean under the shared covariance.
The logarithms of these distances are standardized on validation images and averaged. Nothing is
fitted to outliers.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

IN_DISTRIBUTION = 0.995  # share of validation images below the threshold
RIDGE = 1e-2  # fraction of the mean variance, added to every variance, so that dead units have no influence

Features = Mapping[str, Any]  # layer name → [B, H, W, C] or [B, C]


def pool(features: Features) -> dict[str, tf.Tensor]:
    """Mean over the positions of each map: [B, C] for every layer."""
    return {n: tf.reduce_mean(f, [1, 2]) if f.ndim == 4 else f for n, f in features.items()}


def quarters(features: Features) -> dict[str, tf.Tensor]:
    """Means over the four quarters of each map, as one vector of length 1: [B, 4C] for every layer.

    Maps are square; quarters of an odd side share its middle. A map of one place is taken as it is: [B, C].
    """
    return {name: tf.math.l2_normalize(_quarters(maps), axis=1) for name, maps in features.items()}


def _quarters(maps: Any) -> tf.Tensor:
    side, channels = maps.shape[1], maps.shape[3]
    if side == 1:
        return tf.reshape(maps, [-1, channels])
    half = (side + 1) // 2
    return tf.reshape(tf.nn.avg_pool2d(maps, half, side - half, "VALID"), [-1, 4 * channels])


class FeatureSource(NamedTuple):
    """The layers of the score, and the pooling of their maps."""

    layers: tuple[str, ...]
    pool: Callable[[Features], dict[str, tf.Tensor]] = pool


def fit(
    train: Features,
    labels: np.ndarray,
    validation: Features,
    in_distribution: float = IN_DISTRIBUTION,
) -> dict[str, Any]:
    """Numbers and arrays that `score` needs, from pooled features [B, C] of each layer.

    The threshold is the score that a share of `in_distribution` of the validation images does not exceed.
    """
    fitted: dict[str, Any] = {}
    for name, features in train.items():
        fitted |= {f"{name}_{key}": array for key, array in _classes(features, labels).items()}
        distance = np.asarray(_distance(validation[name], name, fitted))
        fitted |= {
            f"{name}_centre": float(distance.mean()),
            f"{name}_spread": float(distance.std()),
        }
    raw = np.asarray(_mean_distance(validation, fitted))
    threshold = float(np.quantile(raw, in_distribution))
    return fitted | {"outlier_threshold": threshold, "outlier_scale": float(raw.std())}


def score(features: Features, fitted: Mapping[str, Any]) -> tf.Tensor:
    """Score in 0..1, [B], from pooled features; above 0.5 means "unlike the training data"."""
    raw = _mean_distance(features, fitted)
    return tf.sigmoid((raw - fitted["outlier_threshold"]) / fitted["outlier_scale"])


def _mean_distance(features: Features, fitted: Mapping[str, Any]) -> tf.Tensor:
    standardized = [
        (_distance(layer, name, fitted) - fitted[f"{name}_centre"]) / fitted[f"{name}_spread"]
        for name, layer in features.items()
    ]
    return tf.add_n(standardized) / len(standardized)


def _classes(features: Any, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Class means [K, C], and a matrix [C, C] under which distances are Euclidean."""
    array = np.asarray(features, np.float64)
    means = np.stack([array[labels == k].mean(axis=0) for k in range(labels.max() + 1)])
    centred = array - means[labels]
    covariance = centred.T @ centred / len(array)
    covariance += np.eye(len(covariance)) * (RIDGE * np.trace(covariance) / len(covariance))
    whitening = np.linalg.inv(np.linalg.cholesky(covariance)).T
    return {"means": means.astype(np.float32), "whitening": whitening.astype(np.float32)}


def _distance(features: Any, name: str, fitted: Mapping[str, Any]) -> tf.Tensor:
    """Logarithm of the squared distance to the nearest class mean, [B]."""
    whitening = fitted[f"{name}_whitening"]
    points, means = tf.matmul(features, whitening), tf.matmul(fitted[f"{name}_means"], whitening)
    squared = tf.reduce_sum((points[:, None] - means[None]) ** 2, axis=2)
    return tf.math.log(tf.reduce_min(squared, axis=1) + 1e-6)
