"""Bytes → pixels: every kind of image comes out exactly, and no bytes raise anything of Pillow's."""

import io
import random
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFile

from service.codecs.image import open_image
from service.errors import ImageTooLarge, InvalidImage, UnsupportedImage, VitrineError
from service.preprocessing.ink import to_grey


def encoded(image, kind="PNG", **options):
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def decoded(image, kind="PNG", **options):
    return open_image(encoded(image, kind, **options)).decode()


def png(width, height, depth, colour_type, rows, *chunks):
    """Write a PNG by hand, for what Pillow cannot write."""

    def chunk(name, content):
        checksum = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + checksum

    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    lines = b"".join(b"\0" + row for row in rows)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def exif(orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)
COLOURS = np.stack([RAMP, RAMP[::-1], RAMP.T], axis=-1)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP"])
def test_grey_images_keep_one_channel(kind):
    np.testing.assert_array_equal(decoded(Image.fromarray(RAMP), kind), RAMP[..., np.newaxis])


@pytest.mark.parametrize("kind", ["PNG", "BMP", "WEBP"])
def test_colour_images_have_three_channels(kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    np.testing.assert_array_equal(decoded(Image.fromarray(COLOURS), kind, **options), COLOURS)


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3)])
def test_a_jpeg_comes_out_nearly_as_it_went_in(mode, channels):
    smooth = Image.fromarray(RAMP).convert(mode)
    pixels = decoded(smooth, "JPEG", quality=100, subsampling=0)
    assert pixels.shape == (16, 16, channels)
    assert np.abs(pixels.astype(int) - RAMP[..., np.newaxis]).max() <= 4


def test_sixteen_bit_grey_keeps_its_levels():
    ramp = np.linspace(0, 65535, 4096).astype(np.uint16).reshape(64, 64)
    pixels = decoded(Image.fromarray(ramp))
    np.testing.assert_array_equal(pixels[..., 0], np.rint(ramp / 257))
    assert len(np.unique(pixels)) == 256


def test_the_transparent_grey_of_sixteen_bits_is_white():
    row = struct.pack(">3H", 0, 1000, 65535)
    content = png(3, 1, 16, 0, [row], (b"tRNS", struct.pack(">H", 1000)))
    assert open_image(content).decode().ravel().tolist() == [0, 255, 255]


def test_sixteen_bit_grey_with_alpha_is_grey_on_white():
    row = struct.pack(">4H", 0, 65535, 0, 0)
    pixels = open_image(png(2, 1, 16, 4, [row])).decode()
    assert pixels.shape == (1, 2, 1)
    assert pixels.ravel().tolist() == [0, 255]


@pytest.mark.parametrize("depth", [1, 2, 4, 8], ids="{} bits".format)
def test_the_transparent_grey_is_white_whatever_the_depth(depth):
    content = png(1, 1, depth, 0, [b"\0"], (b"tRNS", b"\0\0"))
    assert open_image(content).decode().ravel().tolist() == [255]
    darkest_but_one = 1 << (8 - depth)
    key = (b"tRNS", struct.pack(">H", 1))
    assert open_image(png(1, 1, depth, 0, [bytes([darkest_but_one])], key)).decode()[0, 0, 0] == 255
    assert open_image(png(1, 1, depth, 0, [b"\0"], key)).decode()[0, 0, 0] == 0


def test_the_transparent_colour_is_white():
    content = png(2, 1, 8, 2, [b"\xff\0\0\0\0\xff"], (b"tRNS", struct.pack(">3H", 255, 0, 0)))
    assert open_image(content).decode().tolist() == [[[255, 255, 255], [0, 0, 255]]]


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparent_red_is_white(kind):
    pixels = decoded(Image.new("RGBA", (8, 8), (255, 0, 0, 0)), kind)
    assert pixels.shape == (8, 8, 3)
    assert (pixels == 255).all()


def test_half_transparent_colours_are_mixed_with_white():
    assert decoded(Image.new("RGBA", (1, 1), (255, 0, 0, 128))).tolist() == [[[255, 127, 127]]]
    assert decoded(Image.new("LA", (1, 1), (0, 128))).tolist() == [[[127]]]


def test_opaque_alpha_changes_nothing():
    image = Image.fromarray(COLOURS).convert("RGBA")
    np.testing.assert_array_equal(decoded(image), COLOURS)


