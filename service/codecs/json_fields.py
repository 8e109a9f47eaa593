"""Parses JSON bodies, and describes JSON values in error messages."""

import codecs
import json
import re
import sys
from collections.abc import Callable
from typing import Any

from service.codecs import standard_json
from service.codecs.pixel_lists import kind_of
from service.codecs.sniffing import excerpt
from service.errors import InvalidJSON

LARGEST_FLOAT = sys.float_info.max
NEAR_BYTES = 2**16  # around an error, searched for its cause
PIECE_BYTES = 2**20  # decoded in one call
SHORT_STRING = 40  # characters quoted in an error message

_FORM = re.compile(r"\s*(multipart/form-data|application/x-www-form-urlencoded)", re.IGNORECASE)
_CHARSET = re.compile(
    r";\s*charset\s*=\s*\"?"
    r"(iso-8859-\d{1,2}|latin-?1|us-ascii|(?:windows-|cp)125\d|utf-(?:8|(?:16|32)(?:le|be)?))\b",
    re.IGNORECASE,
)


def parse_json(
    body: bytes, content_type: str = "", loads: Callable[[bytes], Any] = standard_json.loads
) -> Any:
    """Parse a JSON body: UTF-8, UTF-16, UTF-32, or in the charset that `content_type` names.

    loads: the parser of UTF-8.

    Raises:
        InvalidJSON: it is not JSON; the message has the position.
    """
    try:
        return loads(body)
    except json.JSONDecodeError as error:
        if (recoded := _to_utf8(body, content_type)) is not None:
            return parse_json(recoded, loads=loads)
        if not body or body.isspace():
            raise InvalidJSON("the body must be JSON, got an empty body") from error
        if (place := _first_bad_byte(body)) is not None:
            raise InvalidJSON(
                f"the body must be JSON in UTF-8, got the byte 0x{body[place]:02X} at position "
                f"{place}: encode it as UTF-8, or name its charset in the Content-Type"
            ) from error
        if (form := _FORM.match(content_type)) and not body.lstrip().startswith((b"{", b"[")):
            raise InvalidJSON(
                f"the body must be a JSON object (Content-Type: application/json), got a form, {form[1]}: "
                "send its fields as JSON"
            ) from error
        where = f"line {error.lineno}, column {error.colno}"
        message = f"the body must be valid JSON, got an error at {where}: {error.msg}"
        near = body[max(0, error.pos - NEAR_BYTES) : error.pos + NEAR_BYTES]
        if b"NaN" in near or b"Infinity" in near:
            message += "; NaN and Infinity are not JSON"
        raise InvalidJSON(message) from error


def parse_object(body: bytes, content_type: str = "") -> dict[str, Any]:
    """The fields of a body that is a JSON object."""
    value = parse_json(body, content_type)
    if not isinstance(value, dict):
        raise InvalidJSON(f"the body must be a JSON object, got {kind_of(value)}")
    return value


def _to_utf8(body: bytes, content_type: str) -> bytes | None:
    """A body that is not UTF-8 as UTF-8; None if it is UTF-8 already, or its encoding is unknown."""
    if body.startswith(codecs.BOM_UTF8):
        return body[3:]
    # By its byte order mark or its first zero bytes (RFC 4627).
    encoding: str = json.detect_encoding(body)
    if encoding.startswith("utf-8"):
        if _first_bad_byte(body) is None:
            return None
        declared = _CHARSET.search(content_type)
        encoding = declared[1].lower() if declared else "utf-8"
    if encoding in ("utf-8", "utf8"):
        return None
    try:
        return body.decode(encoding).encode()
    except (UnicodeError, LookupError):
        return None


def _first_bad_byte(body: bytes) -> int | None:
    """Where the body is no UTF-8, decoded a piece at a time: as a string it may take four times the memory."""
    if body.isascii():
        return None
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(body), PIECE_BYTES):
        kept = len(decoder.getstate()[0])  # of a character that the piece before has begun
        end = start + PIECE_BYTES
        try:
            decoder.decode(body[start:end], final=end >= len(body))
        except UnicodeDecodeError as error:
            return start - kept + error.start
    return None


def shown(value: Any) -> str:
    """A wrong value in an error message: a number or a short string itself, anything else by its kind."""
    if type(value) is int and abs(value) > LARGEST_FLOAT:
        return f"an integer of {len(str(abs(value))):,} digits"
    if type(value) in (int, float):
        digits = f"{value:.15g}" if abs(value) < 1e15 else f"{value:g}"
        is_like_int = isinstance(value, float) and digits.lstrip("-").isdigit()
        return f"{digits}.0" if is_like_int else digits
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return (
            excerpt(value)
            if len(value) <= SHORT_STRING
            else f"a string of {len(value):,} characters"
        )
    if isinstance(value, list):
        return f"a list of {len(value):,}" if value else "an empty list"
    return kind_of(value)
