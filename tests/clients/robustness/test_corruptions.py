"""Each corruption does what its name says, to every image for itself."""

import numpy as np
import pytest

from clients.robustness.corruptions import CORRUPTIONS
from clients.robustness.edges import edges
from clients.robustness.plasma import plasma


def middle(image):
    """The centre of mass, (row, column)."""
    return np.array([(image * place).sum() / image.sum() for place in np.indices(image.shape)])


def spread(image, axis):
    """Variance of the ink along an axis."""
    places = np.indices(image.shape)[axis]
    return (image * (places - middle(image)[axis]) ** 2).sum() / image.sum()


def test_there_are_the_fifteen_of_mnist_c():
    assert (
        list(CORRUPTIONS)
        == (
            "shot_noise impulse_noise glass_blur motion_blur shear scale rotate brightness translate "
            "stripe fog spatter dotted_line zigzag canny_edges"
        ).split()
    )


@pytest.mark.parametrize("corruption", CORRUPTIONS.values(), ids=CORRUPTIONS)
def test_it_changes_every_image_the_same_way_each_time_and_leaves_the_original(corruption, digits):
    before = digits.copy()
    once, again = (corruption(digits, np.random.default_rng(7)) for _ in range(2))

    assert once.dtype == np.uint8
    assert once.shape == digits.shape
    assert (once != digits).any(axis=(1, 2)).all()
    assert (once == again).all()
    assert (digits == before).all()


def test_shot_noise_touches_ink_alone_and_counts_thirds(digits, rng):
    noisy = CORRUPTIONS["shot_noise"](digits, rng)
    assert not noisy[digits == 0].any()
    assert set(np.unique(noisy)) == {0, 85, 170, 255}


def test_impulse_noise_hits_seventeen_percent(rng):
    noisy = CORRUPTIONS["impulse_noise"](np.full((50, 28, 28), 100, np.uint8), rng)
    assert (noisy == 0).mean() == pytest.approx(0.085, abs=0.01)
    assert (noisy == 255).mean() == pytest.approx(0.085, abs=0.01)


@pytest.mark.parametrize("name", ["glass_blur", "motion_blur"])
def test_a_blur_keeps_the_ink_and_spreads_it(name, digits, rng):
    blurred = CORRUPTIONS[name](digits, rng).astype(float)
    assert blurred.sum() == pytest.approx(digits.sum(), rel=0.03)
    assert spread(blurred[1], axis=1) > 1.5 * spread(digits[1], axis=1)


def test_motion_blur_trails_to_one_side(digits, rng):
    blurred = CORRUPTIONS["motion_blur"](digits, rng)
    assert all(middle(b)[1] > middle(d)[1] + 0.5 for b, d in zip(blurred, digits, strict=True))


def test_scale_shrinks_to_seven_tenths(digits, rng):
    small = CORRUPTIONS["scale"](digits, rng)[1]
    assert spread(small, axis=0) == pytest.approx(0.49 * spread(digits[1], axis=0), rel=0.1)


@pytest.mark.parametrize("name", ["rotate", "shear"])
def test_rotate_and_shear_tilt_a_bar_to_either_side_around_the_middle(name, digits, rng):
    slopes = set()
    for image in CORRUPTIONS[name](digits, rng)[1::2]:
        is_above = np.arange(28)[:, np.newaxis] < 14
        top, bottom = middle(image * is_above), middle(image * ~is_above)
        slopes.add(round((bottom - top)[1] / (bottom - top)[0], 1))
        assert middle(image) == pytest.approx(middle(digits[1]), abs=0.3)
    assert slopes == {-0.4, 0.4}


def test_brightness_lifts_black_to_half(digits, rng):
    assert set(np.unique(CORRUPTIONS["brightness"](digits, rng))) == {127, 255}


def test_translate_moves_by_three_both_ways(digits, rng):
    moved = CORRUPTIONS["translate"](digits, rng)
    steps = {tuple(middle(m) - middle(d)) for m, d in zip(moved, digits, strict=True)}
    assert {tuple(np.abs(np.round(step, 6))) for step in steps} == {(3, 3)}
    assert len({tuple(np.sign(step)) for step in steps}) > 2


def test_stripe_inverts_the_outer_columns(digits, rng):
    striped = CORRUPTIONS["stripe"](digits, rng)
    assert (striped[:, :, 7:21] == digits[:, :, 7:21]).all()
    assert (striped[:, :, :7] == 255 - digits[:, :, :7]).all()
    assert (striped[:, :, 21:] == 255 - digits[:, :, 21:]).all()


def test_fog_leaves_a_quarter_of_the_contrast(digits, rng):
    foggy = CORRUPTIONS["fog"](digits, rng).astype(int)
    light, dark = foggy[0][digits[0] == 255], foggy[0][digits[0] == 0]
    assert light.mean() - dark.mean() == pytest.approx(255 / 4, abs=20)


def test_spatter_is_grey_and_covers_a_part(rng):
    spattered = CORRUPTIONS["spatter"](np.zeros((20, 28, 28), np.uint8), rng)
    assert spattered.max() <= 63
    assert 0.1 < (spattered > 40).mean() < 0.6


@pytest.mark.parametrize("name", ["dotted_line", "zigzag"])
def test_lines_only_add_ink_and_cross_the_image(name, digits, rng):
    lined = CORRUPTIONS[name](np.zeros_like(digits), rng)
    assert (CORRUPTIONS[name](digits, rng) >= digits).all()
    columns = lined.max(axis=1) > 100
    if name == "dotted_line":
        assert (columns == (np.arange(28) // 2 % 2 == 1)).all()
    else:
        assert not columns[:, [0, 1, 26, 27]].any()
        assert columns[:, 4:24].mean() > 0.8  # some of it may be above or below the image


def test_canny_draws_the_outlines(digits, rng):
    outlined = CORRUPTIONS["canny_edges"](digits, rng)[1]
    assert set(np.unique(outlined)) == {0, 255}
    assert not outlined[10:18, 14].any()  # inside the bar
    assert (outlined[10:18] > 0).sum(axis=1).max() <= 4
    assert outlined[10:18, 11:14].any(axis=1).all()
    assert outlined[10:18, 15:18].any(axis=1).all()


def test_a_weak_edge_needs_a_strong_one_in_its_own_image():
    faint = np.zeros((28, 28))
    faint[:, 14:] = 0.04  # a slope between the thresholds
    strong = faint * 10
    assert not edges(np.stack([faint, faint]), 0.1, 0.2).any()
    of_faint, of_strong = edges(np.stack([faint, strong]), 0.1, 0.2)
    assert not of_faint.any()
    assert of_strong.any()


def test_clouds_go_from_nought_to_one_and_a_larger_decay_is_smoother(rng):
    rough, smooth = plasma(2, 1.4, rng), plasma(2, 3, rng)
    for clouds in (rough, smooth):
        assert clouds.shape == (2, 256, 256)
        assert clouds.min(axis=(1, 2)).tolist() == [0, 0]
        assert clouds.max(axis=(1, 2)).tolist() == [1, 1]
        assert (clouds[0] != clouds[1]).any()
    assert np.abs(np.diff(smooth)).mean() < 0.5 * np.abs(np.diff(rough)).mean()