def test_palettes_are_looked_up_and_laid_on_white():
    image = Image.new("P", (3, 1))
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.putdata([0, 1, 2])
    assert decoded(image).tolist() == [[[255, 0, 0], [0, 255, 0], [0, 0, 255]]]
    alpha = bytes([255, 0, 128])
    assert decoded(image, transparency=alpha).tolist() == [
        [[255, 0, 0], [255, 255, 255], [127, 127, 255]]
    ]
    assert decoded(image, "GIF", transparency=1)[0, 1].tolist() == [255, 255, 255]


def test_a_palette_of_greys_keeps_one_channel():
    image = Image.new("P", (2, 1))
    image.putpalette([255, 255, 255, 10, 10, 10])
    image.putdata([0, 1])
    assert decoded(image).tolist() == [[[255], [10]]]


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF"])
def test_one_bit_images_are_black_and_white(kind):
    pixels = decoded(Image.fromarray(RAMP > 100), kind)
    np.testing.assert_array_equal(pixels, np.where(RAMP > 100, 255, 0)[..., np.newaxis])


@pytest.mark.parametrize(
    ("ink", "colour"),
    [((0, 255, 255, 0), (255, 0, 0)), ((255, 0, 255, 0), (0, 255, 0)), ((0, 0, 0, 255), (0, 0, 0))],
    ids=["red", "green", "black"],
)
def test_cmyk_becomes_the_colour_it_prints(ink, colour):
    pixels = decoded(Image.new("CMYK", (8, 8), ink), "JPEG", quality=100)
    assert np.abs(pixels.astype(int) - colour).max() <= 3


ARROW = np.arange(6, dtype=np.uint8).reshape(2, 3) * 40
UPRIGHT = {
    1: ARROW,
    2: ARROW[:, ::-1],
    3: ARROW[::-1, ::-1],
    4: ARROW[::-1],
    5: ARROW.T,
    6: np.rot90(ARROW, -1),
    7: ARROW[::-1, ::-1].T,
    8: np.rot90(ARROW),
}


@pytest.mark.parametrize("orientation", UPRIGHT, ids="orientation {}".format)
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_exif_orientation_is_applied(kind, orientation):
    options = {"lossless": True} if kind == "WEBP" else {}
    pixels = decoded(Image.fromarray(ARROW), kind, exif=exif(orientation), **options)
    np.testing.assert_array_equal(pixels[..., 0], UPRIGHT[orientation])


def test_exif_orientation_is_applied_to_a_reduced_jpeg():
    content = encoded(Image.new("L", (800, 400)), "JPEG", exif=exif(6))
    assert open_image(content).decode(at_least=50).shape == (100, 50, 1)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"Exif\0\0",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01",
        exif(6)[:-9],
        exif(9),
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x01\0\0\0\x06\0\0\0",
    ],
    ids=["empty", "no header", "far offset", "cut off", "cut inside", "out of range", "wrong type"],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_broken_exif_is_ignored(kind, broken):
    assert decoded(Image.fromarray(ARROW), kind, exif=broken).shape[:2] == ARROW.shape


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_of_an_animation_the_first_frame_counts(kind):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if kind == "WEBP" else {}
    pixels = decoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert (pixels == (255, 0, 0)).all()


def test_a_bomb_is_opened_without_decoding_it(monkeypatch):
    def load(self):
        raise AssertionError("decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", load)
    image = open_image(png(20_000, 20_000, 1, 0, [b"\0" * 2500] * 4))
    assert image.pixels == 400_000_000


@pytest.mark.parametrize("kind", ["VP8 ", "VP8L", "VP8X"])
def test_a_webp_states_its_size_without_being_decoded(kind):
    alpha = Image.new("RGBA", (300, 200), (1, 2, 3, 4))
    content = {
        "VP8 ": encoded(Image.new("RGB", (300, 200)), "WEBP"),
        "VP8L": encoded(Image.new("RGB", (300, 200)), "WEBP", lossless=True),
        "VP8X": encoded(alpha, "WEBP", exif=exif(1)),
    }[kind]
    image = open_image(content)
    assert content[12:16] == kind.encode()
    assert (image.width, image.height) == (300, 200)
    assert image.decode().shape == (200, 300, 3)


def test_a_webp_that_lies_about_its_size_is_refused():
    content = bytearray(encoded(Image.new("RGBA", (30, 20)), "WEBP", exif=exif(1)))
    content[24] += 1
    with pytest.raises(InvalidImage, match="WebP is truncated or corrupt"):
        open_image(bytes(content)).decode()


