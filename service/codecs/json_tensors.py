"""Nested JSON lists → arrays, with each number checked against the element type. Errors use TensorFlow Serving's wording."""

import base64
import binascii
from itertools import chain
from typing import Any

import numpy as np

from service.codecs.protocol_json import excerpt
from service.codecs.tensor_types import BY_NAME, STRING, Array
from service.errors import InvalidRequest

MAX_RANK = 32
KINDS: dict[str, frozenset[type]] = {
    "b": frozenset({bool}),
    "i": frozenset({int}),
    "u": frozenset({int}),
    "f": frozenset({int, float}),
    "O": frozenset({str, dict}),
}
JSON_TYPES = {
    type(None): "Null", bool: "Bool", int: "Number", float: "Number", str: "String", list: "Array",
    dict: "Object",
}  # fmt: skip


def to_array(value: Any, dtype: str) -> Array:
    """A scalar, nested lists of equal lengths, or an array of numbers → an array of type `dtype`."""
    if isinstance(value, np.ndarray):
        return from_numbers(value, dtype)
    leaves, shape = flatten(value)
    return from_leaves(leaves, dtype).reshape(shape)


def from_leaves(leaves: list[Any], dtype: str) -> Array:
    """Scalar JSON values → a vector of element type `dtype`."""
    if dtype == "float16":
        raise InvalidRequest(
            f"Conversion of JSON Value: {excerpt(leaves[:1])} to type: half is not supported: "
            "use the binary data format"
        )
    kind = "O" if dtype == STRING else np.dtype(dtype).kind
    if not KINDS[kind].issuperset(map(type, leaves)):
        wrong = next(leaf for leaf in leaves if type(leaf) not in KINDS[kind])
        raise _type_error(wrong, dtype)
    if dtype == STRING:
        array = np.empty(len(leaves), object)
        array[:] = [_bytes(leaf) for leaf in leaves]
        return array
    if kind == "f":
        return _rounded(np.array(leaves, np.float64), dtype)
    return np.array(leaves, bool) if kind == "b" else _integers(leaves, dtype)


def from_numbers(numbers: Array, dtype: str) -> Array:
    """An int64 or float64 array from `number_lists` → one of element type `dtype`."""
    if dtype in ("float16", STRING) or np.dtype(dtype).kind == "b":
        return from_leaves(numbers.ravel()[:1].tolist(), dtype)  # refuses it
    if np.dtype(dtype).kind == "f":
        return _rounded(numbers.astype(np.float64, copy=False), dtype)
    if numbers.dtype.kind == "f":
        fractions = numbers[numbers % 1 != 0]
        raise _type_error(float((fractions if fractions.size else numbers).flat[0]), dtype)
    limits = np.iinfo(dtype)
    if numbers.size and not limits.min <= numbers.min() <= numbers.max() <= limits.max:
        wrong = (numbers < limits.min) | (numbers > limits.max)
        raise _type_error(int(numbers[wrong][0]), dtype)
    return numbers.astype(dtype, copy=False)


def flatten(value: Any) -> tuple[list[Any], list[int]]:
    """The leaves in row-major order, and the shape; InvalidRequest if the lists are ragged."""
    level, shape = [value], list[int]()
    while level and type(level[0]) is list:
        if len(shape) == MAX_RANK:
            raise InvalidRequest(f"a tensor must have at most {MAX_RANK} dimensions, got more")
        size = len(level[0])
        if set(map(type, level)) != {list}:
            wrong = next(one for one in level if type(one) is not list)
            raise InvalidRequest(
                f"JSON Value: {excerpt(wrong)} found at incorrect level: {len(shape) + 1} in the JSON DOM. "
                f"Expected at level: {_depth(value)}"
            )
        if set(map(len, level)) != {size}:
            found = next(len(one) for one in level if len(one) != size)
            raise InvalidRequest(
                f"Encountered list at unexpected size: {found} at level: {len(shape)} expected size: {size}"
            )
        shape.append(size)
        level = list(chain.from_iterable(level))
    if any(type(one) is list for one in level):
        raise InvalidRequest(
            f"Encountered list at unexpected level: {len(shape)} expected < {len(shape)}"
        )
    return level, shape


def is_base64(value: Any) -> bool:
    """Whether a JSON value is `{"b64": "…"}`, which encodes bytes."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), str)


def _rounded(exact: Array, dtype: str) -> Array:
    """Floats as such of another precision; InvalidRequest if one is too large for it."""
    if dtype == "float64":
        return exact
    with np.errstate(over="ignore"):
        array = exact.astype(dtype)
    lost = np.isinf(array) & np.isfinite(exact)
    if lost.any():
        raise InvalidRequest(
            f"Cannot convert JSON value: {excerpt(float(exact[lost][0]))} to float without loss of "
            "precision."
        )
    return array


def _integers(leaves: list[Any], dtype: str) -> Array:
    limits = np.iinfo(dtype)
    if leaves and not limits.min <= min(leaves) <= max(leaves) <= limits.max:
        wrong = next(leaf for leaf in leaves if not limits.min <= leaf <= limits.max)
        raise _type_error(wrong, dtype)
    return np.array(leaves, dtype)


def _bytes(leaf: Any) -> bytes:
    if isinstance(leaf, str):
        return leaf.encode()
    if not is_base64(leaf):
        raise InvalidRequest(f"JSON Value: {excerpt(leaf)} not formatted correctly for base64 data")
    text = leaf["b64"].translate({ord("-"): "+", ord("_"): "/"})
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequest("Unable to base64 decode") from None


def _type_error(value: Any, dtype: str) -> InvalidRequest:
    kind = str(value) if isinstance(value, bool) else JSON_TYPES.get(type(value), "Number")
    return InvalidRequest(
        f"JSON Value: {excerpt(value)} Type: {kind} is not of expected type: "
        f"{BY_NAME[dtype].tensorflow_short}"
    )


def _depth(value: Any) -> int:
    depth = 0
    while isinstance(value, list) and value:
        value, depth = value[0], depth + 1
    return depth
