"""A JSON body → a value, and how a value is named in an error message."""

import re
from typing import Any

import orjson

from service.codecs.pixel_lists import kind_of
from service.codecs.sniffing import excerpt
from service.errors import InvalidJSON

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
SHORT_STRING = 40  # characters that an error message repeats


def parse_json(body: bytes) -> Any:
    """The JSON value of a body, or InvalidJSON that says where it goes wrong."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if not body.strip():
            raise InvalidJSON("the body must be JSON, got an empty body") from error
        place = f"line {error.lineno}, column {error.colno}"
        message = f"the body is not valid JSON: {error.msg} ({place})"
        if re.search(rb"\b(?:NaN|Infinity)\b", body):
            message += "; NaN and Infinity are not JSON"
        raise InvalidJSON(message) from error


def parse_object(body: bytes) -> dict[str, Any]:
    """The fields of a body that is a JSON object; those that are null are left out."""
    value = parse_json(body.removeprefix(BYTE_ORDER_MARK))
    if not isinstance(value, dict):
        raise InvalidJSON(f"the body must be a JSON object, got {kind_of(value)}")
    return {name: field for name, field in value.items() if field is not None}


def shown(value: Any) -> str:
    """A wrong value for an error message: a number or a short string as it is, anything else by its kind."""
    if type(value) in (int, float):
        return f"{value:.15g}" if abs(value) < 1e15 else f"{value:g}"
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
