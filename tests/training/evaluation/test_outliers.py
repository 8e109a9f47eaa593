"""The outlier score on clouds of points whose distances are known."""

import numpy as np
import pytest

from training.evaluation import outliers

pytestmark = pytest.mark.tensorflow


@pytest.fixture
def clouds():
    """Features of three classes: long, narrow clouds around (0, 0), (10, 0) and (0, 10)."""
    random = np.random.default_rng(1)
    labels = np.repeat([0, 1, 2], 2_000)
    points = random.normal(size=(6_000, 2)) * [1.0, 0.1]
    points += np.array([[0, 0], [10, 0], [0, 10]])[labels]
    return points.astype(np.float32), labels


def scores(clouds, points):
    features, labels = clouds
    fitted = outliers.fit({"layer": features}, labels, {"layer": features})
    return outliers.score({"layer": np.float32(points)}, fitted).numpy()


def test_half_a_percent_of_what_it_was_fitted_on_is_called_an_outlier(clouds):
    assert (scores(clouds, clouds[0]) > 0.5).mean() == pytest.approx(0.005, abs=0.0005)


def test_what_is_far_across_a_narrow_cloud_is_an_outlier_and_as_far_along_it_is_not(clouds):
    along, across, beside_another_class = scores(clouds, [[2, 0], [0, 2], [10, 2]])

    assert along < 0.5 < across
    assert across == pytest.approx(beside_another_class, abs=0.05)


def test_a_feature_that_never_varied_does_not_decide(clouds):
    features, labels = clouds
    dead = np.concatenate([features, np.zeros((len(features), 1), np.float32)], axis=1)
    fitted = outliers.fit({"layer": dead}, labels, {"layer": dead})

    low = outliers.score({"layer": np.float32([[0, 0, 0.01]])}, fitted).numpy()

    assert np.isfinite(low)
    assert low < 0.5


def test_maps_are_averaged_over_their_positions():
    pooled = outliers.pool({"map": np.ones((2, 3, 3, 4), np.float32), "vector": np.ones((2, 5))})

    assert pooled["map"].shape == (2, 4)
    assert pooled["vector"].shape == (2, 5)


def test_quarters_tell_where_a_map_is_lit_and_not_how_brightly():
    lit = np.zeros((2, 9, 9, 1), np.float32)
    lit[0, :4, :4], lit[1, 5:, 5:] = 1, 7

    found = outliers.quarters({"map": lit, "place": 3 * np.ones((2, 1, 1, 4), np.float32)})

    assert found["map"].numpy() == pytest.approx(np.float32([[1, 0, 0, 0], [0, 0, 0, 1]]))
    assert found["place"].numpy() == pytest.approx(np.full((2, 4), 0.5))
