"""Digits on the canvas: large, small, elsewhere, thinner, turned, on paper."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from clients.robustness.drawings import (
    CANVAS,
    VARIATIONS,
    Drawing,
    dark_on_light,
    draw,
    jpeg,
    light_on_dark,
    on_paper,
    placed,
    restroked,
    transparent,
    turned,
)


def opened(file):
    return Image.open(io.BytesIO(file))


def box(ink, level=100):
    rows, columns = np.nonzero(ink > level)
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


@pytest.mark.parametrize("size", [1.0, 0.5, 0.1])
def test_the_longer_side_of_the_ink_is_the_size_in_the_middle_of_the_canvas(size, digits):
    top, bottom, left, right = box(placed(digits[0], size))
    assert bottom - top == pytest.approx(size * CANVAS, abs=0.03 * size * CANVAS + 2)
    assert top + bottom == pytest.approx(CANVAS, abs=3)
    assert left + right == pytest.approx(CANVAS, abs=3)


def test_room_says_where_in_the_free_space(digits):
    top, _, left, _ = box(placed(digits[1], 0.5, (0, 0)))
    assert (top, left) == pytest.approx((0, 0), abs=4)
    _, bottom, _, right = box(placed(digits[1], 0.5, (1, 1)))
    assert (bottom, right) == pytest.approx((CANVAS, CANVAS), abs=4)


def test_edges_are_soft_and_the_rest_is_black(digits):
    ink = placed(digits[0], 0.7)
    assert ink.max() == 255
    assert ink[0].max() == 0
    assert ((ink > 20) & (ink < 235)).mean() > 0.01


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.5, 2.0])
def test_a_stroke_gets_as_many_times_wider(factor, digits):
    widths = (restroked(digits[1], factor)[40:72] > 127).sum(axis=1)
    assert widths.mean() == pytest.approx(factor * 12, abs=1.5)


def test_a_turned_bar_leans_and_keeps_its_ends(digits):
    fine = turned(digits[1], 25)
    top, bottom, left, right = box(fine)
    assert bottom - top == pytest.approx(80 * np.cos(np.radians(25)) + 12 * 0.42, abs=4)
    assert right - left == pytest.approx(80 * np.sin(np.radians(25)) + 12 * 0.91, abs=4)


def test_the_finishes_are_what_they_are_called(digits, rng):
    ink = placed(digits[0], 0.5)
    assert (np.asarray(opened(light_on_dark(ink, rng))) == ink).all()
    assert (np.asarray(opened(dark_on_light(ink, rng))) == 255 - ink).all()
    assert opened(jpeg(ink, rng)).format == "JPEG"
    clear = opened(transparent(ink, rng))
    assert clear.mode == "LA"
    assert (np.asarray(clear)[..., 1] == ink).all()
    assert not np.asarray(clear)[..., 0].any()


def test_paper_is_grey_uneven_and_noisy_under_dark_ink(digits, rng):
    ink = placed(digits[0], 0.5)
    paper = np.asarray(opened(on_paper(ink, rng))).astype(float)
    assert paper[ink == 255].mean() == pytest.approx(45, abs=3)
    assert paper[ink == 0].mean() == pytest.approx(185, abs=5)
    blank = np.asarray(opened(on_paper(np.zeros_like(ink), rng))).astype(float)
    smooth = ndimage.gaussian_filter(blank, 10)
    assert (blank - smooth).std() == pytest.approx(6, abs=0.5)
    assert np.ptp(smooth) > 40


@pytest.mark.parametrize("drawing", VARIATIONS.values(), ids=VARIATIONS)
def test_every_variation_draws_every_digit_as_a_file(drawing, digits):
    files = [draw(drawing, digits[:3], np.random.default_rng(5)) for _ in range(2)]
    assert files[0] == files[1]
    assert [opened(file).size for file in files[0]] == [(CANVAS, CANVAS)] * 3


def test_anywhere_is_not_always_the_same_place(digits, rng):
    files = draw(Drawing((0.3, 0.3), is_anywhere=True), digits[::2], rng)
    assert len({box(np.asarray(opened(file)))[0] for file in files}) > 3
