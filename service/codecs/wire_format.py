"""Protocol buffers without their schema: fields by number, in their written order."""

from collections.abc import Callable, Iterator


class WireError(Exception):
    """The bytes are not a protocol buffer."""


def fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """(field number, value): whole numbers as they are, everything else as its bytes."""
    for number, value, _ in _written_fields(data):
        yield number, value


def _written_fields(data: memoryview) -> Iterator[tuple[int, int | memoryview, memoryview]]:
    """The same, each with the bytes that hold both."""
    position = 0
    while position < len(data):
        start = position
        key, position = _varint(data, position)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, position = _varint(data, position)
            yield number, value, data[start:position]
            continue
        if kind == 2:
            size, position = _varint(data, position)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise WireError(f"wire type {kind}")
        if position + size > len(data):
            raise WireError("a field ends after its message")
        end = position + size
        yield number, data[position:end], data[start:end]
        position = end


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


def replaced(data: memoryview, number: int, change: Callable[[memoryview], bytes | None]) -> bytes:
    """The message with each length-delimited value of a field changed; None: without it."""
    parts: list[bytes | memoryview] = []
    for found, value, written in _written_fields(data):
        if found == number and isinstance(value, memoryview):
            changed = change(value)
            if changed is not None:
                parts.append(field(number, changed))
        else:
            parts.append(written)
    return b"".join(parts)


def field(number: int, content: bytes) -> bytes:
    """A length-delimited field as it is written: a string, a message or packed numbers."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    """A whole number from 0 as it is written."""
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*written, value))


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
