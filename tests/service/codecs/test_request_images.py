"""A request body → images: every form a client has, every limit, one kind of error."""

import base64
import contextlib
import io
import json
import random
import urllib.parse

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from service.codecs.request_images import naming_image, read_images
from service.errors import (
    ImageTooLarge,
    InvalidImage,
    InvalidJSON,
    InvalidRequest,
    InvalidValue,
    TooManyImages,
    UnsupportedImage,
    VitrineError,
)


def encoded(pixels, kind="PNG"):
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, kind)
    return content.getvalue()


ONE = np.arange(12, dtype=np.uint8).reshape(3, 4)
TWO = np.full((2, 2), 200, np.uint8)
PNG_ONE, PNG_TWO = encoded(ONE), encoded(TWO)
BASE64_ONE = base64.b64encode(PNG_ONE).decode()
URI_TWO = "data:image/png;base64," + base64.b64encode(PNG_TWO).decode()
BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def read(body, content_type="", max_pixels=10_000, max_images=4, max_json_values=1_000_000):
    return read_images(
        body,
        content_type,
        max_pixels=max_pixels,
        max_images=max_images,
        max_json_values=max_json_values,
    )


def decoded(body, content_type=""):
    return [image.decode()[..., 0].tolist() for image in read(body, content_type)]


def part(content, disposition='name="image"; filename="d.png"', header="Content-Type: image/png"):
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n{header}\r\n\r\n"
    return head.encode() + content + b"\r\n"


def form(*parts):
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


@pytest.mark.parametrize(
    "content_type",
    ["image/png", "", "application/json", "application/x-www-form-urlencoded", FORM],
    ids=["right", "absent", "JSON", "curl -d", "form"],
)
def test_the_bytes_of_an_image_decide_whatever_the_content_type_says(content_type):
    assert decoded(PNG_ONE, content_type) == [ONE.tolist()]


@pytest.mark.parametrize("content_type", ["application/json", "image/png", "", FORM])
@pytest.mark.parametrize("blank", [b"", b" \r\n\t", b"\xef\xbb\xbf"], ids=["", "blanks", "BOM"])
def test_json_is_known_by_its_first_byte(content_type, blank):
    body = blank + orjson.dumps({"image": BASE64_ONE})
    assert decoded(body, content_type) == [ONE.tolist()]


@pytest.mark.parametrize(
    "document",
    [
        {"images": [BASE64_ONE, URI_TWO]},
        {"images": [{"b64": BASE64_ONE}, URI_TWO]},
        {"instances": [ONE.tolist(), TWO.tolist()]},
        {"instances": [ONE[..., np.newaxis].tolist(), URI_TWO]},
    ],
    ids=["base64", "b64", "pixels", "mixed"],
)
def test_several_images_keep_their_order(document):
    assert decoded(orjson.dumps(document)) == [ONE.tolist(), TWO.tolist()]


def test_one_image_may_be_pixels():
    assert decoded(orjson.dumps({"image": ONE.tolist()})) == [ONE.tolist()]


def test_colour_pixels_keep_three_channels():
    (image,) = read(b'{"instances": [[[[1, 2, 3]]]]}')
    assert image.decode().tolist() == [[[1, 2, 3]]]


def test_a_form_gives_its_files_in_order_whatever_the_fields_are_called():
    body = form(
        part(b"7", 'name="random_seed"', "X-Other: 1"),
        part(PNG_ONE, 'name="anything"; filename="my \\"d\\".png"'),
        part(PNG_TWO, "name=blob; filename=blob", "Content-Type: application/octet-stream"),
    )
    assert decoded(body, FORM) == [ONE.tolist(), TWO.tolist()]


def test_a_form_part_of_an_image_type_is_a_file_without_a_name():
    assert decoded(form(part(PNG_ONE, 'name="image"')), FORM) == [ONE.tolist()]


def test_a_file_field_left_empty_is_ignored():
    empty = part(b"", 'name="second"; filename=""', "Content-Type: application/octet-stream")
    assert decoded(form(part(PNG_ONE), empty), FORM) == [ONE.tolist()]


def test_an_image_holding_line_ends_and_dashes_survives_a_form():
    noise = np.frombuffer(b"\r\n--\r\n" * 600, np.uint8).reshape(60, 60)
    body = encoded(noise, "BMP")
    assert decoded(form(part(body)), FORM.replace("multipart/form", "Multipart/Form")) == [
        noise.tolist()
    ]


