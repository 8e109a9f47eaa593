"""Parses standard JSON with orjson, which refuses some valid texts.

orjson estimates the number of values from the first bytes. If two blanks follow the first bracket it expects one
value per line and fails on a dense list ("[  0,0,0, …") with "failed to allocate memory". It is then parsed
again without these blanks.
"""

import json
import re
from typing import Any

import orjson

_OUT_OF_MEMORY = "failed to allocate memory"
_START = re.compile(rb"\s*[\[{](\s*)")


def loads(body: bytes | bytearray) -> Any:
    """The value of a JSON text.

    Raises:
        json.JSONDecodeError: the text is not JSON.
    """
    try:
        return orjson.loads(body)
    except json.JSONDecodeError as error:
        if error.msg != _OUT_OF_MEMORY:
            raise
        start = _START.match(body)
        if start is None or not start[1]:
            raise
        return _loads_without_blanks(body, *start.span(1))


def _loads_without_blanks(body: bytes | bytearray, start: int, end: int) -> Any:
    try:
        return orjson.loads(body[:start] + body[end:])
    except json.JSONDecodeError as error:
        text = body.decode("utf-8", "replace")
        raise json.JSONDecodeError(error.msg, text, error.pos + end - start) from None
