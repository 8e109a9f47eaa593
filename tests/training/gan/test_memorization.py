"""Copies of training images are found, and fresh images are not taken for copies."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from training.gan import memorization as gan_memorization
from training.gan.memorization import Nearest
from training.job import Split, Splits


def noise(count, seed):
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (count, 28, 28, 1)).astype(np.uint8)
    return Split(images, np.arange(count) % 10)


def features(images):
    """The means of each image's quarters."""
    return images.reshape(len(images), 2, 14, 2, 14).mean(axis=(2, 4)).reshape(-1, 4)


@pytest.fixture(scope="module")
def splits():
    return Splits(noise(600, 1), noise(20, 2), noise(400, 3), "noise")


def test_the_nearest_is_found_with_its_distance():
    known = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])

    found = gan_memorization.nearest(np.array([[9.0, 0.0], [0.0, 10.0], [3.0, 4.0]]), known)

    assert found.row.tolist() == [1, 2, 0]
    assert found.distance == pytest.approx([1, 0, 5])


def test_more_images_than_are_searched_at_once_are_all_searched():
    known = np.random.default_rng(1).standard_normal((1_200, 3))

    found = gan_memorization.nearest(known, known)

    assert found.row.tolist() == list(range(1_200))


def test_distances_are_measured_by_those_of_the_same_digit():
    usual = Nearest(np.array([1.0, 2.0, 3.0, 10.0, 20.0, 30.0]), np.zeros(6, int))
    found = Nearest(np.array([1.0, 10.0]), np.zeros(2, int))

    made, real = gan_memorization.relative(
        found, np.array([4, 7]), usual, np.array([4, 4, 4, 7, 7, 7])
    )

    assert made == pytest.approx([0.5, 0.5])
    assert real == pytest.approx([0.5, 1, 1.5, 0.5, 1, 1.5])


def test_a_test_split_that_repeats_the_training_split_breaks_nothing(splits):
    told, _ = gan_memorization.measure(noise(20, 6), splits._replace(test=splits.train), features)

    assert np.isfinite(told["nearest_training_pixels_median_ratio"])
    assert told["nearer_in_pixels_than_typical_test"]["value"] == 0


def test_copies_are_nearer_than_any_test_image(splits):
    copies = Split(splits.train.images[:100], splits.train.labels[:100])

    told, _ = gan_memorization.measure(copies, splits, features)

    for space in ("features", "pixels"):
        assert told[f"nearest_training_{space}_median_ratio"] == 0
        assert told[f"nearer_in_{space}_than_typical_test"]["value"] == 1
        assert told[f"nearer_in_{space}_than_1_percent_of_test"]["value"] == 1


def test_fresh_images_are_as_near_as_test_images(splits):
    told, _ = gan_memorization.measure(noise(400, 4), splits, features)

    for space in ("features", "pixels"):
        assert told[f"nearest_training_{space}_median_ratio"] == pytest.approx(1, abs=0.1)
        assert told[f"nearer_in_{space}_than_typical_test"]["value"] == pytest.approx(0.5, abs=0.1)
        assert told[f"nearer_in_{space}_than_1_percent_of_test"]["value"] < 0.04


def test_the_sheet_begins_with_a_copy_above_its_original(splits):
    made = noise(50, 5)
    made.images[30] = splits.train.images[7]

    _, sheet = gan_memorization.measure(made, splits, features)

    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(sheet.partition(",")[2]))))
    assert pixels.shape == (4 * 28, gan_memorization.SHOWN * 28)
    for row in range(4):
        first = pixels[28 * row : 28 * (row + 1), :28]
        np.testing.assert_array_equal(first, splits.train.images[7, ..., 0])
