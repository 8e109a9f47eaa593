"""Digits as they are photographed: written on a sheet, seen by a camera."""

import io

import numpy as np
import pytest
from PIL import Image

from clients.robustness.photographs import SCENES, VIEW, Scene, photograph

SEED = 5


def seen(scene, digit, seed=SEED):
    """The photograph as grey levels [H, W]."""
    return grey(Image.open(io.BytesIO(photograph(scene, digit, np.random.default_rng(seed)))))


def grey(image):
    return np.asarray(image.convert("L"), float)


@pytest.mark.parametrize("name", SCENES)
def test_every_scene_is_a_jpeg_file_that_shows_the_digit(name, digits):
    scene = SCENES[name]
    image = Image.open(io.BytesIO(photograph(scene, digits[0], np.random.default_rng(SEED))))
    nought, one = grey(image), seen(scene, digits[1])

    assert image.format == "JPEG"
    assert nought.shape == (VIEW, VIEW)
    assert np.abs(nought - one).max() > 25


def test_the_same_numbers_give_the_same_photograph_and_others_another(digits):
    scene = SCENES["sheet on a desk"]

    assert np.array_equal(seen(scene, digits[0]), seen(scene, digits[0]))
    assert not np.array_equal(seen(scene, digits[0]), seen(scene, digits[0], seed=6))


def test_a_sheet_on_a_desk_has_the_desk_around_it(digits):
    photo = seen(SCENES["sheet on a desk"], digits[0])
    corners = photo[:20, :20], photo[-20:, -20:]

    assert max(corner.mean() for corner in corners) < 0.8 * photo[200:280, 200:280].max()


def test_printed_lines_are_on_the_sheet_before_the_digit(digits):
    plain, ruled = (
        seen(Scene(paper=paper, degrees=0.0, perspective=(0.0, 0.0)), digits[0])
        for paper in ("plain", "ruled")
    )

    assert np.ptp(ruled[:, :8].mean(axis=1)) > 2 * np.ptp(plain[:, :8].mean(axis=1))


def test_a_shadow_takes_light_from_a_part_of_the_sheet(digits):
    with_shadow, without = (seen(Scene(shadow=shadow), digits[0]) for shadow in (True, False))

    assert np.percentile(with_shadow, 10) < 0.8 * np.percentile(without, 10)
