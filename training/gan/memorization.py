"""Tests whether generated images are copies of training images, by their distance to the nearest one.

A distance is divided by the median distance of test images of the same digit, since a 1 is near to many
others. By chance half of the images are nearer than that, and one in a hundred is nearer than the
nearest hundredth of test images.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from training import evaluation
from training.evaluation.image_grid import grid
from training.job import Split, Splits

SHOWN = 12  # of the most suspicious in each space
RARE = 1  # percent of test images

Features = Callable[[np.ndarray], np.ndarray]


class Nearest(NamedTuple):
    """For each image the training image that is nearest to it."""

    distance: np.ndarray  # float64 [B], Euclidean
    row: np.ndarray  # int64 [B], its place in the training split


def nearest(asked: np.ndarray, known: np.ndarray) -> Nearest:
    """Of each of asked [N, D] the nearest of known [M, D]."""
    from sklearn.metrics import pairwise_distances_argmin  # a second to import, for this alone

    row = pairwise_distances_argmin(asked, known)
    return Nearest(np.linalg.norm(asked - known[row], axis=1).astype(np.float64), row)


def measure(generated: Split, splits: Splits, features: Features) -> tuple[dict[str, Any], str]:
    """Numbers for the card in the features of the reference classifier and in pixels, and a sheet of the most suspicious.

    The sheet, twice two rows: generated images, and below each its nearest training image; first
    by features, then by pixels.
    """
    spaces: Mapping[str, Features] = {"features": features, "pixels": pixels}
    results: dict[str, Any] = {}
    rows = []
    for name, space in spaces.items():
        known = space(splits.train.images)
        found = nearest(space(generated.images), known)
        usual = nearest(space(splits.test.images), known)
        made, real = relative(found, generated.labels, usual, splits.test.labels)
        results |= compare(made, real, name)
        worst = np.argsort(made)[:SHOWN]
        rows += [generated.images[worst], splits.train.images[found.row[worst]]]
    return results, grid(np.concatenate(rows), len(rows[0]))


def relative(
    found: Nearest, digits: np.ndarray, usual: Nearest, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Distances of generated and of test images [B] over the median of their digit's test images."""
    made, real = found.distance.copy(), usual.distance.copy()
    for digit in np.unique(labels):
        median = max(
            np.median(usual.distance[labels == digit]), 1e-6
        )  # typefaces repeat themselves
        made[digits == digit] /= median
        real[labels == digit] /= median
    return made, real


def compare(made: np.ndarray, real: np.ndarray, name: str) -> dict[str, Any]:
    """How much nearer to the training split generated images are than test images; of [B] ratios."""
    limits = {"typical": np.median(real), f"{RARE}_percent_of": np.percentile(real, RARE)}
    results: dict[str, Any] = {f"nearest_training_{name}_median_ratio": float(np.median(made))}
    for limit, value in limits.items():
        nearer = int((made < value).sum())
        results[f"nearer_in_{name}_than_{limit}_test"] = evaluation.proportion(nearer, len(made))
    return results


def pixels(images: np.ndarray) -> np.ndarray:
    """Images uint8 [B, 28, 28, 1] as float32 [B, 784] in 0..1."""
    return images.reshape(len(images), -1).astype(np.float32) / 255
