"""Raw tensors of the Open Inference Protocol's binary extension: little-endian, row-major, no padding.

A BYTES element is its length in 4 bytes, followed by that many bytes.
"""

import math
import struct
from collections.abc import Sequence

import numpy as np

from service.codecs.tensor_types import STRING, Array
from service.errors import InvalidRequest

LENGTH = struct.Struct("<I")


def from_bytes(data: memoryview, name: str, dtype: str, shape: Sequence[int]) -> Array:
    """The bytes of one tensor → its array, which may share their memory (not writable)."""
    count = math.prod(shape)
    if dtype == STRING:
        return _read_strings(data, name, count).reshape(shape)
    kind = np.dtype(dtype).newbyteorder("<")
    if len(data) != count * kind.itemsize:
        raise InvalidRequest(
            f"unexpected total byte size {len(data)} for input '{name}', expecting {count * kind.itemsize}"
        )
    array = np.frombuffer(data, kind)
    if dtype == "bool" and len(array) and array.view(np.uint8).max() > 1:
        raise InvalidRequest(f"input '{name}' must hold bytes 0 and 1 for BOOL, got others")
    return np.require(array, requirements="A").reshape(shape)


def to_bytes(array: Array) -> bytes:
    """The array's elements in the protocol's format."""
    if array.dtype == object:
        return b"".join(LENGTH.pack(len(one)) + one for one in array.reshape(-1).tolist())
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()


def _read_strings(data: memoryview, name: str, count: int) -> Array:
    if count * LENGTH.size > len(data):
        raise InvalidRequest(
            f"expected {count} string elements for inference input '{name}', got {len(data)} bytes"
        )
    array, position = np.empty(count, object), 0
    for number in range(count):
        if position + LENGTH.size > len(data):
            raise InvalidRequest(
                f"incomplete string length for inference input '{name}', expecting {LENGTH.size} bytes"
            )
        [length] = LENGTH.unpack_from(data, position)
        position += LENGTH.size
        if position + length > len(data):
            raise InvalidRequest(
                f"incomplete string data for inference input '{name}', expecting string of length {length} "
                f"but only {len(data) - position} bytes available"
            )
        array[number] = bytes(data[position : position + length])
        position += length
    if position != len(data):
        raise InvalidRequest(
            f"unexpected number of string elements {count + 1} for inference input '{name}', expecting {count}"
        )
    return array
