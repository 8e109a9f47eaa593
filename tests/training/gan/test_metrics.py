"""Distances, shares and variety of sets of features whose answer is known."""

import numpy as np
import pytest

from training.gan import metrics as gan_metrics


def points(count, centre=0.0, seed=1, scale=1.0):
    return centre + scale * np.random.default_rng(seed).standard_normal((count, 4))


def test_the_frechet_distance_of_shifted_sets_is_the_shifts_square():
    first = points(50)

    shifted = gan_metrics.frechet_distance(first, first + np.array([1.0, -2.0, 0.0, 2.0]))

    assert shifted == pytest.approx(1 + 4 + 4, rel=1e-9)


def test_the_frechet_distance_of_a_set_with_fewer_points_than_numbers_is_finite():
    few = np.random.default_rng(1).standard_normal((5, 20))

    assert gan_metrics.frechet_distance(few, few) == pytest.approx(0, abs=1e-6)
    assert gan_metrics.frechet_distance(few, 3 * few) > 1


def test_density_and_coverage_of_identical_sets_are_1():
    same = points(300)

    assert gan_metrics.density_coverage(same, same.copy()) == (1.0, 1.0)


def test_density_and_coverage_of_two_draws_are_near_1():
    density, coverage = gan_metrics.density_coverage(points(1_500), points(1_500, seed=2))

    assert density == pytest.approx(1, abs=0.1)
    assert coverage == pytest.approx(1 - 0.5**5, abs=0.03)  # each ball misses with (1/2)^k


def test_coverage_falls_with_what_is_missing_and_density_does_not():
    real = np.concatenate([points(200), points(200, centre=50.0)])

    density, coverage = gan_metrics.density_coverage(real, points(400, seed=3))

    assert density > 0.8
    assert 0.4 < coverage <= 0.5


def test_density_falls_with_strange_points_which_cover_nothing():
    real = points(200)
    strange = np.concatenate([real, points(200, centre=-50.0)])

    density, coverage = gan_metrics.density_coverage(real, strange)

    assert density == pytest.approx(0.5)
    assert coverage == 1.0


def test_one_image_over_and_over_is_dense_and_covers_next_to_nothing():
    real = points(400)
    middle = real[[(real**2).sum(axis=1).argmin()]]

    density, coverage = gan_metrics.density_coverage(real, np.repeat(middle, 400, axis=0))

    assert density > 1
    assert coverage < 0.1


def test_spread_is_the_mean_distance_within_each_class():
    features = np.array([[0.0, 0.0], [3.0, 4.0], [1.0, 1.0], [1.0, 1.0], [1.0, 7.0]])

    spread = gan_metrics.spread(features, np.array([0, 0, 1, 1, 1]))

    assert spread == pytest.approx([5, 4])


def test_images_all_alike_have_no_spread():
    spread = gan_metrics.spread(np.full((6, 3), 0.1), np.array([0, 0, 0, 1, 1, 1]))

    assert spread == pytest.approx([0, 0], abs=1e-6)


def test_the_frechet_distance_of_two_normal_distributions_is_the_formulas():
    first, second = points(20_000), points(20_000, centre=1.0, scale=2.0, seed=2)

    assert gan_metrics.frechet_distance(first, first) == pytest.approx(0, abs=1e-8)
    assert gan_metrics.frechet_distance(first, second) == pytest.approx(
        4 + 4 * (2 - 1) ** 2, rel=0.05
    )


def test_the_kernel_distance_has_no_bias():
    same = [
        gan_metrics.kernel_distance(points(100, seed=n), points(100, seed=n + 50))
        for n in range(40)
    ]

    assert abs(np.mean(same)) < 3 * np.std(same) / np.sqrt(40) + 0.02
    assert gan_metrics.kernel_distance(points(100), points(100, centre=2.0, seed=2)) > 1


def test_precision_falls_with_strange_points_and_recall_with_missing_ones():
    real = np.concatenate([points(200), points(200, centre=50.0)])
    half, strange = (
        points(400, seed=3),
        np.concatenate([points(200, seed=4), points(200, centre=-50.0)]),
    )

    precise, lacking = gan_metrics.precision_recall(real, half)
    imprecise, _ = gan_metrics.precision_recall(real, strange)

    assert precise > 0.85
    assert lacking < 0.55
    assert imprecise < 0.55
