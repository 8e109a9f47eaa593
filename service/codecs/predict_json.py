"""TensorFlow Serving's `:predict`: a JSON body ↔ named arrays, in row or column format."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from service.codecs.json_tensors import is_base64, to_array
from service.codecs.protocol_json import excerpt, strings, to_text
from service.codecs.tensor_types import Array, TensorSpec
from service.errors import InvalidRequest

Specs = Mapping[str, TensorSpec]


class PredictRequest(NamedTuple):
    """The named arrays of a request; rows: whether it had `instances`, one object or list for each row."""

    inputs: dict[str, Array]
    rows: bool


def signature_name(fields: Mapping[str, Any]) -> str:
    """The requested signature; absent or empty: `serving_default`."""
    name = fields.get("signature_name", "")
    if not isinstance(name, str):
        raise InvalidRequest(
            f"JSON Value: {excerpt(name)} not formatted correctly. 'signature_name' key must be a string value."
        )
    return name or "serving_default"


def parse_predict(fields: Mapping[str, Any], specs: Specs) -> PredictRequest:
    """`instances` or `inputs` of a body, as arrays of the signature's element types."""
    if "instances" in fields and "inputs" in fields:
        raise InvalidRequest(
            f"JSON Value: {excerpt(list(fields))} Not formatted correctly expecting only one of 'inputs' or "
            "'instances' keys to exist"
        )
    if "instances" in fields:
        return PredictRequest(_from_instances(fields["instances"], specs), rows=True)
    if "inputs" in fields:
        return PredictRequest(_from_inputs(fields["inputs"], specs), rows=False)
    raise InvalidRequest("Missing 'inputs' or 'instances' key")


def encode_predictions(outputs: Mapping[str, Array]) -> bytes:
    """`{"predictions": […]}`: a value for each row, or an object of values if there are several outputs."""
    rows = -1
    for name, array in outputs.items():
        if array.ndim == 0:
            raise InvalidRequest(f"Tensor name: {name} has no shape information")
        if rows >= 0 and len(array) != rows:
            raise InvalidRequest(
                f"Tensor name: {name} has inconsistent batch size: {len(array)} expecting: {rows}"
            )
        rows = len(array)
    columns = {name: _json(name, array) for name, array in outputs.items()}
    if len(columns) == 1:
        return to_text({"predictions": next(iter(columns.values()))})
    return to_text(
        {"predictions": [{name: c[row] for name, c in columns.items()} for row in range(rows)]}
    )


def encode_outputs(outputs: Mapping[str, Array]) -> bytes:
    """`{"outputs": …}`: the whole tensor, or an object of tensors if there are several."""
    columns = {name: _json(name, array) for name, array in outputs.items()}
    return to_text({"outputs": next(iter(columns.values())) if len(columns) == 1 else columns})


def _json(name: str, array: Array) -> Any:
    return strings(array, as_base64=name.endswith("_bytes")) if array.dtype == object else array


def _from_instances(instances: Any, specs: Specs) -> dict[str, Array]:
    if isinstance(instances, np.ndarray):  # has rows: an empty list never becomes an array
        name = _only_input(specs)
        return {name: to_array(instances, specs[name].dtype)}
    if not isinstance(instances, list):
        raise InvalidRequest(
            f"JSON Value: {excerpt(instances)} Expecting 'instances' to be an list/array"
        )
    if not instances:
        raise InvalidRequest("JSON Value: [] No values in 'instances' array")
    if not _are_objects(instances):
        name = _only_input(specs)
        return {name: _stack(instances, specs[name], "")}
    _check_keys(instances, specs)
    return {
        name: _stack([instance[name] for instance in instances], spec, f" key: {name}")
        for name, spec in specs.items()
    }


def _are_objects(instances: list[Any]) -> bool:
    """Whether all are objects; InvalidRequest if only some are."""
    objects = _is_object(instances[0])
    for number, instance in enumerate(instances):
        if _is_object(instance) != objects:
            expected, found = ("object", "list") if objects else ("value/list", "object")
            raise InvalidRequest(
                f"Expecting {expected} but got {found} at item {number} of input list"
            )
    return objects


def _only_input(specs: Specs) -> str:
    """The name of the only input, for a plain list."""
    if len(specs) > 1:
        raise InvalidRequest(
            "instances is a plain list, but expecting list of objects as multiple input tensors required "
            "as per tensorinfo_map"
        )
    return next(iter(specs))


def _check_keys(instances: list[dict[str, Any]], specs: Specs) -> None:
    for number, instance in enumerate(instances):
        if instance.keys() == specs.keys():
            continue
        where = f"Failed to process element: {number}"
        if unknown := next((name for name in instance if name not in specs), None):
            raise InvalidRequest(
                f"{where} key: {excerpt(unknown)} of 'instances' list. Error: JSON object: does not have named "
                f"input: {unknown[:64]}"
            )
        raise InvalidRequest(
            f"{where} of 'instances' list. JSON object: {excerpt(instance)} keys must be equal to: "
            f"{','.join(sorted(specs))}"
        )


def _stack(values: list[Any], spec: TensorSpec, key: str) -> Array:
    """One array of all rows; if that fails, or some are arrays, each row is parsed separately."""
    problem: InvalidRequest | None = None
    if not any(isinstance(value, np.ndarray) for value in values):
        try:
            return to_array(values, spec.dtype)
        except InvalidRequest as error:
            problem = error
    rows: list[Array] = []
    for number, value in enumerate(values):
        try:
            rows.append(to_array(value, spec.dtype))
            _check_alike(rows[0], rows[-1])
        except InvalidRequest as reason:
            raise InvalidRequest(
                f"Failed to process element: {number}{key} of 'instances' list. Error: {reason}"
            ) from None
    if problem:
        raise problem
    return np.stack(rows)


def _check_alike(first: Array, array: Array) -> None:
    if array.size != first.size:
        raise InvalidRequest(f"Expecting tensor size: {first.size} but got: {array.size}")
    if array.shape != first.shape:
        shapes = [f"[{','.join(map(str, one.shape))}]" for one in (first, array)]
        raise InvalidRequest(f"Expecting shape {shapes[0]} but got: {shapes[1]}")


def _from_inputs(inputs: Any, specs: Specs) -> dict[str, Array]:
    if not _is_object(inputs):
        if len(specs) > 1:
            raise InvalidRequest(
                "inputs is a plain value/list, but expecting an object as multiple input tensors required "
                "as per tensorinfo_map"
            )
        name, spec = next(iter(specs.items()))
        return {name: to_array(inputs, spec.dtype)}
    for name in specs:
        if name not in inputs:
            raise InvalidRequest(f"Missing named input: {name} in 'inputs' object.")
    return {name: to_array(inputs[name], spec.dtype) for name, spec in specs.items()}


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and not is_base64(value)
