"""Pixels as nested JSON lists → uint8 array.

The lists are checked level by level with C loops (`set(map(type, …))`). NumPy would convert every number
of a list that mixes strings and numbers to a string of the longest one's length.
"""

from itertools import chain
from typing import Any, NoReturn

import numpy as np

from service.codecs.sniffing import excerpt
from service.codecs.tensor_types import Array
from service.errors import InvalidValue
from service.image_files.raster import Pixels

_SCALE = "pixels must be numbers from 0 (black) to 255 (white)"
_FORM = "an image must be rows of pixels, [H][W], [H][W][1] or [H][W][3]"
_KINDS = {
    str: "a string",
    bool: "true or false",
    type(None): "null",
    dict: "an object",
    list: "a list",
}


def from_pixels(value: object) -> Pixels:
    """Read rows of pixels, [H][W], [H][W][1] or [H][W][3]; fractions are rounded.

    Returns:
        uint8 [H, W, 1] or [H, W, 3].

    Raises:
        InvalidValue: the lists are ragged or empty, have other values than numbers, or their
            numbers are not from 0 to 255.
    """
    if isinstance(value, np.ndarray):
        return _from_array(value)
    if not isinstance(value, list):
        raise InvalidValue(f"{_FORM}, got {kind_of(value)}")
    rows: list[Any] = value
    if not rows or set(map(type, rows)) != {list}:
        raise InvalidValue(f"{_FORM}, got {_flat_kind(rows)}")
    if len(set(map(len, rows))) > 1:
        lengths = sorted(set(map(len, rows)))
        raise InvalidValue(f"{_FORM}, got rows of {lengths[0]} and of {lengths[-1]} pixels")
    flat = list(chain.from_iterable(rows))
    channels = 1
    if flat and set(map(type, flat)) == {list}:
        channels = _channels(flat)
        flat = list(chain.from_iterable(flat))
    if not flat:
        raise InvalidValue(f"{_FORM}, got empty rows")
    return _bytes(flat).reshape(len(rows), -1, channels)


def _from_array(numbers: Array) -> Pixels:
    """The same for numbers that are an int64 or float64 array already (`number_lists`)."""
    if numbers.ndim == 1:
        raise InvalidValue(f"{_FORM}, got a flat list of {len(numbers)} numbers")
    if numbers.ndim == 2:
        numbers = numbers[:, :, np.newaxis]
    if numbers.ndim > 3 or numbers.shape[2] not in (1, 3):
        what = f"{numbers.shape[2]} values" if numbers.ndim == 3 else "lists"
        raise InvalidValue(f"{_FORM}, got pixels of {what} (one list too many?)")
    return _scaled(numbers)


def kind_of(value: object) -> str:
    """The kind of a JSON value for a message; a string is quoted and shortened."""
    if isinstance(value, str):
        return f"the string {excerpt(value)}"
    return _KINDS.get(type(value), "a list" if isinstance(value, np.ndarray) else "a number")


def _flat_kind(rows: list[Any]) -> str:
    if not rows:
        return "an empty list"
    if set(map(type, rows)) <= {int, float}:
        return f"a flat list of {len(rows)} numbers"
    return f"a list that holds {kind_of(next(row for row in rows if type(row) is not list))}"


def _channels(pixels: list[Any]) -> int:
    lengths = set(map(len, pixels))
    if lengths not in ({1}, {3}):
        listed = " and ".join(str(length) for length in sorted(lengths)[:2])
        raise InvalidValue(f"{_FORM}, got pixels of {listed} values (one list too many?)")
    return int(lengths.pop())


def _bytes(flat: list[Any]) -> Pixels:
    kinds = set(map(type, flat))
    if not kinds <= {int, float}:
        other = next(value for value in flat if type(value) not in (int, float))
        raise InvalidValue(f"{_SCALE}, got {kind_of(other)}")
    if float in kinds:
        return _scaled(np.array(flat, np.float64))
    try:
        return _scaled(np.frombuffer(bytes(flat), np.uint8))
    except (ValueError, OverflowError):
        _refuse(next(value for value in flat if not 0 <= value <= 255))


def _scaled(values: Array) -> Pixels:
    inside = (values >= 0) & (values <= 255)
    if not inside.all():
        _refuse(values.flat[int(np.argmin(inside))].item())
    most = values.max()
    if values.dtype.kind != "f":
        if most == 1:
            raise InvalidValue(f"{_SCALE}, got only 0 and 1: multiply by 255")
        return values.astype(np.uint8, copy=False)
    # Floats that never exceed 1 were divided by 255, even if they are all 0.0 or 1.0.
    if 0 < most <= 1:
        raise InvalidValue(f"{_SCALE}, got fractions up to {most:g}: multiply by 255")
    return np.rint(values).astype(np.uint8)


def _refuse(value: float) -> NoReturn:
    raise InvalidValue(f"{_SCALE}, got {value:.6g}")