def test_a_file_of_a_million_tiny_chunks_is_given_up():
    content = encoded(Image.fromarray(ARROW))
    chunk = b"\0\0\0\0tEXt" + struct.pack(">I", zlib.crc32(b"tEXt"))
    with pytest.raises(ImageTooLarge, match="20,000 chunks"):
        open_image(content[:33] + chunk * 200_000 + content[33:])


def test_a_line_of_pixels_is_an_image_but_not_a_very_long_one():
    assert decoded(Image.new("L", (1, 5000))).shape == (5000, 1, 1)
    with pytest.raises(InvalidImage, match="10,000 times"):
        open_image(encoded(Image.new("L", (1, 50_000))))


def test_a_large_jpeg_is_decoded_at_a_reduced_scale():
    content = encoded(Image.new("RGB", (1600, 1000)), "JPEG")
    assert open_image(content).decode().shape == (1000, 1600, 3)
    assert open_image(content).decode(at_least=224).shape == (250, 400, 3)
    assert open_image(content).decode(at_least=2000).shape == (1000, 1600, 3)


def test_decoding_twice_gives_the_same():
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP"):
        image = open_image(encoded(Image.fromarray(COLOURS), kind))
        np.testing.assert_array_equal(image.decode(), image.decode())


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_a_truncated_image_is_invalid(kind):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    content = encoded(Image.fromarray(noise), kind)
    for length in (31, len(content) // 2):
        with pytest.raises(InvalidImage, match="truncated or corrupt"):
            open_image(content[:length]).decode()


@pytest.mark.parametrize("lost", [b"\r\n", b"\r\n\0", b"\r"], ids=["CR LF", "CR LF NUL", "CR"])
def test_a_png_mangled_by_curl_is_recognised(lost):
    content = encoded(Image.fromarray(RAMP)).translate(None, lost)
    with pytest.raises(InvalidImage, match="--data-binary"):
        open_image(content)


def test_a_jpeg_mangled_by_curl_is_recognised():
    content = encoded(Image.fromarray(RAMP), "JPEG").translate(None, b"\r\n\0")
    with pytest.raises(InvalidImage, match="--data-binary"):
        open_image(content)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"hello\nworld", r"11 bytes that start with 'hello\\nworld'"),
        (b"<!DOCTYPE html>", "a web page"),
        (b'<?xml version="1.0"?>\n<svg>', "an SVG drawing"),
        (b"II*\0rest", "a TIFF image"),
        (b"\0\0\0\x18ftypheic", "a HEIC image"),
        (b"\0\0\0\x18ftypavif", "an AVIF image"),
        (b"%PDF-1.7", "a PDF"),
        (b"data:image/png;base64,iVBORw0KGgo", "base64"),
        (b"--x\r\nContent-Disposition: form-data", "boundary"),
    ],
    ids=["nothing", "text", "html", "svg", "tiff", "heic", "avif", "pdf", "base64", "form"],
)
def test_what_is_no_accepted_image_is_named(content, said):
    with pytest.raises(UnsupportedImage, match=said) as raised:
        open_image(content)
    assert content == b"" or "PNG, JPEG, WebP, GIF or BMP" in str(raised.value)


def test_other_formats_that_pillow_reads_are_not_accepted():
    for kind in ("TIFF", "ICO", "PPM", "TGA", "JPEG2000"):
        with pytest.raises(UnsupportedImage):
            open_image(encoded(Image.fromarray(COLOURS), kind))


def test_messages_quote_little_and_only_printable_text():
    with pytest.raises(UnsupportedImage) as raised:
        open_image("\x1b[31m'é\u202e\n".encode() * 10_000)
    message = str(raised.value)
    assert message.isprintable()
    assert len(message) < 180


def test_mutated_images_raise_only_our_errors():
    source = random.Random(7)
    noise = np.random.default_rng(0).integers(0, 256, (12, 12, 3), np.uint8)
    frames = [Image.fromarray(noise[:, ::step]) for step in (1, -1)]
    seeds = [
        encoded(frames[0], kind, exif=exif(6))
        if kind in ("PNG", "JPEG", "WEBP")
        else encoded(frames[0], kind)
        for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP")
    ]
    seeds += [encoded(frames[0].convert("P"), transparency=b"\x80\x10")]
    seeds += [
        encoded(frames[0], kind, save_all=True, append_images=frames[1:]) for kind in ("PNG", "GIF")
    ]
    refused = 0
    for round_number in range(8000):
        content = bytearray(seeds[round_number % len(seeds)])
        for _ in range(source.choice((1, 1, 3, 20))):
            content[source.randrange(len(content))] = source.randrange(256)
        if source.random() < 0.2:
            del content[source.randrange(len(content)) :]
        try:
            image = open_image(bytes(content))
            if image.pixels < 100_000:
                assert image.decode().dtype == np.uint8
        except VitrineError:
            refused += 1
    assert refused > 1000


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "CMYK", "P"])
def test_grey_on_request_is_the_luminance_of_the_colour(mode):
    colours = np.random.default_rng(1).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    image = Image.fromarray(colours).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG" if mode == "CMYK" else "PNG")
    content = buffer.getvalue()

    colour = open_image(content).decode()
    found = to_grey(open_image(content).decode(grey=True))

    np.testing.assert_array_equal(found, to_grey(colour))


