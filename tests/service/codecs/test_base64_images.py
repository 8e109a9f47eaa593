"""Base64 as clients write it."""

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.codecs import base64_images
from service.codecs.base64_images import decode_base64
from service.errors import InvalidValue


@pytest.mark.parametrize("is_short", [True, False], ids=["short", "long"])
@pytest.mark.parametrize(
    "change",
    [
        "lines",
        "spaces",
        "unpadded",
        "url-safe",
        "uri",
        "URI",
        "lines made spaces",
        "plus made space",
        "percent-encoded",
        "percent-encoded whole",
    ],
)
def test_base64_is_read_as_clients_write_it(change, is_short, monkeypatch):
    monkeypatch.setattr(base64_images, "SHORT", 10_000 * is_short)
    content = bytes(range(256))
    plain = base64.b64encode(content).decode()
    text = {
        "lines": base64.encodebytes(content).decode(),
        "spaces": f"  {plain}\n",
        "unpadded": plain.rstrip("="),
        "url-safe": base64.urlsafe_b64encode(content).decode().rstrip("="),
        "uri": f"data:image/png;base64,{plain}",
        "URI": f" DATA:image/png;charset=x;BASE64,{plain}",
        "lines made spaces": base64.encodebytes(content).decode().replace("\n", " "),
        "plus made space": f"data:image/png;base64,{plain.replace('+', ' ')}",
        "percent-encoded": f"data:image/png;base64,{quote(plain, safe='')}",
        "percent-encoded whole": quote(f"data:image/png;base64,{plain}", safe=""),
    }[change]
    assert decode_base64(text) == content


@pytest.mark.parametrize("is_short", [True, False], ids=["short", "long"])
@pytest.mark.parametrize(
    "text",
    [
        "é",
        "abc*",
        "abcde",
        "data:image/png,abc",
        "https://example.org/d.png",
        "AA==AA",
        "=" * 9 + "x",
        "\x1fAAAA",
        "AAA%",
        "%2541AAA",
        "%41" * 1_000_001,
    ],
)
def test_what_is_not_base64_is_quoted_shortly(text, is_short, monkeypatch):
    monkeypatch.setattr(base64_images, "SHORT", 10_000 * is_short)
    with pytest.raises(InvalidValue, match="an image must be base64"):
        decode_base64(text)


@given(st.text(max_size=300))
def test_any_text_decodes_or_is_refused_in_a_short_printable_sentence(text):
    message = ""
    try:
        decode_base64(text)
    except InvalidValue as error:
        message = str(error)
    assert len(message) < 180
    assert not message or message.isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "A" + " " * 1_000_003 + "A",
        "A\t" * 1_000_000,
        " \n" * 1_000_000 + "*",
        "\n" * 600_000 + "AA A*",
        "AAA " * 600_000,
    ],
    ids=["spaces", "tabs", "blank lines", "more lines than encoders make", "more spaces"],
)
def test_spaces_and_line_ends_are_not_searched_anew_from_each_of_them(text):
    with pytest.raises(InvalidValue, match="an image must be base64"):
        decode_base64(text)
