"""Parses long lists of numbers in a JSON text into arrays, one part at a time.

A JSON parser creates an object for each number and holds the interpreter lock meanwhile: a million numbers
stop the event loop for 0.1 s, on whichever thread they are parsed. Here each call of the parser gets a short
part of a list and its numbers go into an array. Only the rest of the text is parsed as a whole.
"""

import json
import re
import secrets
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import orjson

from service.codecs import standard_json
from service.codecs.byte_counts import count_byte
from service.codecs.json_size import check_irregular_size
from service.codecs.tensor_types import Array

Loads = Callable[[bytes | bytearray], Any]

INLINE_BYTES = 2**16  # a shorter text is parsed as a whole
LEAST_BYTES = 2**12  # minimum length of a list that becomes an array
OPENING_BYTES = 2**16  # looked at for a list's opening brackets and what is between them
PIECE_BYTES = 2**16  # of numbers, parsed in one call: about a millisecond
COPY_BYTES = 2**20  # copied in one call
MAX_DEPTH = 1024  # of lists in lists, as in orjson
KEY = secrets.token_hex(
    16
)  # a placeholder for an array in the rest of the text that cannot be guessed

_DIGITS = [b"%d" % digit for digit in range(10)]
_BLANKS = b" \t\r\n"
_OPENING = re.compile(rb"[\[ \t\r\n]*")
_NUMBER = b"+-.0123456789eENaInfity"  # with the letters of NaN and Infinity
_OF_NUMBERS = bytes.maketrans(_NUMBER, b"0" * len(_NUMBER))
_FLAT = bytes.maketrans(b"[]", b"  ")


class _List(NamedTuple):
    start: int  # of the outermost [
    end: int  # behind the outermost ]
    depth: int


def loads(body: bytes, parse: Loads = standard_json.loads) -> Any:
    """The value of a JSON text; a long regular list of numbers is an int64 or float64 array.

    The array is int64 if all its numbers are 64-bit integers. Irregular lists and lists with other
    values remain Python lists, as do all lists of a short text.

    Raises:
        json.JSONDecodeError: the text is not JSON; the position is that in `body`.
        BodyTooLarge: it has too many values outside regular lists of numbers.
    """
    if len(body) <= INLINE_BYTES:
        return parse(body)
    arrays: list[Array] = []
    cuts = [(0, 0)]  # start of a part of the rest: in the rest, and in the body
    rest = bytearray()
    for found in _long_lists(body):
        array = _to_array(body, found, parse)
        if array is not None:
            rest += body[cuts[-1][1] : found.start] + orjson.dumps({KEY: len(arrays)})
            cuts.append((len(rest), found.end))
            arrays.append(array)
    if not arrays:
        check_irregular_size(body)
        return _parse_rest(body, parse, body, cuts)
    rest += body[cuts[-1][1] :]
    check_irregular_size(rest)
    return _put_back(_parse_rest(rest, parse, body, cuts), arrays)


def _parse_rest(
    rest: bytes | bytearray, parse: Loads, body: bytes, cuts: list[tuple[int, int]]
) -> Any:
    """The value of a text without its long lists; an error has its position in `body`."""
    try:
        return parse(rest)
    except json.JSONDecodeError as error:
        message, position = error.msg, error.pos
    # The parser's error holds the text as a string, four times as long at worst: it is gone here.
    start, place = next(cut for cut in reversed(cuts) if cut[0] <= position)
    raise _error(message, body, place + position - start)


def _error(message: str, body: bytes, place: int) -> json.JSONDecodeError:
    """An error at this byte of the body, without a copy of the body."""
    error = json.JSONDecodeError(message, "", place)
    error.lineno = count_byte(body, b"\n", place) + 1
    error.colno = place - body.rfind(b"\n", 0, place)
    return error


def _long_lists(body: bytes) -> Iterator[_List]:
    """Ranges of possible long lists that contain neither strings nor objects."""
    for start, end in _between_strings(body):
        first = body.find(b"[", start, end)
        if first < 0:
            continue
        match = _OPENING.match(body, first, min(end, first + OPENING_BYTES))
        assert match is not None
        depth = body.count(b"[", first, match.end())
        if depth > MAX_DEPTH:
            raise _error("Recursion limit reached", body, first + MAX_DEPTH)
        last = max(body.rfind(digit, first, end) for digit in _DIGITS)
        closing = re.compile(rb"[\w.]*(?:[ \t\r\n]*\]){%d}" % depth).match(body, last, end)
        if closing and closing.end() - first >= LEAST_BYTES:
            yield _List(first, closing.end(), depth)