def drawn(colour, ground, mode="RGBA"):
    """A stroke of one colour with soft edges on a transparent ground of a hidden colour."""
    image = Image.new("L", (40, 40))
    image.paste(255, (15, 5, 25, 35))
    alpha = image.resize((20, 20), Image.Resampling.BOX).resize((40, 40), Image.Resampling.BILINEAR)
    pixels = Image.new(mode[:-1], (40, 40), ground)
    pixels.paste(colour, (10, 0, 30, 40))
    pixels.putalpha(alpha)
    return pixels


LIGHT_STROKES = {
    "white": drawn("white", "white"),
    "white on hidden black": drawn("white", "black"),
    "yellow": drawn("yellow", "black"),
    "grey with alpha": drawn(250, 0, "LA"),
    "palette": drawn("white", "black").quantize(16),
}


@pytest.mark.parametrize("name", LIGHT_STROKES)
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_light_strokes_on_transparency_are_laid_on_black(name, kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    pixels = to_grey(decoded(LIGHT_STROKES[name], kind, **options))

    assert pixels[20, 20] > 200
    assert pixels[0, 0] == pixels[20, 0] == 0


@pytest.mark.parametrize(
    "image",
    [
        drawn("black", "white"),
        drawn("crimson", "white"),
        drawn((90, 90, 90), "black"),
        Image.new("RGBA", (9, 9), (255, 255, 255, 0)),
        Image.new("RGBA", (9, 9), (250, 250, 250, 200)),
    ],
    ids=["black", "red", "grey", "nothing", "a light sheet"],
)
def test_anything_else_with_transparency_is_laid_on_white(image):
    assert decoded(image)[0, 0].min() >= 250


def test_a_dark_digit_on_a_light_sticker_is_laid_on_white():
    sticker = Image.new("RGBA", (100, 100))
    sticker.paste("white", (10, 10, 90, 90))
    sticker.paste("black", (45, 30, 55, 70))

    pixels = decoded(sticker)

    assert (pixels[0, 0] == 255).all()
    assert (pixels[50, 50] == 0).all()


def bmp_with_alpha(alpha):
    """A BMP as a clipboard gives it: 32 bits, a header with a mask for alpha."""
    rows = np.dstack([COLOURS[..., ::-1], np.full(RAMP.shape, alpha, np.uint8)])[::-1].tobytes()
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack("<IiiHHIIiiII", 124, 16, 16, 1, 32, 3, len(rows), 0, 0, 0, 0)
    header = (header + masks).ljust(124, b"\0")
    offset = 14 + len(header)
    return struct.pack("<2sIHHI", b"BM", offset + len(rows), 0, 0, offset) + header + rows


@pytest.mark.parametrize("alpha", [0, 255])
@pytest.mark.parametrize("grey", [False, True])
def test_a_bmp_whose_alpha_is_unused_is_opaque(alpha, grey):
    pixels = open_image(bmp_with_alpha(alpha)).decode(grey=grey)

    expected = to_grey(COLOURS)[..., np.newaxis] if grey else COLOURS
    np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_sixteen_bit_samples_that_use_fewer_bits_keep_their_contrast(bits):
    values = (RAMP.astype(np.uint32) * ((1 << bits) - 1) // 255).astype(np.uint16)

    pixels = decoded(Image.fromarray(values))[..., 0]

    assert np.abs(pixels.astype(int) - RAMP).max() <= 1


def test_sixteen_bit_colours_that_use_twelve_bits_keep_their_contrast():
    values = (COLOURS.astype(np.uint16) * 16).astype(">u2")
    content = png(16, 16, 16, 2, [row.tobytes() for row in values])

    assert np.abs(open_image(content).decode().astype(int) - COLOURS).max() <= 17
