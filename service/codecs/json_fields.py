"""A JSON body → typed values, strictly: unknown fields, wrong kinds and ranges are named.

Knows JSON and what a caller may get wrong about it, no route and no task.
"""

import math
import re
from collections.abc import Iterable
from typing import Any

import orjson

from service.codecs.pixel_lists import kind_of
from service.codecs.sniffing import excerpt
from service.errors import InvalidJSON, InvalidValue


def parse_json(body: bytes) -> Any:
    """The JSON value of a body, or InvalidJSON that says where it goes wrong."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if not body.strip():
            raise InvalidJSON("the body is empty: expected JSON") from error
        place = f"line {error.lineno}, column {error.colno}"
        message = f"the body is not valid JSON: {error.msg} ({place})"
        if re.search(rb"\b(?:NaN|Infinity)\b", body):
            message += "; NaN and Infinity are not JSON"
        raise InvalidJSON(message) from error


class Document:
    """The fields of a JSON object. What is null counts as absent."""

    def __init__(self, body: bytes, known: Iterable[str]) -> None:
        value = parse_json(body.removeprefix(b"\xef\xbb\xbf"))
        if not isinstance(value, dict):
            raise InvalidJSON(f"the body has to be a JSON object, got {kind_of(value)}")
        names = frozenset(known)
        for name in value:
            if name not in names:
                raise InvalidValue(
                    f"unknown field {excerpt(name)}: expected some of {', '.join(sorted(names))}"
                )
        self._fields: dict[str, Any] = {k: v for k, v in value.items() if v is not None}

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def rename(self, alias: str, name: str) -> None:
        """Take `alias` for `name`; only one of them may come."""
        if alias not in self._fields:
            return
        if name in self._fields:
            raise InvalidValue(f"{name} and {alias} are the same field: send one of them")
        self._fields[name] = self._fields.pop(alias)

    def value(self, name: str) -> Any:
        """Whatever came, None if absent."""
        return self._fields.get(name)

    def text(self, name: str, default: str | None = None) -> str | None:
        """A text."""
        value = self._fields.get(name, default)
        if value is not None and not isinstance(value, str):
            raise InvalidValue(f"{name} is a text, got {kind_of(value)}")
        return value

    def texts(self, name: str) -> list[str]:
        """A text or a list of texts; absent: none."""
        value = self._fields.get(name, [])
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list):
            raise InvalidValue(f"{name} is a text or a list of texts, got {kind_of(value)}")
        for one in values:
            if not isinstance(one, str):
                raise InvalidValue(f"{name} is a list of texts, got {kind_of(one)} in it")
        return values

    def flag(self, name: str) -> bool:
        """True or false; absent: false."""
        value = self._fields.get(name, False)
        if not isinstance(value, bool):
            raise InvalidValue(f"{name} is true or false, got {kind_of(value)}")
        return value

    def choice(self, name: str, choices: tuple[str, ...]) -> str | None:
        """One of some words."""
        value = self._fields.get(name)
        if value is not None and value not in choices:
            raise InvalidValue(f"{name} is one of {', '.join(choices)}, got {kind_of(value)}")
        return value

    def integer(self, name: str, low: int, high: int) -> int | None:
        """A whole number in low..high."""
        value = self._fields.get(name)
        if value is None:
            return None
        if type(value) is not int or not low <= value <= high:
            raise InvalidValue(
                f"{name} is a whole number from {low:,} to {high:,}, got {_shown(value)}"
            )
        return value

    def number(self, name: str, low: float, high: float) -> float | None:
        """A number in low..high."""
        value = self._fields.get(name)
        return None if value is None else _number(name, value, low, high)

    def numbers(self, name: str, low: float, high: float) -> list[float]:
        """A number or a list of numbers in low..high; absent: none."""
        value = self._fields.get(name, [])
        values = value if isinstance(value, list) else [value]
        return [_number(name, one, low, high) for one in values]


def _number(name: str, value: Any, low: float, high: float) -> float:
    is_number = type(value) in (int, float) and math.isfinite(value)
    if not is_number or not low <= value <= high:
        raise InvalidValue(f"{name} is a number from {low:g} to {high:g}, got {_shown(value)}")
    return float(value)


def _shown(value: Any) -> str:
    """A wrong number as it came, anything else by its kind."""
    return f"{value:.15g}" if type(value) in (int, float) else kind_of(value)
