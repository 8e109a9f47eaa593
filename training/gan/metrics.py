"""Distances between two sets of images, from features [N, D] of a network."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy  # whose parts are imported when they are used


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Distance of the two normal distributions with the sets' means and covariances (Heusel et al., 2017).

    ‖μ₁ - μ₂‖² + tr(Σ₁ + Σ₂ - 2 (Σ₁^½ Σ₂ Σ₁^½)^½). It falls with the number of images: compare equal ones.
    """
    means = first.mean(axis=0) - second.mean(axis=0)
    one, two = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    values, vectors = scipy.linalg.eigh(one)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    common = np.sqrt(np.clip(scipy.linalg.eigvalsh(root @ two @ root), 0, None)).sum()
    return float(means @ means + np.trace(one) + np.trace(two) - 2 * common)


def kernel_distance(first: np.ndarray, second: np.ndarray) -> float:
    """KID: the unbiased squared maximum mean discrepancy with the kernel (x·y/D + 1)³ (Bińkowski, 2018)."""
    size = first.shape[1]
    within = []
    for one in (first, second):
        kernel = (one @ one.T / size + 1) ** 3
        within.append((kernel.sum() - np.trace(kernel)) / (len(one) * (len(one) - 1)))
    between = ((first @ second.T / size + 1) ** 3).mean()
    return float(sum(within) - 2 * between)


def precision_recall(real: np.ndarray, generated: np.ndarray) -> tuple[float, float]:
    """Share of generated within the real manifold, and of real within the generated one.

    A manifold: balls around its points as far as the third neighbour (Kynkäänniemi et al., 2019).
    """
    return _covered(generated, real), _covered(real, generated)


def density_coverage(real: np.ndarray, generated: np.ndarray) -> tuple[float, float]:
    """Density and coverage: balls around real points per generated point, and the share of balls that contain any.

    A ball reaches as far as its point's fifth neighbour, five expected in each: both numbers are near 1
    for two sets of one distribution (Naeem et al., 2020). No ball is around a generated point, where a
    strange one would have a large ball and make recall look good.
    """
    neighbours = 5
    radii = _radii(real, neighbours)

    def count(apart: np.ndarray, start: int) -> np.ndarray:
        return np.asarray((apart < radii[start : start + len(apart), None]).sum(axis=1))

    held = _distances(real, generated, reduce_func=count)
    counts = np.concatenate(list(held))  # of each ball
    return float(counts.sum() / neighbours / len(generated)), float((counts > 0).mean())


def spread(features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Mean distance of two different images of one class, for each class from 0 on: float64 [C]."""
    classes = range(labels.max() + 1)
    return np.array(
        [scipy.spatial.distance.pdist(features[labels == label]).mean() for label in classes]
    )


def _covered(asked: np.ndarray, known: np.ndarray) -> float:
    radii = _radii(known, 3)
    inside = [(apart <= radii).any(axis=1) for apart in _distances(asked, known)]
    return float(np.concatenate(inside).mean())


def _radii(points: np.ndarray, neighbours: int) -> np.ndarray:
    """Distance of each point from that neighbour of it, [N]."""
    found = [
        np.partition(apart, neighbours)[:, neighbours]  # position 0 is the point itself
        for apart in _distances(points)
    ]
    return np.concatenate(found)


def _distances(*points: np.ndarray, **options: Any) -> Iterator[np.ndarray]:
    """The distances of each point of the first set to all of the last, some rows at a time."""
    from sklearn.metrics import pairwise_distances_chunked  # a second to import, for this alone

    return pairwise_distances_chunked(*points, **options)