def test_a_boundary_may_be_quoted():
    assert decoded(form(part(PNG_ONE)), f'multipart/form-data; boundary="{BOUNDARY}"')


@pytest.mark.parametrize(
    ("body", "content_type", "said"),
    [
        (form(part(PNG_ONE)), "multipart/form-data", "with a boundary"),
        (form(part(PNG_ONE)), "multipart/mixed; boundary=x", "must be multipart/form-data"),
        (form(part(PNG_ONE)), "multipart/form-data; boundary=other", "must be valid multipart"),
        (form(part(PNG_ONE)), "multipart/form-data; boundary=" + "x" * 999, "must be valid multipart"),
        (form(part(PNG_ONE)), "multipart/form-data; boundary=\u2014", "must be valid multipart"),
        (form(part(PNG_ONE))[:-9], FORM, "must end with its closing boundary"),
        (part(PNG_ONE)[:-50], FORM, "must end with its closing boundary"),
        (b"", FORM, "must end with its closing boundary|got nothing"),
        (form(part(PNG_ONE)).replace(b"\r\n", b"\n"), FORM, "must be valid multipart"),
        (form(part(PNG_ONE, header="no colon")), FORM, "must be valid multipart"),
        (form(part(PNG_ONE, header="X: " + "x" * 100_000)), FORM, "must be valid multipart"),
        (form(part(PNG_ONE, header="\r\n".join("X: y" for _ in range(999)))), FORM, "must be valid multipart"),
        (form(*[part(b"", 'name="x"', "A: b")] * 999), FORM, "at most 256 fields"),
        (form(part(b"d.png", 'name="image"', "A: b")), FORM, "got 1 fields without one: send one"),
        (form(), FORM, "got 0 fields without one"),
    ],
    ids=[
        "no boundary", "mixed", "other boundary", "long boundary", "strange boundary", "no end",
        "cut off", "nothing", "LF", "no colon", "long header", "many headers", "many fields",
        "no file", "no part",
    ],
)  # fmt: skip
def test_a_bad_form_says_what_is_wrong(body, content_type, said):
    with pytest.raises(InvalidRequest, match=said):
        read(body, content_type)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"image": NaN}', "NaN and Infinity are not JSON"),
        (b'{"instances": [[[-Infinity]]]}', "NaN and Infinity are not JSON"),
        (b'{"instances": [[[1e999]]]}', "must be valid JSON, got an error at line 1"),
        (b'{"image": "\\ud800"}', "surrogate"),
        (b'{"image": "abc', "line 1, column"),
        (b'{\n"image": }', "line 2, column"),
        (b"[" * 100_000, "must be valid JSON, got an error at line 1"),
        (b'{"image": "\xff"}', "UTF-8"),
        (b'{"image": "a"} x', "must be valid JSON, got an error at line 1"),
        (b'{"image": ' + b"9" * 5000 + b"}", "must be valid JSON, got an error at line 1"),
    ],
    ids=[
        "NaN", "Infinity", "1e999", "surrogate", "cut off", "no value", "deep", "UTF-8", "rest",
        "digits",
    ],
)  # fmt: skip
def test_what_is_no_json_says_where(body, said):
    with pytest.raises(InvalidJSON, match=said):
        read(body)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "an empty object"),
        ([BASE64_ONE], "a bare list"),
        ({"picture": BASE64_ONE}, "a field must be one of image, .*, got 'picture'"),
        ({"image": BASE64_ONE, "top": 5}, "a field must be one of image, .*, got 'top'"),
        ({"image": BASE64_ONE, "images": []}, "image and images"),
        ({"images": []}, '"images" must have at least one image'),
        ({"images": BASE64_ONE}, '"images" must be a list, got the string'),
        ({"instances": {"a": 1}}, '"instances" must be a list, got an object'),
        ({"instances": ONE.tolist()}, r"got a single one: put \[ \] around it"),
        ({"image": None}, "got null"),
        ({"image": 5}, "got a number"),
        ({"image": {"b64": 5}}, "got a number"),
        ({"image": {"url": "x"}}, "got an object"),
        ({"image": "https://example.org/d.png"}, "addresses are not fetched"),
        ({"instances": [[[0.0, 0.5]]]}, "multiply by 255"),
    ],
    ids=lambda value: "" if isinstance(value, str) else str(value)[:30],
)
def test_json_of_another_form_names_the_field_and_what_came(document, said):
    with pytest.raises(InvalidValue, match=said):
        read(orjson.dumps(document))


