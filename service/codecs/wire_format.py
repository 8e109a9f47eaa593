"""Reads protocol buffers without their schema: fields by number, in their written order."""

from collections.abc import Iterator


class WireError(Exception):
    """The bytes are not a protocol buffer."""


def fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """(field number, value): whole numbers as they are, everything else as its bytes."""
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, position = _varint(data, position)
            yield number, value
            continue
        if kind == 2:
            size, position = _varint(data, position)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise WireError(f"wire type {kind}")
        if position + size > len(data):
            raise WireError("a field ends after its message")
        yield number, data[position : position + size]
        position += size


def messages(data: memoryview, number: int) -> list[memoryview]:
    """All length-delimited values of one field."""
    return [v for n, v in fields(data) if n == number and isinstance(v, memoryview)]


def text(data: memoryview, number: int) -> str:
    """A string field; empty if absent."""
    found = messages(data, number)
    return bytes(found[-1]).decode("utf-8", "replace") if found else ""


def integer(data: memoryview, number: int) -> int:
    """A signed whole number; 0 if absent."""
    value = 0
    for found, one in fields(data):
        if found == number and isinstance(one, int):
            value = one
    return value - 2**64 if value >= 2**63 else value


def entries(data: memoryview, number: int) -> dict[str, memoryview]:
    """A map from strings to messages."""
    return {
        text(one, 1): (messages(one, 2) or [memoryview(b"")])[-1] for one in messages(data, number)
    }


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(data) and shift < 70:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise WireError("a number does not end")
