"""Photos are cropped and resized as TensorFlow's pipelines do it."""

import numpy as np
import pytest

from service.errors import InvalidImage
from service.preprocessing.clothing import normalize_clothing
from service.preprocessing.digit import take_as_it_is
from service.preprocessing.photo import fit_photo, needed_side


def noise(height, width, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)


def test_an_image_of_the_right_size_stays_as_it_is():
    pixels = noise(16, 16)

    canvas = fit_photo(pixels, (16, 16, 3), 1.0)

    assert np.array_equal(canvas.image, pixels)
    assert canvas.steps == []


def test_the_crop_is_a_share_of_the_shorter_side_in_the_middle():
    pixels = noise(256, 400)

    canvas = fit_photo(pixels, (224, 224, 3), 0.875)

    assert np.array_equal(canvas.image, pixels[16:240, 88:312])
    assert canvas.steps == ["cropped"]


def test_a_wide_result_takes_a_wide_part():
    pixels = noise(100, 100)

    assert np.array_equal(fit_photo(pixels, (50, 100, 3), 1.0).image, pixels[25:75])


def test_halves_are_the_mean_of_the_four_nearest_pixels():
    pixels = np.array([[0, 100], [50, 250]], np.uint8)[..., np.newaxis]

    assert fit_photo(pixels, (1, 1, 1), 1.0).image.item() == 100


def test_enlarging_repeats_the_edge():
    pixels = np.array([[0, 200]], np.uint8)[..., np.newaxis].repeat(2, axis=0)

    assert fit_photo(pixels, (4, 4, 1), 1.0).image[0, :, 0].tolist() == [0, 50, 150, 200]


@pytest.mark.parametrize("size", [(30, 41), (90, 300), (700, 500)])
def test_rows_and_columns_are_treated_alike(size):
    pixels = noise(*size)
    lying = fit_photo(pixels, (60, 90, 3), 0.9).image
    standing = fit_photo(pixels.swapaxes(0, 1), (90, 60, 3), 0.9).image

    assert np.abs(lying.astype(int) - standing.swapaxes(0, 1)).max() <= 1  # halves may round apart


def test_grey_becomes_three_equal_colours_and_colours_one_luminance():
    assert (fit_photo(np.full((9, 9, 1), 77, np.uint8), (4, 4, 3), 1.0).image == 77).all()
    red = np.zeros((9, 9, 3), np.uint8)
    red[..., 0] = 255
    assert (fit_photo(red, (4, 4, 1), 1.0).image == 76).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (7, 300)])
def test_no_shape_is_too_strange(size):
    assert fit_photo(noise(*size), (224, 224, 3), 0.875).image.shape == (224, 224, 3)


def test_what_is_taken_as_it_is_must_have_the_size():
    assert take_as_it_is(noise(8, 9), (8, 9, 3)).steps == []
    with pytest.raises(InvalidImage, match="must be 9 × 8 pixels, got 8 × 9"):
        take_as_it_is(noise(9, 8), (8, 9, 3))


def test_a_shorter_side_of_256_is_enough_for_224_pixels_of_the_middle():
    assert needed_side(224, 224, 0.875) == 256


def test_clothing_is_cropped_to_what_stands_out_and_its_longest_side_is_28():
    pixels = np.full((200, 300, 1), 250, np.uint8)
    pixels[60:116, 100:128] = 90

    canvas = normalize_clothing(pixels, normalize=True)

    assert canvas.steps == ["inverted", "cropped", "fitted"]
    expected = np.zeros((28, 28), np.uint8)
    expected[:, 7:21] = 160
    assert np.array_equal(canvas.image[..., 0], expected)


def test_clothing_of_28_pixels_on_black_passes_unchanged():
    pixels = np.zeros((28, 28, 1), np.uint8)
    pixels[3:20, 5:9] = 200

    canvas = normalize_clothing(pixels, normalize=True)

    assert np.array_equal(canvas.image, pixels)
    assert canvas.steps == []


def test_clothing_is_taken_as_it_is_only_at_28_pixels():
    pixels = np.full((28, 28, 1), 255, np.uint8)

    assert np.array_equal(normalize_clothing(pixels, normalize=False).image, pixels)
    with pytest.raises(InvalidImage, match="must be 28 × 28"):
        normalize_clothing(pixels[:27], normalize=False)
