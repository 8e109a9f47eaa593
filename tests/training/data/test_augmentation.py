"""Changed images are still images of the same thing, and the same seed gives the same ones."""

from functools import partial

import numpy as np
import pytest
import tensorflow as tf

from training.data import augmentation
from training.data.mnist import synthetic_digits

pytestmark = pytest.mark.tensorflow

SEED = tf.constant([1, 2], tf.int64)
CHANGES = {
    "affine": partial(augmentation.random_affine, shift=2.0, degrees=10.0, scale=0.1, shear=0.1),
    "elastic": partial(augmentation.random_elastic, grid=6, pixels=0.7),
    "thickness": partial(augmentation.random_thickness, share=0.5),
    "light": partial(augmentation.random_light, share=0.5),
    "noise": partial(augmentation.random_noise, share=0.5),
    "outlines": partial(augmentation.random_outlines, share=0.8),
    "bands": partial(augmentation.random_bands, share=0.8),
    "lines": partial(augmentation.random_lines, share=0.8),
}


@pytest.fixture(scope="module")
def images():
    return synthetic_digits(40, seed=3).images.astype(np.float32)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_change_keeps_shape_and_range_and_alters_most_images(change, images):
    changed = change(tf.constant(images), SEED).numpy()

    assert changed.shape == images.shape
    assert changed.min() >= -1e-3
    assert changed.max() <= 255.001
    assert (np.abs(changed - images).max(axis=(1, 2, 3)) > 1).mean() > 0.5


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_seed_names_a_change(change, images):
    once, again = (change(tf.constant(images), SEED).numpy() for _ in range(2))
    other = change(tf.constant(images), SEED + 7).numpy()

    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)


def test_no_displacement_is_no_change(images):
    still = augmentation.random_elastic(tf.constant(images), SEED, grid=6, pixels=0.0)
    same = augmentation.random_affine(
        tf.constant(images), SEED, shift=0.0, degrees=0.0, scale=0.0, shear=0.0
    )

    assert np.allclose(still, images, atol=1e-3)
    assert np.allclose(same, images, atol=1e-3)


def test_shear_leans_and_does_not_move_the_middle():
    line = np.zeros((64, 29, 29, 1), np.float32)
    line[:, :, 14] = 255
    leaning = augmentation.random_affine(
        tf.constant(line), SEED, shift=0.0, degrees=0.0, scale=0.0, shear=0.5
    ).numpy()[..., 0]

    tops, bottoms = leaning[:, 4].argmax(axis=1) - 14, leaning[:, 24].argmax(axis=1) - 14
    assert (leaning[:, 14].argmax(axis=1) == 14).all()
    assert np.abs(tops + bottoms).max() <= 1
    assert np.abs(tops).max() >= 4


def test_thickness_adds_ink_to_some_and_takes_it_from_others(images):
    changed = augmentation.random_thickness(tf.constant(images), SEED, share=0.4).numpy()
    gained = changed.sum(axis=(1, 2, 3)) - images.sum(axis=(1, 2, 3))

    assert (gained > 100).any()
    assert (gained < -100).any()
    assert (np.abs(gained) < 1).any()


def test_an_outline_is_what_lies_between_light_and_dark():
    square = np.zeros((50, 20, 20, 1), np.float32)
    square[:, 5:15, 5:15] = 200
    changed = augmentation.random_outlines(tf.constant(square), SEED, share=0.5).numpy()

    hollow = changed[:, 10, 10, 0] == 0
    assert 0 < hollow.sum() < 50
    assert (changed[hollow, 5, 10, 0] == 200).all()
    assert np.array_equal(changed[~hollow], square[~hollow])


def test_a_band_is_straight_and_in_the_negative():
    grey = np.full((50, 28, 28, 1), 55, np.float32)
    changed = augmentation.random_bands(tf.constant(grey), SEED, share=0.5).numpy()[..., 0]
    banded = changed[(changed != 55).any(axis=(1, 2))]

    assert 0 < len(banded) < 50
    assert set(np.unique(banded)) == {55, 200}
    assert (np.abs(np.diff(banded, axis=2)).sum(axis=2) <= 2 * 145).all()  # once in, once out


def test_a_line_adds_ink_and_takes_none(images):
    changed = augmentation.random_lines(tf.constant(images), SEED, share=0.5).numpy()
    gained = (changed - images).sum(axis=(1, 2, 3))

    assert (changed >= images).all()
    assert 0 < (gained > 255).sum() < len(images)


def test_batches_are_whole_shuffled_and_new_in_every_epoch():
    split = synthetic_digits(50, seed=1)
    batches = augmentation.augmented_batches(
        split, 20, 1, partial(augmentation.random_affine, shift=2.0, degrees=0.0, scale=0.0)
    )
    first, second = ([images.numpy() for images, _ in batches] for _ in range(2))

    assert [images.shape for images in first] == [(20, 28, 28, 1)] * 2
    assert not np.array_equal(first[0], second[0])
