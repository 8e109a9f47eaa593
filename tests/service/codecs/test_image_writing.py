"""PNG files, `data:` URIs and sheets of images."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from service.codecs.base64_images import decode_base64
from service.codecs.image import OpenedImage, open_image
from service.codecs.image_writing import data_uri, encode_photo_png, encode_png, tile
from service.codecs.pixel_lists import from_pixels

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)
COLOURS = np.stack([RAMP, RAMP[::-1], RAMP.T], axis=-1)
SHAPES = st.one_of(
    st.tuples(st.integers(1, 30), st.integers(1, 30)),
    st.tuples(st.integers(1, 30), st.integers(1, 30), st.sampled_from([1, 3])),
)


@given(arrays(np.uint8, SHAPES))
def test_decoding_an_encoded_image_gives_it_back(pixels):
    expected = pixels.reshape(*pixels.shape[:2], -1)
    content = encode_png(pixels)
    np.testing.assert_array_equal(open_image(content).decode(), expected)
    np.testing.assert_array_equal(open_image(encode_photo_png(pixels)).decode(), expected)
    np.testing.assert_array_equal(open_image(decode_base64(data_uri(content))).decode(), expected)
    if pixels.max() != 1:  # only 0 and 1 is another scale
        np.testing.assert_array_equal(from_pixels(pixels.tolist()), expected)
    assert OpenedImage.from_array(expected).decode() is expected


def test_an_encoded_image_is_the_same_bytes_every_time():
    assert encode_png(RAMP) == encode_png(RAMP[..., np.newaxis])
    Image.open(io.BytesIO(encode_png(COLOURS))).verify()


@pytest.mark.parametrize(
    ("count", "columns", "shape"),
    [(1, None, (3, 2)), (4, None, (7, 5)), (5, None, (7, 8)), (5, 2, (11, 5)), (2, 9, (3, 5))],
)
def test_a_grid_is_nearly_square_unless_told(count, columns, shape):
    images = np.arange(1, count + 1, dtype=np.uint8)[:, np.newaxis, np.newaxis] * np.ones(
        (1, 3, 2), np.uint8
    )
    grid = tile(images, columns)
    assert grid.shape == shape
    assert (grid[:3, :2] == 1).all()
    assert (grid == count).sum() == 6
