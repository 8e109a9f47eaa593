"""Parses the requested outputs of an Open Inference Protocol request."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from service.codecs.protocol_json import excerpt
from service.errors import InvalidRequest

SHARED_MEMORY = ("shared_memory_region", "shared_memory_offset", "shared_memory_byte_size")


class RequestedOutput(NamedTuple):
    """One output; top: number of classes to return instead of the tensor, 0 for the tensor itself."""

    name: str
    binary: bool
    top: int


def parse_outputs(fields: Mapping[str, Any], *, by_default: bool) -> list[RequestedOutput] | None:
    """The requested outputs; None if the request lists none."""
    outputs = fields.get("outputs")
    if outputs is None or outputs == []:
        return None
    if not isinstance(outputs, list):
        raise InvalidRequest(
            f"Unable to parse 'outputs': it must be a list of objects, got {excerpt(outputs)}"
        )
    return [_output(one, by_default=by_default) for one in outputs]


def _output(output: Any, *, by_default: bool) -> RequestedOutput:
    name = output.get("name") if isinstance(output, dict) else None
    if not isinstance(name, str):
        raise InvalidRequest(
            f"Unable to parse 'outputs': each must be an object with a name, got {excerpt(output)}"
        )
    parameters = parse_parameters(output, f"output '{name}'")
    if any(key in parameters for key in SHARED_MEMORY):
        raise InvalidRequest(f"shared memory of output '{name}' is not supported")
    top = parameters.get("classification", 0)
    if type(top) is not int or top < 0 or ("classification" in parameters and top == 0):
        raise InvalidRequest(
            f"classification of output '{name}' must be a number of classes from 1, got {excerpt(top)}"
        )
    binary = parameters.get("binary_data", by_default)
    if type(binary) is not bool:
        raise InvalidRequest(
            f"binary_data of output '{name}' must be true or false, got {excerpt(binary)}"
        )
    return RequestedOutput(name, binary, top)


def parse_parameters(holder: Mapping[str, Any], of: str) -> dict[str, Any]:
    """The `parameters` of a request, an input or an output: strings, numbers and booleans."""
    parameters = holder.get("parameters")
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        raise InvalidRequest(f"parameters of {of} must be an object, got {excerpt(parameters)}")
    for key, value in parameters.items():
        if not isinstance(value, str | int | float | bool):
            raise InvalidRequest(
                f"parameter {excerpt(key)} of {of} must be a string, number or boolean, got {excerpt(value)}"
            )
    return parameters
