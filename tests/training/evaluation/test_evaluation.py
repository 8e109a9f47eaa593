"""Measured numbers agree with ones computed by hand."""

import numpy as np
import pytest

from training import evaluation


def test_wilson_interval_of_a_known_case():
    measured = evaluation.proportion(9970, 10_000)

    assert measured["value"] == 0.997
    assert measured["interval_95"] == pytest.approx((0.99573, 0.99790), abs=1e-5)


def test_wilson_interval_stays_inside_0_and_1():
    low, high = evaluation.proportion(10, 10)["interval_95"]

    assert 0.6 < low < high <= 1


def test_accuracy_likelihood_and_confusion_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    labels = np.array([0, 1, 1])

    assert evaluation.accuracy(probabilities, labels)["value"] == pytest.approx(2 / 3, abs=1e-6)
    expected = -(np.log(0.9) + np.log(0.8) + np.log(0.4)) / 3
    assert evaluation.negative_log_likelihood(probabilities, labels) == pytest.approx(expected)
    assert evaluation.confusion(probabilities, labels) == [[1, 0], [1, 1]]


def test_calibration_error_is_the_gap_between_confidence_and_accuracy():
    probabilities = np.array([[0.8, 0.2]] * 10)
    labels = np.array([0] * 6 + [1] * 4)

    assert evaluation.expected_calibration_error(probabilities, labels) == pytest.approx(0.2)


def test_temperature_undoes_a_known_overconfidence():
    random = np.random.default_rng(1)
    logits = random.normal(size=(20_000, 10)) * 2
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (random.random((20_000, 1)) > probabilities.cumsum(axis=1)).sum(axis=1).clip(0, 9)

    assert evaluation.fit_temperature(logits * 3, labels) == pytest.approx(3, rel=0.05)
