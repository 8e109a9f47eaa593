"""JSON → dataclasses, by the types of their fields.

A field has its JSON name. `bytes` are the content of a data URI. A field with a default may
be absent or null. Unknown fields are ignored.
"""

import base64
from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from operator import index
from types import UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from vitrine_client.errors import ServiceError, service_error

Value = TypeVar("Value")
Decode = Callable[[Any], Any]

BODY = "body"  # the JSON that the other fields were decoded from
FAILURES = "failures"  # errors of images, removed from the lists of an answer


def decode(kind: type[Value], wire: Any, **more: Any) -> Value:
    """JSON values → a dataclass of this kind; `more` are fields that are not in the JSON.

    Raises:
        ValueError, KeyError, TypeError: They do not match.
    """
    wire, failures = _without_failures(wire)
    if failures:
        more[FAILURES] = failures
    required, optional = _fields(cast("Hashable", kind))
    values = {name: read(wire[name]) for name, read in required}
    values |= {name: read(wire[name]) for name, read in optional if wire.get(name) is not None}
    return kind(**values, **more)


def _without_failures(wire: Any) -> tuple[Any, dict[int, ServiceError]]:
    """Separate the JSON fields from the errors of images in their lists."""
    if not isinstance(wire, dict):
        raise TypeError(f"expected an object, got {type(wire).__name__}")
    failures = {
        place: service_error(one["error"], status=0, code=one["code"], request_id="")
        for column in wire.values()
        if isinstance(column, list)
        for place, one in enumerate(column)
        if _is_failure(one)
    }
    if not failures:
        return wire, {}
    kept = {
        name: [one for one in column if not _is_failure(one)]
        if isinstance(column, list)
        else column
        for name, column in wire.items()
    }
    return kept, failures


def _is_failure(wire: Any) -> bool:
    return isinstance(wire, dict) and wire.keys() == {"error", "code"}


@cache
def _fields(kind: type[Any]) -> tuple[list[tuple[str, Decode]], list[tuple[str, Decode]]]:
    """Decoders of the fields: those without a default, and the others."""
    hints = get_type_hints(kind)
    required, optional = list[tuple[str, Decode]](), list[tuple[str, Decode]]()
    for each in fields(kind):
        if each.name not in (BODY, FAILURES):
            is_required = each.default is MISSING and each.default_factory is MISSING
            (required if is_required else optional).append((each.name, _decoder(hints[each.name])))
    return required, optional


def _decoder(hint: Any) -> Decode:
    if is_dataclass(hint):
        return lambda wire: decode(cast("type[Any]", hint), wire)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is tuple:
        return _each(_decoder(arguments[0]))
    if origin is Mapping:
        read = _decoder(arguments[1])
        return lambda wire: {str(name): read(value) for name, value in wire.items()}
    if origin is UnionType:  # X | None
        present = _decoder(arguments[0])
        return lambda wire: None if wire is None else present(wire)
    return _SCALARS[hint]


def _each(read: Decode) -> Decode:
    def read_all(wire: Any) -> tuple[Any, ...]:
        if not isinstance(wire, list):
            raise TypeError(f"expected a list, got {type(wire).__name__}")
        return tuple(map(read, wire))

    return read_all


def _text(wire: Any) -> str:
    if not isinstance(wire, str):
        raise TypeError(f"expected a string, got {type(wire).__name__}")
    return wire


def _file(wire: Any) -> bytes:
    return base64.b64decode(wire.partition(",")[2], validate=True)


_SCALARS: dict[Any, Decode] = {
    Any: lambda wire: wire,
    bool: bool,
    bytes: _file,
    float: float,
    int: index,
    str: _text,
}
