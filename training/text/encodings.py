"""Decodes a training text: by the given encoding, a declared one, or one detected from the bytes.

Always prints its assumption, because a wrong encoding trains a model of garbage without an error.
"""

import codecs
import re

from charset_normalizer import from_bytes

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
# Labels that mean something else on the web than in Python (WHATWG, Encoding Standard).
_WEB_LABELS = {
    **dict.fromkeys(
        ("ascii", "us-ascii", "iso-8859-1", "iso8859-1", "latin1", "latin-1", "l1", "cp819"),
        "cp1252",
    ),
    **dict.fromkeys(("iso-8859-9", "iso8859-9", "latin5", "l5"), "cp1254"),
    **dict.fromkeys(("gb2312", "gbk", "x-gbk", "gb_2312-80", "chinese", "csgb2312"), "gb18030"),
    **dict.fromkeys(
        ("shift_jis", "shift-jis", "sjis", "x-sjis", "ms_kanji", "windows-31j"), "cp932"
    ),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987", "ksc5601", "korean", "windows-949"), "cp949"),
    **dict.fromkeys(("big5", "x-x-big5", "cn-big5", "big5-hkscs"), "big5hkscs"),
    **dict.fromkeys(("tis-620", "iso-8859-11", "dos-874"), "cp874"),
    "x-cp1252": "cp1252",
    "x-cp1250": "cp1250",
    "x-cp1251": "cp1251",
    "koi8": "koi8-r",
    "koi": "koi8-r",
    "koi8-ru": "koi8-u",
    "x-mac-cyrillic": "mac-cyrillic",
    "macintosh": "mac-roman",
    "unicode": "utf-16-le",
    "utf-16": "utf-16-le",
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
    if content.startswith(b"{\\rtf"):
        raise TextError(f"{name} must be plain text, got RTF: save it as plain text in UTF-8")
    if b"\0" in content:
        raise TextError(
            f"{name} has zero bytes: it is not text, or UTF-16 without a byte order mark"
        )
    declared = declared or _declared_inside(content)
    if declared:
        return _decode_declared(content, declared, name)
    text, encoding = _decode_undeclared(content, name)
    odd = sum(not character.isprintable() and character not in "\n\r\t\f" for character in text)
    if odd > len(text) / 50:
        raise TextError(
            f"{name} is not text: {odd:,} of its {len(text):,} characters cannot be printed"
        )
    return text, encoding


def _declared_inside(content: bytes) -> str | None:
    """The encoding in an XML declaration or a page's <meta>, in the first 4 kB."""
    found = _DECLARATION.search(content[:4096])
    return found[1].decode("ascii") if found else None


def decode_as(content: bytes, given: str, name: str) -> tuple[str, str]:
    """Decode as `--encoding` says, by Python's names or the web's; name is used in errors."""
    label = given.strip().lower()
    encoding = _WEB_LABELS.get(label, label)
    try:
        "".encode(encoding)  # some codecs are not text encodings
    except LookupError:
        raise TextError(
            f"--encoding must be a text encoding such as koi8-r or cp1251, got {given[:40]!r}"
        ) from None
    try:
        return content.decode(encoding), f"{given.upper()} as given"
    except (UnicodeDecodeError, LookupError) as error:
        raise TextError(f"{name} must be in the --encoding {given}, got {error}") from None


def _decode_declared(content: bytes, declared: str, name: str) -> tuple[str, str]:
    """Decode with the declared label, in its meaning on the web."""
    encoding = _WEB_LABELS.get(declared.strip().lower(), declared)
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
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
    except (UnicodeDecodeError, LookupError) as error:
        raise TextError(f"{name} declares {encoding} but has other bytes: {error}") from None
