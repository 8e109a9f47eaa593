"""Distances between sets of images, and what is measured on one; known answers."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from training.evaluation import image_grid
from training.gan import attributes as gan_attributes
from training.gan import metrics as gan_metrics


def points(count, centre=0.0, scale=1.0, seed=1):
    return centre + scale * np.random.default_rng(seed).standard_normal((count, 4))


def bar(width, slant=0.0, angle_from=4):
    image = Image.new("L", (28, 28))
    reach = slant * 10
    ImageDraw.Draw(image).line([(14 + reach, angle_from), (14 - reach, 24)], fill=255, width=width)
    return np.asarray(image)[None, ..., None]


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


def test_a_wider_stroke_is_thicker():
    thin, thick = (gan_attributes.measure(bar(width))["thickness"][0] for width in (2, 5))

    assert 1.4 < thin < 2.3
    assert 3.5 < thick < 5.2


def test_slant_is_the_lean_to_the_right():
    slants = [gan_attributes.measure(bar(3, slant))["slant"][0] for slant in (-0.4, 0.0, 0.4)]

    assert slants == pytest.approx([-0.4, 0.0, 0.4], abs=0.06)


def test_width_leaves_the_slant_out():
    upright, leaning = (gan_attributes.measure(bar(4, slant))["width"][0] for slant in (0.0, 0.4))

    assert leaning == pytest.approx(upright, rel=0.3)
    box = np.zeros((1, 28, 28, 1), np.uint8)
    box[:, 4:24, 7:21] = 255
    assert gan_attributes.measure(box)["width"][0] == pytest.approx(4 * 14 / np.sqrt(12), rel=0.02)


def test_an_empty_image_has_no_attributes_and_no_error():
    measured = gan_attributes.measure(np.zeros((1, 28, 28, 1), np.uint8))

    assert all(column == pytest.approx(0, abs=1e-3) for column in measured.values())


def test_a_grid_is_as_wide_as_its_columns():
    images = np.zeros((6, 28, 28, 1), np.uint8)

    assert image_grid.grid(images, 3).startswith("data:image/png;base64,")
