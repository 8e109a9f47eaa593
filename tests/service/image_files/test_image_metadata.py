"""Metadata that are damaged, huge or odd never cost the pixels; the orientation is still read."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from service.codecs.image import open_image
from service.errors import ImageTooLarge, InvalidImage
from service.image_files.image_metadata import read_orientation, strip_metadata
from training.data.image_folder import read_photo

# Smooth, so that a JPEG keeps it; another value in each corner, so that a turn is seen.
PIXELS = np.add.outer(np.arange(24) * 8, np.arange(16) * 3).astype(np.uint8)
HUGE = zlib.compress(bytes(5_000_000))


def encoded(kind, **options):
    content = io.BytesIO()
    Image.fromarray(PIXELS).save(content, kind, **options)
    return content.getvalue()


def chunk(name, data, checksum=None):
    checksum = zlib.crc32(name + data) if checksum is None else checksum
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)


def with_chunk(*parts):
    png = encoded("PNG")
    return png[:33] + b"".join(parts) + png[33:]


def with_segment(marker, data):
    jpeg = encoded("JPEG", quality=95)
    return jpeg[:2] + bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data + jpeg[2:]


def with_riff_chunk(name, data):
    webp = encoded("WEBP", lossless=True, exif=exif(1))
    added = webp + name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    return added[:4] + struct.pack("<I", len(added) - 8) + added[8:]


def exif(orientation, kind=3, order="<", value_format="H"):
    mark = b"II*\0" if order == "<" else b"MM\0*"
    value = struct.pack(order + value_format, orientation).ljust(4, b"\0")
    entries = struct.pack(order + "HHHI", 1, 0x0112, kind, 1) + value
    return b"Exif\0\0" + mark + struct.pack(order + "I", 8) + entries


DAMAGED_EXIF = (
    b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x0f\x01\x02\0\xff\xff\xff\x7f\xff\xff\xff\x7f" * 3
)


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "content",
    [
        with_chunk(chunk(b"zTXt", b"Comment\0\0" + HUGE)),
        with_chunk(chunk(b"zTXt", b"Comment\0\0not deflate")),
        with_chunk(chunk(b"zTXt", b"")),
        with_chunk(chunk(b"iTXt", b"Comment\0\1\0\0\0" + HUGE)),
        with_chunk(chunk(b"iTXt", b"x")),
        with_chunk(chunk(b"tEXt", b"Comment\0hello", checksum=1)),
        with_chunk(chunk(b"iCCP", b"p\0\0" + HUGE)),
        with_chunk(chunk(b"iCCP", b"p\0\7")),
        with_chunk(chunk(b"pHYs", b"1")),
        with_chunk(chunk(b"gAMA", b"")),
        with_chunk(chunk(b"cHRM", b"abc"), chunk(b"sRGB", b"")),
        with_chunk(chunk(b"tRNS", b"1")),
        with_chunk(chunk(b"tRNS", b"\0\7", checksum=3)),
        with_chunk(chunk(b"acTL", b"")),
        with_chunk(chunk(b"eXIf", DAMAGED_EXIF)),
        with_segment(0xE0, b"JFIF\0"),
        with_segment(0xE1, DAMAGED_EXIF),
        with_segment(0xE1, b"Exif\0\0II"),
        with_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta"),
        with_segment(0xE2, b"ICC_PROFILE\0"),
        with_segment(0xE2, b"MPF\0MM\0*\0\0\0\x08\xff\xff"),
        with_segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\xff"),
        with_segment(0xEE, b"Adobe"),
        with_segment(0xFE, b"\xff\xfe comment"),
        with_riff_chunk(b"EXIF", DAMAGED_EXIF),
        with_riff_chunk(b"ICCP", b"nothing"),
        with_riff_chunk(b"JUNK", b"odd"),
        encoded("WEBP", lossless=True, exif=exif(1)) + b"trailing bytes",
    ],
)
def test_the_pixels_are_read_and_training_reads_the_same(content, tmp_path):
    pixels = open_image(content).decode()

    assert np.abs(pixels[..., 0].astype(int) - PIXELS).max() <= 8
    (tmp_path / "image").write_bytes(content)
    top = (24 - 16 + 1) // 2
    centre = np.broadcast_to(pixels[top : top + 16], (16, 16, 3))
    np.testing.assert_array_equal(read_photo(tmp_path / "image", side=16), centre)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("kind", "value_format"), [(1, "B"), (3, "H"), (4, "I"), (9, "i")])
def test_the_orientation_is_read_from_every_whole_number(order, kind, value_format):
    assert read_orientation(exif(6, kind, order, value_format)) == 6


@pytest.mark.parametrize("wrong", [exif(0), exif(9), exif(6, kind=2), exif(6)[:-6], b"", b"Exif"])
def test_an_orientation_that_is_none_is_upright(wrong):
    assert read_orientation(wrong) == 1


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "content",
    [
        with_chunk(chunk(b"zTXt", b"Comment\0\0" + HUGE), chunk(b"eXIf", exif(6)[6:])),
        with_segment(0xE1, exif(6, kind=4, value_format="I")),
        with_riff_chunk(b"EXIF", exif(6)),
    ],
    ids=["PNG", "JPEG", "WebP"],
)
def test_training_and_serving_turn_an_image_alike(content, tmp_path):
    pixels = open_image(content).decode()
    (tmp_path / "image").write_bytes(content)
    read = read_photo(tmp_path / "image", side=16)

    assert pixels.shape[:2] == (16, 24)
    np.testing.assert_array_equal(read, np.broadcast_to(pixels[:, 4:20], (16, 16, 3)))


def test_a_file_without_metadata_is_the_same_object():
    content = encoded("PNG")

    assert strip_metadata(content).content is content


def test_a_file_of_too_many_parts_is_refused():
    for content in (
        with_chunk(*[chunk(b"tEXt", b"")] * 20_001),
        encoded("JPEG")[:2] + b"\xff\xfe\0\2" * 20_001,
        b"RIFF\0\0\0\0WEBP" + b"JUNK\0\0\0\0" * 20_001,
    ):
        with pytest.raises(ImageTooLarge):
            open_image(content)


def test_damaged_pixels_are_still_refused():
    png = bytearray(with_chunk(chunk(b"tEXt", b"x", checksum=0)))
    png[png.index(b"IDAT") + 8] ^= 0xFF

    with pytest.raises(InvalidImage):
        open_image(bytes(png)).decode()
