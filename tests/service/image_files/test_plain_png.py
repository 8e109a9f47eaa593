"""Plain PNG files give the pixels that Pillow's reader gives; everything else is left to the reader."""

import io
import random
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngImageFile, PngInfo
from zlib_ng import zlib_ng

from service.codecs.image import open_image
from service.codecs.image_writing import encode_png
from service.errors import InvalidImage
from service.image_files import plain_png
from service.image_files.plain_png import read_plain_png
from service.image_files.raster import rasterize

SIZES = ((1, 1), (3, 2), (28, 28), (61, 17), (280, 280))
BANDS = {"L": 1, "RGB": 3, "RGBA": 4}


def drawing(mode, size, seed=0):
    """Noise, a gradient and flat parts, so that an encoder chooses every kind of filter."""
    width, height = size
    random_numbers = np.random.default_rng(seed)
    pixels = np.zeros((height, width, BANDS[mode]), np.uint8)
    pixels[: height // 2] = random_numbers.integers(0, 256, pixels[: height // 2].shape)
    pixels[height // 2 :] = np.arange(width, dtype=np.uint8)[:, np.newaxis]
    return Image.fromarray(pixels[..., 0] if mode == "L" else pixels, mode)


def encoded(image, **options):
    """As PNG."""
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


def chunk(name, content):
    """A PNG chunk."""
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def by_reader(content, *, grey):
    """What Pillow's reader makes of the file."""
    return rasterize(PngImageFile(io.BytesIO(content)), grey=grey)


@pytest.mark.parametrize("mode", BANDS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("level", [0, 1, 9])
def test_the_pixels_are_those_of_the_reader(mode, size, level):
    content = encoded(drawing(mode, size), compress_level=level)
    assert read_plain_png(content)
    for grey in (False, True):
        found = open_image(content).decode(grey=grey)
        np.testing.assert_array_equal(found, by_reader(content, grey=grey))


@pytest.mark.parametrize("count", [1, 2, 50])
def test_pixels_in_several_chunks_are_joined(count):
    content = encode_png(np.asarray(drawing("L", (40, 30))))
    plain = read_plain_png(content)
    step = -(-len(plain.compressed) // count)
    starts = range(0, len(plain.compressed), step)
    parts = [plain.compressed[start : start + step] for start in starts]
    cut = content[:33] + b"".join(chunk(b"IDAT", part) for part in parts) + content[-12:]
    assert read_plain_png(cut).chunks == len(parts) + 2
    assert open_image(cut).cost.pieces == len(parts) + 2
    np.testing.assert_array_equal(open_image(cut).decode(), by_reader(content, grey=False))


@pytest.mark.parametrize("excess", [1, 2**20])
def test_more_pixels_than_the_header_states_are_not_inflated(excess, monkeypatch):
    sizes, make = [], zlib_ng.decompressobj

    class Inflater:
        def __init__(self):
            self._inner = make()
            self.eof = False

        def decompress(self, content, most):
            rows = self._inner.decompress(content, most)
            sizes.append(len(rows))
            self.eof = self._inner.eof
            return rows

    rows = bytes(200 * 201 + excess)
    header = struct.pack(">IIBBBBB", 200, 200, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    content = b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in chunks)
    monkeypatch.setattr(plain_png.zlib_ng, "decompressobj", Inflater)
    found = open_image(content).decode()

    assert sizes == [200 * 201 + 1]
    np.testing.assert_array_equal(found, by_reader(content, grey=False))


def test_metadata_does_not_keep_a_file_from_being_plain():
    text = PngInfo()
    text.add_text("Software", "a drawing program")
    image = drawing("RGBA", (28, 28))
    content = encoded(image, pnginfo=text, dpi=(72, 72))
    assert read_plain_png(content) is None
    assert read_plain_png(open_image(content).source.content)
    np.testing.assert_array_equal(open_image(content).decode(), by_reader(content, grey=False))


@pytest.mark.parametrize(
    "content",
    [
        encoded(drawing("L", (9, 9)).convert("P")),
        encoded(drawing("L", (9, 9)).convert("1")),
        encoded(drawing("L", (9, 9)).convert("LA")),
        encoded(drawing("L", (9, 9)).convert("I;16")),
        encoded(drawing("L", (9, 9)), transparency=0),
        encode_png(np.zeros((9, 9), np.uint8)) + b"more",
        encode_png(np.zeros((9, 9), np.uint8))[:-1],
        encode_png(np.zeros((9, 9), np.uint8))[:29] + b"\0\0\0\0" + bytes(50),
    ],
    ids=["palette", "bits", "alpha", "16", "key", "trailing", "cut", "checksum"],
)
def test_other_files_are_left_to_the_reader(content):
    assert read_plain_png(content) is None


def test_a_damaged_file_gives_what_the_reader_gives():
    """Flip, drop or repeat bytes: same pixels, or refused by both."""
    random_numbers = random.Random(1)
    outcomes = {"same": 0, "refused": 0}
    for number in range(600):
        mode = ("L", "RGB", "RGBA")[number % 3]
        size = (24, 20) if number // 2 % 2 else (90, 190)  # inflated by Pillow, or before it
        content = bytearray(encoded(drawing(mode, size, number % 7)))
        first = len(content) - 20 if number % 5 == 0 else 33  # there the pixels' checksums are
        place = random_numbers.randrange(first, len(content) - 12)
        if number % 2:
            content[place] ^= 1 << random_numbers.randrange(8)
        else:
            del content[place : place + random_numbers.randrange(1, 4)]
        try:
            expected = by_reader(bytes(content), grey=False)
        except Exception:  # noqa: BLE001 - Pillow raises many kinds
            with pytest.raises(InvalidImage):
                open_image(bytes(content)).decode()
            outcomes["refused"] += 1
        else:
            np.testing.assert_array_equal(open_image(bytes(content)).decode(), expected)
            outcomes["same"] += 1
    assert min(outcomes.values()) > 20


def filtered(pixels, filters):
    """uint8 [H, W, C] as a PNG with the given filter for each row (PNG specification, 9.2)."""
    height, width, bands = pixels.shape
    now = pixels.astype(np.int16)
    left, above, corner = (np.zeros_like(now) for _ in range(3))
    left[:, 1:], above[1:], corner[1:, 1:] = now[:, :-1], now[:-1], now[:-1, :-1]
    guess = left + above - corner
    near = np.stack([np.abs(guess - one) for one in (left, above, corner)])
    nearest = np.choose(near.argmin(axis=0), (left, above, corner))
    predicted = np.stack((np.zeros_like(now), left, above, (left + above) // 2, nearest))
    rows = (now - predicted[filters, np.arange(height)]).astype(np.uint8).reshape(height, -1)
    content = np.concatenate((np.array(filters, np.uint8)[:, np.newaxis], rows), axis=1).tobytes()
    colour = {1: 0, 3: 2, 4: 6}[bands]
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(content)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in chunks)


OPAQUE_GREY = np.repeat(np.random.default_rng(3).integers(0, 256, (90, 70, 1), np.uint8), 4, axis=2)
OPAQUE_GREY[..., 3] = 255
ALIKE = {
    "opaque": ((), 255),
    "a clear pixel": ((45, 30, 3), 254),
    "a clear corner": ((0, 0, 3), 0),
    "a clear pixel in the first column": ((50, 0, 3), 128),
    "a coloured pixel": ((45, 69, 2), 7),
    "a coloured corner": ((89, 0, 1), 7),
}


@pytest.mark.parametrize("first", range(5))
@pytest.mark.parametrize("kind", ALIKE)
def test_rgba_that_is_grey_and_opaque_is_decoded_as_grey(kind, first):
    place, value = ALIKE[kind]
    pixels = OPAQUE_GREY.copy()
    if place:
        pixels[place] = value
    content = filtered(pixels, [(first + row) % 5 for row in range(90)])

    np.testing.assert_array_equal(
        open_image(content).decode(grey=True), by_reader(content, grey=True)
    )
    is_grey = isinstance(read_plain_png(content).decode(grey=True), np.ndarray)
    assert is_grey == (not place)
