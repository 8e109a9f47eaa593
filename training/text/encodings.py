"""Decodes a training text: by the given encoding, a declared one, or one detected from the bytes.

Always prints its assumption, because a wrong encoding trains a model of garbage without an error.
"""

import codecs
import re

from charset_normalizer import from_bytes

from training.text.web_labels import python_encoding

MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, because its mark begins with UTF-16's
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


_PROPOSE_BYTES, _SHOWN_CHARACTERS = 100_000, 40
_MOST_BAD = 0.1  # maximum share of invalid bytes above 127 in a damaged UTF-8 text
_MOST_HIGH = 0.2  # maximum share of bytes above 127 in a text in Latin letters
_DECLARATION = re.compile(
    rb"""(?:<\?xml[^>]{0,200}encoding\s*=|<meta[^>]{0,300}charset\s*=)\s*["']?\s*([\w.:-]{2,40})""",
    re.IGNORECASE,
)
# How files begin that are no plain text.
_FORMATS = {
    b"{\\rtf": "RTF",
    b"%PDF-": "a PDF",
    b"PK\3\4": "a ZIP archive, as DOCX, ODT and EPUB are",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"\x1f\x8b": "a gzip archive",
}


class TextError(ValueError):
    """A text cannot be used for training; the message has the reason."""


def decode(content: bytes, declared: str | None, name: str) -> tuple[str, str]:
    """Return the text and the encoding in words: a byte order mark, the declared one, UTF-8, Latin-1."""
    for mark, encoding in MARKS.items():
        if content.startswith(mark):
            return _decode(
                content, encoding, name
            ), f"{encoding.removesuffix('-sig').upper()} by its mark"
    _refuse_other_formats(content, name)
    if declared:
        return _decode_declared(content, declared, python_encoding(declared), name)
    if b"\0" in content:
        raise TextError(
            f"{name} has zero bytes: it is not text, or UTF-16 without a byte order mark"
        )
    if inside := _declared_inside(content):
        meant = python_encoding(inside)
        # What can be read in the middle of other bytes is no UTF-16.
        is_utf16 = meant in ("utf-16-le", "utf-16-be")
        return _decode_declared(content, inside, "utf-8" if is_utf16 else meant, name)
    text, encoding = _decode_undeclared(content, name)
    odd = sum(not character.isprintable() and character not in "\n\r\t\f" for character in text)
    if odd > len(text) / 50:
        raise TextError(
            f"{name} is not text: {odd:,} of its {len(text):,} characters cannot be printed"
        )
    return text, encoding


def _refuse_other_formats(content: bytes, name: str) -> None:
    """TextError if the bytes begin as those of a document or an archive do."""
    for start, kind in _FORMATS.items():
        if content.startswith(start):
            raise TextError(
                f"{name} must be plain text, got {kind}: save it as plain text in UTF-8"
            )


def _declared_inside(content: bytes) -> str | None:
    """The encoding in an XML declaration or a page's <meta>, in the first 4 kB."""
    found = _DECLARATION.search(content[:4096])
    return found[1].decode("ascii") if found else None


def decode_as(content: bytes, given: str, name: str) -> tuple[str, str]:
    """Decode as `--encoding` says, by Python's names or the web's; name is used in errors."""
    encoding = python_encoding(given)
    if encoding is None:
        raise TextError(
            f"--encoding must be a text encoding such as koi8-r or cp1251, got {given[:40]!r}"
        )
    try:
        return content.decode(encoding), f"{given.upper()} as given"
    except UnicodeDecodeError as error:
        raise TextError(f"{name} must be in the --encoding {given}, got {error}") from None


def _decode_declared(
    content: bytes, declared: str, encoding: str | None, name: str
) -> tuple[str, str]:
    """Decode with the encoding that the declared label stands for."""
    if encoding is None:
        raise TextError(
            f"{name} must declare a known encoding, got {declared[:40]!r}: give --encoding"
        )
    if encoding == "utf-8":
        text, description = _decode_utf8(content)
        return text, f"{declared.upper()} as declared{description}"
    return _decode(content, encoding, name), f"{declared.upper()} as declared"


def _decode_utf8(content: bytes) -> tuple[str, str]:
    """Decode UTF-8 with invalid bytes as U+FFFD; return the text and a description."""
    try:
        return content.decode("utf-8"), ""
    except UnicodeDecodeError:
        text = content.decode("utf-8", "replace")
        return text, f", {_bad_bytes(content):,} bad bytes replaced"


def _bad_bytes(content: bytes) -> int:
    return len(content) - len(content.decode("utf-8", "ignore").encode())


def _decode_undeclared(content: bytes, name: str) -> tuple[str, str]:
    """UTF-8, also slightly damaged; Windows-1252 for Latin letters; anything else is refused."""
    high = sum(byte > 127 for byte in content)
    bad = _bad_bytes(content)
    if bad <= high * _MOST_BAD or (bad <= 3 and _is_cut(content)):
        text, description = _decode_utf8(content)
        return text, f"UTF-8{description}"
    if high > _MOST_HIGH * len(content):
        raise TextError(
            f"{name} must say its encoding, got bytes that are neither UTF-8 nor Latin letters: "
            f"{_propose(content)}, or save it as UTF-8"
        )
    return content.decode("cp1252", "replace"), "no UTF-8, so Windows-1252 assumed"


def _propose(content: bytes) -> str:
    """Suggest the option with the likeliest encoding, by the frequencies of characters."""
    best = from_bytes(content[:_PROPOSE_BYTES]).best()
    if best is None:
        return "give its encoding, such as --encoding koi8-r"
    beginning = " ".join(str(best).split())[:_SHOWN_CHARACTERS]
    label = best.encoding.replace("_", "-")
    return f"try --encoding {label} if it begins with {beginning!r}"


def _is_cut(content: bytes) -> bool:
    """Whether only the last character is damaged, as in a truncated file."""
    try:
        content[:-4].decode("utf-8")
    except UnicodeDecodeError as error:
        return error.end >= len(content) - 4
    return True


def _decode(content: bytes, encoding: str, name: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise TextError(f"{name} declares {encoding} but has other bytes: {error}") from None
