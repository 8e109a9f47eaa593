"""JSON bodies in every encoding that clients send."""

import json

import pytest

from service.codecs.json_fields import parse_json, parse_object, shown
from service.errors import InvalidJSON

GREETING = {"seed": "Grüße"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_unicode_is_recognised_by_its_mark_or_its_zero_bytes(encoding):
    body = json.dumps(GREETING, ensure_ascii=False).encode(encoding)

    assert parse_object(body) == GREETING


@pytest.mark.parametrize("charset", ["iso-8859-1", "ISO-8859-15", "windows-1252", '"latin1"'])
def test_the_declared_charset_of_a_body_that_is_not_utf_8_is_followed(charset):
    body = json.dumps(GREETING, ensure_ascii=False).encode("latin-1")

    assert parse_json(body, f"application/json; Charset={charset}") == GREETING


def test_a_wrong_declaration_does_not_change_a_body_in_utf_8():
    body = json.dumps(GREETING, ensure_ascii=False).encode()

    assert parse_json(body, "application/json; charset=iso-8859-1") == GREETING


@pytest.mark.parametrize("content_type", ["", "application/json; charset=utf-8", "x; charset=zlib"])
def test_an_undeclared_encoding_names_the_byte_and_the_way_out(content_type):
    with pytest.raises(InvalidJSON, match="UTF-8, got the byte 0xFC at position 12: encode it"):
        parse_json(json.dumps(GREETING, ensure_ascii=False).encode("latin-1"), content_type)


@pytest.mark.parametrize("before", range(4))
def test_a_wrong_byte_far_into_a_body_is_named_wherever_its_pieces_are_cut(before):
    body = b'["' + b"a" * before + "€".encode() * 700_000 + b'\xff"]'

    with pytest.raises(InvalidJSON, match=f"0xFF at position {len(body) - 3}"):
        parse_json(body)


@pytest.mark.parametrize(
    ("body", "form"),
    [
        (b"seed=YOUNG", "application/x-www-form-urlencoded"),
        (b"--x\r\n", "Multipart/Form-Data; boundary=x"),
    ],
)
def test_a_form_is_told_what_is_expected_instead(body, form):
    with pytest.raises(InvalidJSON, match=r"application/json.*, got a form, .*: send its fields"):
        parse_json(body, form)


def test_faulty_json_that_curl_declares_a_form_is_told_its_position():
    with pytest.raises(InvalidJSON, match="line 1, column 10"):
        parse_json(b'{"seed": ', "application/x-www-form-urlencoded")


@pytest.mark.parametrize(
    ("value", "said"), [(5, "5"), (5.0, "5.0"), (-3.0, "-3.0"), (0.5, "0.5"), (1e20, "1e+20")]
)
def test_a_wrong_number_is_shown_as_it_was_sent(value, said):
    assert shown(value) == said
