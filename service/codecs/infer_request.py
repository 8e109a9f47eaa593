"""A body of the Open Inference Protocol's `infer` → named arrays and the requested outputs.

The body is JSON, or a JSON header of the announced length followed by the raw tensors of the inputs
with `binary_data_size`, in order.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from service.codecs.binary_tensors import from_bytes
from service.codecs.infer_outputs import (
    SHARED_MEMORY,
    RequestedOutput,
    parse_outputs,
    parse_parameters,
)
from service.codecs.json_tensors import MAX_RANK, from_leaves, from_numbers
from service.codecs.protocol_json import excerpt, parse_object
from service.codecs.tensor_types import BY_OPEN_INFERENCE, STRING, Array, TensorSpec, numpy_dtype
from service.errors import InvalidRequest

MAX_DIMENSION = 2**31 - 1


class InferRequest(NamedTuple):
    """inputs: arrays by name; outputs: None for all outputs, binary according to `binary_by_default`."""

    inputs: dict[str, Array]
    types: dict[str, str]  # input → element type, NumPy's name
    outputs: list[RequestedOutput] | None
    binary_by_default: bool
    id: str
    parameters: Mapping[str, Any]


def header_length(text: str | None, body: bytes) -> int | None:
    """`Inference-Header-Content-Length` as a number of bytes; None: all of the body is JSON."""
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 12 and int(text) <= len(body)):
        raise InvalidRequest(
            f"inference header size should be in range (0, {len(body)}), got: {text[:20]}"
        )
    return int(text)


def parse_infer(body: bytes, length: int | None, model: str) -> InferRequest:
    """Parse a body whose first `length` bytes are JSON; raises InvalidRequest or InvalidJSON."""
    fields = parse_object(body if length is None else body[:length], as_arrays=True)
    parameters = parse_parameters(fields, "the request")
    for key in parameters:
        if key.startswith("triton_"):
            raise InvalidRequest(
                f"parameter keys starting with 'triton_' are reserved for Triton usage, got {excerpt(key)}"
            )
    inputs = _inputs(fields)
    binary = memoryview(body)[len(body) if length is None else length :]
    arrays, types = dict[str, Array](), dict[str, str]()
    for tensor in inputs:
        name, types_name, shape = _head(tensor, model)
        if name in arrays:
            raise InvalidRequest(f"input '{name}' must be given once for model '{model}'")
        size = _binary_size(tensor, name)
        if size is None:
            arrays[name] = _from_json(tensor["data"], name, types_name, shape)
        else:
            if size > len(binary):
                raise InvalidRequest(
                    f"unexpected size for input '{name}', expecting {size - len(binary)} additional bytes "
                    f"for model '{model}'"
                )
            arrays[name] = from_bytes(binary[:size], name, types_name, shape)
            binary = binary[size:]
        types[name] = types_name
    if len(binary):
        raise InvalidRequest(f"unexpected additional input data for model '{model}'")
    by_default = parameters.get("binary_data_output", False) is True
    outputs = parse_outputs(fields, by_default=by_default)
    return InferRequest(arrays, types, outputs, by_default, _id(fields), parameters)


def parse_raw(body: bytes, specs: Mapping[str, TensorSpec], model: str) -> InferRequest:
    """A body without JSON: the bytes of the model's only input, a batch of one; outputs in binary."""
    if len(specs) != 1:
        raise InvalidRequest(
            f"Raw request must only have 1 input (found {len(specs)}) to be deduced but got {len(specs)} "
            f"inputs in '{model}' model configuration"
        )
    [(name, spec)] = specs.items()
    if spec.dtype == STRING:
        shape = tuple(1 if size is None else size for size in spec.shape)
        if math.prod(shape) != 1:
            raise InvalidRequest(
                f"For BYTE datatype raw input '{name}', the model must have input shape [1]"
            )
        array = from_bytes(memoryview(len(body).to_bytes(4, "little") + body), name, STRING, shape)
        return InferRequest({name: array}, {name: STRING}, None, True, "", {})
    shape = _raw_shape(spec, len(body) // numpy_dtype(spec.dtype).itemsize, name)
    array = from_bytes(memoryview(body), name, spec.dtype, shape)
    return InferRequest({name: array}, {name: spec.dtype}, None, True, "", {})


def _raw_shape(spec: TensorSpec, elements: int, name: str) -> tuple[int, ...]:
    """The first size is 1 if it is free; one more may be free and follows from the bytes."""
    shape = list(spec.shape)
    if shape and shape[0] is None:
        shape[0] = 1
    if shape.count(None) > 1:
        raise InvalidRequest(
            f"The shape of the raw input '{name}' can not be deduced because there are more than one "
            "variable-sized dimension"
        )
    known = math.prod([size for size in shape if size is not None])
    return tuple(elements // max(known, 1) if size is None else size for size in shape)


def _inputs(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    inputs = fields.get("inputs")
    if not isinstance(inputs, list) or not all(isinstance(one, dict) for one in inputs):
        raise InvalidRequest(
            f"Unable to parse 'inputs': it must be a list of objects, got {excerpt(inputs)}"
        )
    return inputs


def _head(tensor: Mapping[str, Any], model: str) -> tuple[str, str, list[int]]:
    """Name, element type and shape of an input."""
    name, datatype, shape = (tensor.get(key) for key in ("name", "datatype", "shape"))
    if not isinstance(name, str):
        raise InvalidRequest(f"Unable to parse 'name': it must be a string, got {excerpt(name)}")
    if not isinstance(datatype, str) or datatype not in BY_OPEN_INFERENCE:
        raise InvalidRequest(
            f"datatype of input '{name[:64]}' must be one of {', '.join(BY_OPEN_INFERENCE)} for model "
            f"'{model}', got {excerpt(datatype)}"
        )
    if (
        not isinstance(shape, list)
        or len(shape) > MAX_RANK
        or not all(type(size) is int and 0 <= size <= MAX_DIMENSION for size in shape)
    ):
        raise InvalidRequest(
            f"shape of input '{name[:64]}' must be a list of at most {MAX_RANK} sizes from 0 to "
            f"{MAX_DIMENSION}, got {excerpt(shape)}"
        )
    return name, BY_OPEN_INFERENCE[datatype].name, shape


def _binary_size(tensor: Mapping[str, Any], name: str) -> int | None:
    """The number of bytes of the tensor after the header; None: it has `data`."""
    parameters = parse_parameters(tensor, f"input '{name}'")
    if any(key in parameters for key in SHARED_MEMORY):
        raise InvalidRequest(
            f"shared memory of input '{name}' is not supported: send 'data' or 'binary_data_size'"
        )
    size = parameters.get("binary_data_size")
    if (size is None) == ("data" not in tensor):
        state = "no field is set" if size is None else "more than one field is set"
        raise InvalidRequest(
            "Input must set only one of the following fields: 'data', 'binary_data_size' in 'parameters', "
            f"'shared_memory_region' in 'parameters'. But {state} for input '{name}'"
        )
    if size is not None and (type(size) is not int or size < 0):
        raise InvalidRequest(
            f"binary_data_size of input '{name}' must be a number of bytes, got {excerpt(size)}"
        )
    return size


def _from_json(data: Any, name: str, dtype: str, shape: list[int]) -> Array:
    """Read nested or flat lists; only the number of elements must match the shape."""
    if not isinstance(data, list | np.ndarray):
        raise InvalidRequest(f"data of input '{name}' must be a list, got {excerpt(data)}")
    if dtype == "float16":
        raise InvalidRequest(
            f"sending FP16 data via JSON is not supported for input '{name}': use the binary data format"
        )
    leaves = _leaves(data) if isinstance(data, list) else data.ravel()
    if len(leaves) != math.prod(shape):
        raise InvalidRequest(
            f"Shape does not match true shape of 'data' field: input '{name}' has {len(leaves)} values, "
            f"its shape {math.prod(shape)}"
        )
    try:
        return _typed(leaves, dtype).reshape(shape)
    except InvalidRequest as error:
        raise InvalidRequest(f"data of input '{name}': {error}") from None


def _typed(leaves: list[Any] | Array, dtype: str) -> Array:
    """Convert to element type `dtype`; 0 and 1 are also accepted as booleans."""
    if isinstance(leaves, np.ndarray):
        if dtype == "bool" and leaves.dtype.kind == "i" and np.isin(leaves, (0, 1)).all():
            return leaves.astype(bool)
        return from_numbers(leaves, dtype)
    if dtype == "bool":
        leaves = [bool(one) if type(one) is int and one in (0, 1) else one for one in leaves]
    return from_leaves(leaves, dtype)


def _leaves(data: list[Any]) -> list[Any]:
    """All values of nested lists, in order."""
    while any(type(one) is list for one in data):
        flat: list[Any] = []
        for one in data:
            if type(one) is list:
                flat.extend(one)
            else:
                flat.append(one)
        data = flat
    return data


def _id(fields: Mapping[str, Any]) -> str:
    given = fields.get("id", "")
    if not isinstance(given, str):
        raise InvalidRequest(f"id must be a string, got {excerpt(given)}")
    return given