def _between_strings(body: bytes) -> Iterator[tuple[int, int]]:
    """Ranges of the text that are long enough and outside strings."""
    position = 0
    while (quote := body.find(b'"', position)) >= 0:
        if quote - position >= LEAST_BYTES:
            yield position, quote
        position = _end_of_string(body, quote + 1)
    if len(body) - position >= LEAST_BYTES:
        yield position, len(body)


def _end_of_string(body: bytes, position: int) -> int:
    """The position after the closing quotation mark, which has an even number of backslashes before it."""
    while (quote := body.find(b'"', position)) >= 0:
        if body[quote - 1] != ord("\\"):
            return quote + 1
        before = body[position:quote]
        if (len(before) - len(before.rstrip(b"\\"))) % 2 == 0:
            return quote + 1
        position = quote + 1
    return len(body)


def _to_array(body: bytes, found: _List, parse: Loads) -> Array | None:
    """The list as an array; None if it is irregular or has other values than numbers."""
    text = body[found.start : found.end]
    marks = _translated(text, _OF_NUMBERS, _BLANKS)
    codes = np.frombuffer(marks, np.uint8)  # NumPy releases the interpreter for other threads
    if np.any((codes[:-1] == ord("0")) & (codes[1:] == ord("["))):
        return None
    if np.any((codes[:-1] == ord("]")) & (codes[1:] == ord("0"))):
        return None
    separators = _translated(marks, None, b"0")
    shape = _shape(separators, found.depth)
    if shape is None:
        return None
    pieces: list[Array] = []
    for start, end in _pieces(text):
        piece = text[start:end].translate(_FLAT).lstrip()  # without blanks: see standard_json
        try:
            numbers = parse(b"[" + piece + b"]")
        except json.JSONDecodeError as error:
            place = found.start + end - len(piece) + max(0, error.pos - 1)
            raise _error(error.msg, body, place) from None
        if (array := _piece(numbers)) is None:
            return None
        pieces.append(array)
    whole = np.concatenate(pieces)
    return whole.reshape(shape) if whole.size == np.prod(shape) else None


def _piece(numbers: list[Any]) -> Array | None:
    kinds = set(map(type, numbers))
    if kinds == {int}:
        try:
            return np.array(numbers, np.int64)
        except OverflowError:
            return None
    return np.array(numbers, np.float64) if kinds <= {int, float} else None


def _pieces(text: bytes) -> Iterator[tuple[int, int]]:
    """Cut the text at commas."""
    start = 0
    while start < len(text):
        end = len(text)
        if end - start > PIECE_BYTES:
            end = text.rfind(b",", start, start + PIECE_BYTES)
            end = end if end >= 0 else text.find(b",", start)
            end = end if end >= 0 else len(text)
        yield start, end
        start = end + 1


def _shape(separators: bytes, depth: int) -> list[int] | None:
    """The shape of nested lists, from their brackets and commas; None if irregular."""
    shape: list[int] = []
    inner = b""
    for level in range(1, depth + 1):
        end = separators.find(b"]" * level) + level
        start = depth - level
        count, left = divmod(end - start - 1, len(inner) + 1)
        if end < level or left or count < 1:
            return None
        inner = b"[" + (inner + b",") * (count - 1) + inner + b"]"
        shape.insert(0, count)
    return shape if inner == separators else None


def _translated(text: bytes, table: bytes | None, delete: bytes) -> bytes:
    pieces = (text[at : at + COPY_BYTES] for at in range(0, len(text), COPY_BYTES))
    return b"".join(piece.translate(table, delete) for piece in pieces)


def _put_back(value: Any, arrays: list[Array]) -> Any:
    """Replace placeholders in the value by their arrays."""
    whole = [value]
    waiting: list[Any] = [whole]
    while waiting:
        holder = waiting.pop()
        items = holder.items() if isinstance(holder, dict) else enumerate(holder)
        for place, item in list(items):
            if isinstance(item, dict) and item.keys() == {KEY} and type(item[KEY]) is int:
                holder[place] = arrays[item[KEY]]
            elif isinstance(item, dict | list):
                waiting.append(item)
    return whole[0]
