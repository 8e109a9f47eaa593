"""The measures against values worked out by hand, and against scikit-learn's."""

import math

import numpy as np
import pytest

from clients.robustness.measures import (
    accepted_at_95,
    auroc,
    brier_score,
    calibration_error,
    coverage_at,
    equal_mass_calibration_error,
    mean_share,
    negative_log_likelihood,
    proportion,
)


def test_a_proportion_has_wilsons_interval():
    share = proportion(81, 263)  # Newcombe's example (1998): 0.2553 to 0.3662
    assert (share["value"], share["count"]) == (0.307985, 263)
    assert share["interval_95"] == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert proportion(10, 10)["interval_95"] == (pytest.approx(0.722467), 1)
    assert proportion(0, 10)["interval_95"] == (0, pytest.approx(0.277533))


def test_the_mean_over_kinds_knows_that_the_examples_are_the_same():
    apart = np.array([[True, False] * 50, [False, True] * 50])
    together = np.array([[True, False] * 50] * 2)
    assert mean_share(apart)["interval_95"] == (0.5, 0.5)
    low, high = mean_share(together)["interval_95"]
    assert high - low == pytest.approx(2 * 1.96 * 0.5 / 10, rel=0.01)
    assert mean_share(together)["count"] == 200


def test_likelihood_and_brier_score_of_two_answers():
    probabilities, labels = np.array([[0.5, 0.5], [0.2, 0.8]]), np.array([0, 1])
    assert negative_log_likelihood(probabilities, labels) == pytest.approx(
        -(math.log(0.5) + math.log(0.8)) / 2
    )
    assert brier_score(probabilities, labels) == pytest.approx((0.5 + 0.08) / 2)


def test_what_is_certain_and_wrong_costs_much_but_not_everything():
    assert negative_log_likelihood(np.array([[1.0, 0.0]]), np.array([1])) == pytest.approx(
        27.6, 0.01
    )


def test_a_calibration_error_is_the_mean_gap_of_the_bins():
    confidence = np.array([0.95] * 10 + [0.55] * 10)
    is_right = np.array([True] * 10 + [True] * 5 + [False] * 5)
    assert calibration_error(confidence, is_right) == pytest.approx((0.05 + 0.05) / 2)
    assert equal_mass_calibration_error(confidence, is_right, bins=2) == pytest.approx(0.05)
    assert calibration_error(np.ones(3), np.ones(3, bool)) == 0


def test_coverage_takes_the_surest_first():
    confidence = np.array([0.6, 0.9, 0.8, 0.7])
    is_right = np.array([True, True, True, False])
    assert coverage_at(1.0, confidence, is_right) == 0.5
    assert coverage_at(0.75, confidence, is_right) == 1.0
    assert coverage_at(0.9, confidence, ~is_right) == 0


def test_auroc_and_acceptance_agree_with_scikit_learn(rng):
    from sklearn.metrics import roc_auc_score, roc_curve

    inside, outside = rng.normal(0, 1, 400).round(1), rng.normal(2, 1, 300).round(1)
    is_outside = np.r_[np.zeros(400), np.ones(300)]
    scores = np.r_[inside, outside]
    assert auroc(inside, outside) == pytest.approx(roc_auc_score(is_outside, scores))
    false, true, _ = roc_curve(1 - is_outside, -scores, drop_intermediate=False)
    at_95 = float(false[np.argmax(true >= 0.95)])
    assert accepted_at_95(inside, outside)["value"] == pytest.approx(at_95, abs=1e-6)


def test_auroc_of_equals_is_a_half():
    assert auroc(np.ones(3), np.ones(5)) == 0.5
