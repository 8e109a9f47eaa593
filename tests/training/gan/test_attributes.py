"""What is measured on an image of a digit; known answers."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from training.gan import attributes as gan_attributes

pytestmark = pytest.mark.tensorflow


def bar(width, slant=0.0, angle_from=4):
    image = Image.new("L", (28, 28))
    reach = slant * 10
    ImageDraw.Draw(image).line([(14 + reach, angle_from), (14 - reach, 24)], fill=255, width=width)
    return np.asarray(image)[None, ..., None]


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