def test_an_empty_body_says_what_can_be_sent():
    with pytest.raises(UnsupportedImage, match=r"the body must be a PNG, .*, got nothing"):
        read(b"")


def test_a_body_that_is_no_image_says_how_it_starts():
    with pytest.raises(UnsupportedImage, match="start with 'image=abc'"):
        read(b"image=abc", "text/plain")


@pytest.mark.parametrize(
    "one",
    [
        part(PNG_ONE, "name=\"image\"; filename*=UTF-8''d%20e.png", "Content-Type: image/png"),
        part(PNG_ONE, 'name="image"', "Content-Type: application/octet-stream"),
        part(PNG_ONE, 'name="image"', "Content-Type: text/plain"),
        part(PNG_ONE, "name=image", "A: b"),
        part(f"data:image/png;base64,{BASE64_ONE}".encode(), 'name="image"', "A: b"),
        part(f" {BASE64_ONE}\n".encode(), 'name="image"', "A: b"),
        part(f"data:image/png;base64,{BASE64_ONE}".encode()),
    ],
    ids=[
        "filename*",
        "octet-stream",
        "text",
        "no name",
        "data URI",
        "base64",
        "file of a data URI",
    ],
)
def test_the_bytes_of_a_part_decide_whether_it_is_an_image(one):
    note = part(b"a note", 'name="note"', "A: b")

    assert decoded(form(note, one, note), FORM) == [ONE.tolist()]


def test_a_named_part_that_is_no_image_is_named():
    sent = form(part(b"GIF is a format", "name=a; filename*=UTF-8''d.txt", "A: b"))

    with pytest.raises(UnsupportedImage, match="start with 'GIF is"):
        read(sent, FORM)


URLENCODED = "application/x-www-form-urlencoded"


def test_a_data_uri_in_an_urlencoded_field_is_an_image_even_if_its_plus_was_not_escaped():
    escaped = urllib.parse.urlencode({"a": URI_TWO, "note": "x", "b": BASE64_ONE})

    assert decoded(escaped.encode(), URLENCODED) == [TWO.tolist(), ONE.tolist()]
    assert decoded(f"image={URI_TWO}".encode(), URLENCODED) == [TWO.tolist()]
    noise = np.random.default_rng(1).integers(0, 256, (40, 40), np.uint8)
    raw = base64.b64encode(encoded(noise)).decode()
    assert "+" in raw
    assert decoded(f"image=data:image/png;base64,{raw}".encode(), URLENCODED) == [noise.tolist()]


def test_an_urlencoded_form_without_an_image_says_what_to_send():
    with pytest.raises(InvalidValue, match="got 2 fields without one: send a data URI"):
        read(b"a=1&b=2", URLENCODED)
    with pytest.raises(InvalidRequest, match="at most 256 fields"):
        read(b"&".join([b"a=1"] * 999), URLENCODED)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_json_in_other_unicode_encodings_is_read(encoding):
    body = orjson.dumps({"image": URI_TWO}).decode().encode(encoding)

    assert decoded(body, "application/json") == [TWO.tolist()]


@pytest.mark.parametrize(
    ("images", "error", "said"),
    [
        ([BASE64_ONE, "?"], InvalidValue, "^image 2: an image must be base64"),
        ([BASE64_ONE, BASE64_ONE, "AAAA"], UnsupportedImage, "^image 3: an image must be a PNG"),
        ([BASE64_ONE[:40], BASE64_ONE], InvalidImage, "^image 1: the PNG is truncated"),
        ([[[300]], BASE64_ONE], InvalidValue, "^image 1: pixels must be numbers"),
        (["?"], InvalidValue, "^an image must be base64"),
    ],
    ids=["text", "no image", "truncated", "pixels", "alone"],
)
def test_one_bad_image_of_several_is_named(images, error, said):
    with pytest.raises(error, match=said):
        read(orjson.dumps({"images": images}))


