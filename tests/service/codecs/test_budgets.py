"""What is dear to read is refused by counting, before the work."""

import tracemalloc

import numpy as np
import pytest
from PIL import Image

from clients.load.images import encoded
from clients.robustness.soak import hostile_bodies as hostile
from service.codecs.image import open_image
from service.codecs.json_size import check_json_size
from service.codecs.multipart import read_files
from service.codecs.request_images import check_pixels, read_images
from service.errors import BodyTooLarge, ImageTooLarge, InvalidRequest
from service.image_files.decoding_cost import Cost, TooManyPieces, count_pieces

LIMITS = {"max_pixels": 25_000_000, "max_images": 64, "max_json_values": 1_000_000}


@pytest.fixture
def no_decoding(monkeypatch):
    """Fail if any pixel is decoded."""

    def refuse(*_, **__):
        raise AssertionError("it was decoded")

    monkeypatch.setattr("service.codecs.image.rasterize", refuse)


@pytest.mark.usefixtures("no_decoding")
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: hostile.many_scans(316, 10_000), "to decode"),
        (lambda: hostile.many_scans(4999, 700), "to decode"),
        (lambda: hostile.many_segments(20_001), "chunks and segments"),
        (lambda: hostile.fill_bytes(20_001), "chunks and segments"),
        (lambda: hostile.many_chunks(20_001), "chunks and segments"),
        (lambda: hostile.many_blocks(20_001), "chunks and segments"),
        (lambda: hostile.run_lengths(2500), "to decode"),
        (lambda: hostile.bomb("WEBP", 4999), "WebP"),
        (lambda: hostile.bomb("PNG", 5_001), "pixels"),
        (lambda: hostile.form([hostile.many_segments(400)] * 60), "chunks and segments"),
        (lambda: hostile.form([hostile.many_chunks(400)] * 60), "chunks and segments"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_image_that_is_dear_to_decode_is_refused_by_its_structure(make, said):
    with pytest.raises(ImageTooLarge, match=said):
        read_images(make(), hostile.FORM, **LIMITS)


def test_texts_in_a_png_are_not_inflated():
    (image,) = read_images(hostile.compressed_texts(60), "", **LIMITS)

    assert b"zTXt" not in image.source.content
    assert image.decode().shape == (8, 8, 1)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("WEBP", {"lossless": True}),
        ("GIF", {}),
        ("BMP", {}),
    ],
)
def test_an_ordinary_image_is_far_from_its_budget(kind, options):
    noise = np.random.default_rng(0).integers(0, 256, (350, 500, 3), np.uint8)
    image = open_image(encoded(Image.fromarray(noise), kind, **options))

    assert 0 < image.cost.nanoseconds < 175_000 * 80 / 1.5
    assert 175_000 <= image.cost.bytes <= 175_000 * 16
    check_pixels([image], 350_000)


def test_a_progressive_jpeg_and_a_webp_are_charged_more_memory_than_a_png():
    image = Image.new("RGB", (100, 100))
    png, jpeg, webp = (
        open_image(encoded(image, kind, **options)).cost.bytes
        for kind, options in (("PNG", {}), ("JPEG", {"progressive": True}), ("WEBP", {}))
    )

    assert png < jpeg < webp


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WebP", "GIF"])
def test_any_bytes_can_be_counted(kind):
    random = np.random.default_rng(1)
    for size in (0, 1, 9, 12, 13, 40, 1000):
        for _ in range(50):
            content = random.integers(0, 256, size, np.uint8).tobytes()
            try:
                assert 0 <= count_pieces(kind, content, 100) <= 100
            except TooManyPieces:
                assert size > 100


def test_what_needs_no_decoding_costs_nothing():
    (image,) = read_images(b'{"instances": [[[0, 255]]]}', "", **LIMITS)

    assert image.cost == Cost()


@pytest.mark.parametrize(
    "name",
    [
        "lists of one",
        "empty lists",
        "nesting",
        "names",
        "numbers",
        "strings",
        "quotes",
        "escaped quotes",
        "base64 with emoji",
        "base64 with an escaped emoji",
    ],
)
def test_json_of_too_many_values_is_refused_before_it_is_parsed(name, monkeypatch):
    body, _ = hostile.body(name)
    monkeypatch.setattr("service.codecs.request_images.parse_json", None)
    with pytest.raises(BodyTooLarge, match=r"send images as files, or tensors as binary data"):
        read_images(body, "", **LIMITS)


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"1," * 900_000 + b"1]",
        b"[" + b"[1]," * 200_000 + b"[1]]",
        b'{"images": ["' + b"A" * 10_000_000 + b'"]}',
        b'\xef\xbb\xbf{"images": ["' + b"\\u002BA" * 1_000_000 + b'"]}',
    ],
    ids=["numbers", "lists", "base64", "base64 as .NET writes it"],
)
def test_json_below_the_limits_is_not_refused(body):
    assert check_json_size(body, 1_000_000) is None


def test_a_small_limit_counts_the_values_of_a_short_body():
    with pytest.raises(BodyTooLarge, match="at most 1,000 JSON values, got 1,001"):
        check_json_size(b"[" + b"1," * 1_000 + b"1]", 1_000)
    assert check_json_size(b"[" + b"1," * 900 + b"1]", 1_000) is None


def test_what_is_neither_json_nor_image_is_refused_by_its_start():
    for name in ("spaces", "spaces and a list", "a list and spaces"):
        with pytest.raises(InvalidRequest):
            read_images(hostile.body(name)[0], "", **LIMITS)


@pytest.mark.parametrize(
    "name", ["a form of line ends", "a form of boundaries", "a form of headers", "a form of dashes"]
)
def test_a_form_of_nothing_is_refused(name):
    body, content_type = hostile.body(name)
    with pytest.raises(InvalidRequest):
        read_images(body, content_type, **LIMITS)


def test_the_files_of_a_form_are_copied_once():
    body = hostile.form([b"\x89PNG\r\n\x1a\n" + bytes(1_000_000)] * 4)
    tracemalloc.start()
    read_files(body, hostile.FORM, 64)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert most < 1.5 * len(body)
