"""Quality metrics of classifiers, with their uncertainty."""

from typing import Any, TypedDict

import numpy as np
import scipy  # whose parts are imported when they are used

_BINS = 15  # of the calibration error


class Proportion(TypedDict):
    """A measured share of `count` examples, with the 95 % Wilson interval."""

    value: float
    interval_95: tuple[float, float]
    count: int


def proportion(successes: int, count: int) -> Proportion:
    """Wilson's score interval (1927), which stays inside 0..1 where the normal one does not."""
    interval = scipy.stats.binomtest(successes, count).proportion_ci(0.95, method="wilson")
    return {
        "value": round(successes / count, 6),
        "interval_95": (round(float(interval.low), 6), round(float(interval.high), 6)),
        "count": count,
    }


def accuracy(probabilities: np.ndarray, labels: np.ndarray) -> Proportion:
    """Share of rows of `probabilities` [B, C] whose largest entry is at `labels` [B]."""
    return proportion(int((probabilities.argmax(axis=1) == labels).sum()), len(labels))


def negative_log_likelihood(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean of -ln p(label), in nats."""
    picked = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.clip(picked, 1e-12, 1)).mean())


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """ECE over equal-width bins of the largest probability (Guo et al., 2017), as a fraction."""
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    bin_of = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = [
        (bin_of == b).mean() * abs(correct[bin_of == b].mean() - confidence[bin_of == b].mean())
        for b in range(_BINS)
        if (bin_of == b).any()
    ]
    return float(sum(gaps))


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The scalar that, dividing `logits` [B, C], minimizes the negative log-likelihood of `labels` [B].

    Between 1/4 and 4: a small split that is classified without an error would ask for 0.
    """

    def loss(log_temperature: float) -> float:
        scaled = scipy.special.log_softmax(logits / np.exp(log_temperature), axis=1)
        return float(-scaled[np.arange(len(labels)), labels].mean())

    bounds = (-np.log(4), np.log(4))
    return float(np.exp(scipy.optimize.minimize_scalar(loss, bounds=bounds, method="bounded").x))


def auroc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Chance that a `positive` score [N] is above a `negative` one [M]; ties count half."""
    from sklearn.metrics import roc_auc_score  # a second to import, for this alone

    is_positive = np.repeat([1, 0], [len(positive), len(negative)])
    return float(roc_auc_score(is_positive, np.concatenate([positive, negative])))


def classification(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """The card's metrics of probabilities [B, C] for the test split's labels [B]."""
    return {
        "test_accuracy": accuracy(probabilities, labels),
        "test_negative_log_likelihood": negative_log_likelihood(probabilities, labels),
        "test_expected_calibration_error": expected_calibration_error(probabilities, labels),
        "test_confusion": confusion(probabilities, labels),
    }


def confusion(probabilities: np.ndarray, labels: np.ndarray) -> list[list[int]]:
    """Counts [true class][predicted class]."""
    classes = probabilities.shape[1]
    pairs = labels * classes + probabilities.argmax(axis=1)
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes).tolist()
