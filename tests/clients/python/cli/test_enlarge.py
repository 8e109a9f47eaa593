"""Enlarging a PNG without an image library."""

import io

import numpy as np
import pytest
from PIL import Image

from service.codecs.image_writing import encode_png
from vitrine_client.cli.enlarge import enlarge_png
from vitrine_client.errors import UnexpectedAnswer

COLOURS = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)


@pytest.mark.parametrize("pixels", [COLOURS, COLOURS[..., 0]])
def test_grey_and_colour_are_enlarged_without_loss(pixels):
    enlarged = Image.open(io.BytesIO(enlarge_png(encode_png(pixels), 4)))

    np.testing.assert_array_equal(np.asarray(enlarged), pixels.repeat(4, 0).repeat(4, 1))


def palette_png():
    file = io.BytesIO()
    Image.fromarray(COLOURS).quantize(4).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("png", "why"),
    [
        (b"GIF89a", "not a PNG"),
        (encode_png(COLOURS)[:60], "damaged"),
        (palette_png(), "neither grey nor RGB"),
    ],
)
def test_what_the_service_never_writes_is_refused_in_a_sentence(png, why):
    with pytest.raises(UnexpectedAnswer, match=why):
        enlarge_png(png, 2)
