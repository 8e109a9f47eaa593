"""JPEG files that are decoded without Pillow's reader give what its reader gives."""

import io

import numpy as np
import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from service.codecs.image import open_image
from service.errors import InvalidImage
from service.image_files.plain_jpeg import PlainJpeg, read_plain_jpeg


def jpeg(mode="RGB", size=(61, 43), **options):
    channels = {"L": (), "RGB": (3,), "CMYK": (4,)}[mode]
    pixels = np.random.default_rng(3).integers(0, 256, (*size[::-1], *channels), np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(content, "JPEG", **options)
    return content.getvalue()


def by_reader(content, at_least=None, mode=None):
    image = JpegImageFile(io.BytesIO(content))
    if at_least:
        image.draft(None, (at_least, at_least))
    image = image.convert(mode) if mode else image
    return np.asarray(image).reshape(image.height, image.width, -1)


@pytest.mark.parametrize("at_least", [None, 43, 21, 11, 5, 1])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"mode": "L"},
        {"progressive": True, "subsampling": 1},
        {"quality": 100, "subsampling": 0, "restart_marker_blocks": 2},
        {"size": (1, 1)},
    ],
)
def test_the_pixels_are_those_of_the_reader(options, at_least):
    content = jpeg(**options)
    plain = read_plain_jpeg(content)

    assert np.array_equal(plain.decode(at_least), by_reader(content, at_least))
    assert np.array_equal(plain.decode(at_least, grey=True), by_reader(content, at_least, "L"))


@pytest.mark.parametrize("cut", [0.5, 0.9])
def test_a_file_that_ends_early_is_refused(cut):
    content = jpeg(size=(200, 200))
    image = open_image(content[: int(cut * len(content))])

    assert isinstance(image.source, PlainJpeg)
    with pytest.raises(InvalidImage, match="the JPEG is truncated or corrupt: its pixels"):
        image.decode()


@pytest.mark.parametrize(
    "content",
    [
        jpeg("CMYK"),
        jpeg()[:100],
        jpeg().replace(b"\xff\xc0", b"\xff\xc3"),  # lossless
        jpeg().replace(b"\xff\xc0\x00\x11\x08", b"\xff\xc0\x00\x11\x0c"),  # 12 bits
        jpeg()[:2] + jpeg()[jpeg().index(b"\xff\xc0") :][:19] + jpeg()[2:],  # two frames
    ],
)
def test_other_files_are_left_to_the_reader(content):
    assert read_plain_jpeg(content) is None