def test_errors_while_decoding_can_be_named_the_same_way():
    with pytest.raises(InvalidImage, match=r"^image 3: blank$"), naming_image(3, 5):
        raise InvalidImage("blank")
    with pytest.raises(InvalidImage, match=r"^blank$"), naming_image(1, 1):
        raise InvalidImage("blank")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (orjson.dumps({"images": [BASE64_ONE] * 5}), ""),
        (form(*[part(PNG_ONE)] * 5), FORM),
    ],
    ids=["json", "form"],
)
def test_too_many_images_are_refused(body, content_type):
    with pytest.raises(TooManyImages, match="must have at most 4 images, got 5"):
        read(body, content_type)
    assert len(read(body, content_type, max_images=5)) == 5


def test_the_pixels_of_a_request_are_counted_before_any_is_decoded():
    corrupt = PNG_ONE[:-20]
    with pytest.raises(ImageTooLarge, match="must have at most 11 pixels, got 4 × 3 = 12"):
        read(corrupt, max_pixels=11)
    both = orjson.dumps({"images": [BASE64_ONE, URI_TWO]})
    with pytest.raises(ImageTooLarge, match="must have at most 15 pixels, got 16 in 2 images"):
        read(both, max_pixels=15)
    assert len(read(both, max_pixels=16)) == 2


@given(st.text(min_size=1, max_size=200))
def test_messages_quote_a_strange_field_shortly(name):
    message = ""
    try:
        read(orjson.dumps({name: 1}))
    except InvalidRequest as error:
        message = str(error)
    assert 0 < len(message) < 240
    assert message.isprintable()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 300) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
)


@given(st.sampled_from(["image", "images", "instances"]), VALUES)
def test_any_json_gives_images_or_one_of_our_errors(name, value):
    with contextlib.suppress(VitrineError):
        assert read(orjson.dumps({name: value}))


@given(st.binary(max_size=200), st.text(max_size=60))
def test_any_body_gives_images_or_one_of_our_errors(body, content_type):
    for kind in (content_type, FORM, "multipart/form-data;" + content_type):
        with contextlib.suppress(VitrineError):
            assert read(body, kind)


def test_mutated_forms_give_images_or_one_of_our_errors():
    source = random.Random(3)
    whole = form(part(PNG_ONE), part(b"7", 'name="n"', "A: b"), part(PNG_TWO))
    for _ in range(3000):
        body = bytearray(whole)
        for _ in range(source.choice((1, 3, 10))):
            body[source.randrange(len(body))] = source.choice(
                (*b'\r\n-;:="', source.randrange(256))
            )
        if source.random() < 0.2:
            del body[source.randrange(len(body)) :]
        with contextlib.suppress(VitrineError):
            assert read(bytes(body), FORM)


@pytest.mark.parametrize("kind", [int, float])
@pytest.mark.parametrize("tail", [(), (1,), (3,)])
def test_many_pixels_as_lists_are_read_as_few(kind, tail):
    pixels = np.random.default_rng(0).integers(0, 256, (60, 28, 28, *tail))
    body = json.dumps({"instances": pixels.astype(kind).tolist()}).encode()

    found = read(body, max_pixels=100_000, max_images=64)

    assert len(body) > 100_000
    for image, expected in zip(found, pixels, strict=True):
        assert image.decode().tolist() == expected.reshape(28, 28, -1).tolist()


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.full((60, 28, 28), 256), "image 1: pixels must be numbers from 0 .* got 256"),
        (np.full((60, 28, 28), 0.5), "image 1: .* fractions up to 0.5: multiply by 255"),
        (np.full((60, 28, 28), 1), "image 1: .* only 0 and 1"),
        (np.full((60, 28, 28, 2), 9), "image 1: .* got pixels of 2 values"),
        (np.full((200, 200), 9), "must be a list of images, .* got a single one"),
        (np.full((40_000,), 9), "at most 64 images, got 40000"),
        (np.full((2, 5, 5, 50, 50), 9), "image 1: .*one list too many"),
    ],
)
def test_wrong_pixels_in_long_lists_are_refused_as_in_short_ones(array, said):
    with pytest.raises(InvalidRequest, match=said):
        read(json.dumps({"instances": array.tolist()}).encode(), max_images=64)
