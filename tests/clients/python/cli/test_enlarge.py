"""Enlarging a PNG."""

import io
import sys

import numpy as np
import pytest
from PIL import Image

from service.codecs.image_writing import encode_png
from vitrine_client.cli.enlarge import enlarge_png
from vitrine_client.errors import InvalidSetting

COLOURS = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)


@pytest.mark.parametrize("pixels", [COLOURS, COLOURS[..., 0]])
def test_grey_and_colour_are_enlarged_without_loss(pixels):
    enlarged = Image.open(io.BytesIO(enlarge_png(encode_png(pixels), 4)))

    np.testing.assert_array_equal(np.asarray(enlarged), pixels.repeat(4, 0).repeat(4, 1))


def test_without_pillow_the_option_is_refused_in_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)

    assert enlarge_png(b"as it is", 1) == b"as it is"
    with pytest.raises(InvalidSetting, match="needs the package Pillow"):
        enlarge_png(encode_png(COLOURS), 2)
