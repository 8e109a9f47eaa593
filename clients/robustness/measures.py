"""Metrics of a classifier from its answers, each with its uncertainty."""

import math
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

Z_95 = 1.959964  # standard normal quantile of a two-sided 95 % interval
_LEAST_PROBABILITY = 1e-12
_BINS = 15


class Proportion(TypedDict):
    """A measured share of `count` examples, with its 95 % interval."""

    value: float
    interval_95: tuple[float, float]
    count: int


def proportion(successes: int, count: int) -> Proportion:
    """Wilson's score interval (1927), which stays inside 0..1 where the normal one does not."""
    from scipy.stats import binomtest  # half a second to import, for this alone

    interval = binomtest(successes, count).proportion_ci(0.95, method="wilson")
    return {
        "value": round(successes / count, 6),
        "interval_95": (round(float(interval.low), 6), round(float(interval.high), 6)),
        "count": count,
    }


def mean_share(is_right: NDArray[np.bool_]) -> Proportion:
    """The mean over kinds of [kinds, N], the same N examples in each kind.

    The examples are the random sample, so the interval (a normal one) is that of the mean over
    examples of the share of kinds.
    """
    of_each = is_right.mean(axis=0)
    mean, count = float(of_each.mean()), of_each.size
    half = Z_95 * float(of_each.std(ddof=1)) / math.sqrt(count) if count > 1 else 0.0
    low, high = max(0.0, mean - half), min(1.0, mean + half)
    return {
        "value": round(mean, 6),
        "interval_95": (round(low, 6), round(high, 6)),
        "count": is_right.size,
    }


def negative_log_likelihood(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Mean of -ln p(label) over [B, C] and [B], in nats."""
    picked = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(picked, _LEAST_PROBABILITY)).mean())


def brier_score(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Mean squared distance of [B, C] to the labels' corners, 0 to 2 (Brier, 1950)."""
    corners = np.eye(probabilities.shape[1])[labels]
    return float(((probabilities - corners) ** 2).sum(axis=1).mean())


def calibration_error(confidence: NDArray[np.float64], is_right: NDArray[np.bool_]) -> float:
    """Expected calibration error over bins of equal width (Guo et al., 2017), a fraction."""
    bin_of = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    return _mean_gap([np.flatnonzero(bin_of == b) for b in range(_BINS)], confidence, is_right)


def equal_mass_calibration_error(
    confidence: NDArray[np.float64], is_right: NDArray[np.bool_], bins: int = _BINS
) -> float:
    """The same over bins that hold equally many examples."""
    order = np.argsort(confidence, kind="stable")
    return _mean_gap(np.array_split(order, bins), confidence, is_right)


def coverage_at(
    accuracy: float, confidence: NDArray[np.float64], is_right: NDArray[np.bool_]
) -> float:
    """The largest share of examples, the surest first, of which `accuracy` are right."""
    order = np.argsort(-confidence, kind="stable")
    wrong = np.cumsum(~is_right[order])
    enough = np.flatnonzero(wrong <= (1 - accuracy) * np.arange(1, len(order) + 1) + 1e-9)
    return float(enough[-1] + 1) / len(order) if enough.size else 0.0


def auroc(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> float:
    """The chance that an outsider scores higher than an insider; a tie counts half."""
    from sklearn.metrics import roc_auc_score  # half a second to import, for this alone

    is_outside = np.repeat([0, 1], [len(inside), len(outside)])
    return float(roc_auc_score(is_outside, np.concatenate([inside, outside])))


def accepted_at_95(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> Proportion:
    """False positive rate at 95 % true positive rate (FPR95; lower is better)."""
    threshold = float(np.quantile(inside, 0.95, method="inverted_cdf"))
    return proportion(int((outside <= threshold).sum()), len(outside))


def _mean_gap(
    bins: list[NDArray[np.int64]], confidence: NDArray[np.float64], is_right: NDArray[np.bool_]
) -> float:
    gaps = [
        len(b) * abs(float(is_right[b].mean()) - float(confidence[b].mean()))
        for b in bins
        if len(b)
    ]
    return sum(gaps) / len(confidence)
