"""TensorFlow Serving's `:classify` and `:regress`: examples of named features ↔ arrays.

If a signature's only input is a vector of strings, it receives each example as a serialized
tf.train.Example. Any other signature receives each feature as the input of the same name.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from service.codecs.json_tensors import JSON_TYPES, from_leaves, is_base64
from service.codecs.protocol_json import excerpt, to_text
from service.codecs.tensor_types import STRING, Array, TensorSpec
from service.codecs.wire_format import field, varint
from service.errors import InvalidRequest

Specs = Mapping[str, TensorSpec]
Example = dict[str, list[Any]]


def parse_examples(fields: Mapping[str, Any], method: str) -> list[Example]:
    """`examples`, each completed with missing features from `context`."""
    examples = fields.get("examples")
    if "examples" not in fields:
        raise InvalidRequest(
            f"JSON Value: {excerpt(list(fields))} When method is {method}, key 'examples' is expected and "
            "was not found"
        )
    if not isinstance(examples, list):
        raise InvalidRequest(
            f"JSON Value: {excerpt(examples)} Expecting 'examples' value to be an list/array"
        )
    if not examples:
        raise InvalidRequest("JSON Value: [] 'examples' value is an empty array")
    context = _example(fields["context"]) if "context" in fields else {}
    return [{**context, **_example(one)} for one in examples]


def to_inputs(examples: Sequence[Example], specs: Specs) -> dict[str, Array]:
    """The arrays of a signature's inputs."""
    if [spec for spec in specs.values()] == [TensorSpec(STRING, (None,))]:
        array = np.empty(len(examples), object)
        array[:] = [_serialize(one) for one in examples]
        return {next(iter(specs)): array}
    return {name: _column(examples, name, spec) for name, spec in specs.items()}


def encode_classes(outputs: Mapping[str, Array], labels: Sequence[str]) -> bytes:
    """`{"results": [[[label, score], …], …]}`: every class of every example, in the model's order."""
    scores = next((outputs[n] for n in ("scores", "probabilities") if n in outputs), None)
    if scores is None and len(outputs) == 1:
        scores = next(iter(outputs.values()))
    if scores is None or scores.ndim != 2 or scores.dtype.kind != "f":
        raise InvalidRequest(
            "classify needs a signature with an output scores or probabilities of shape [-1, classes], "
            f"got outputs {', '.join(outputs)}: use :predict"
        )
    classes = outputs.get("classes")
    named = classes is not None and classes.dtype == object and classes.shape == scores.shape
    rows = []
    for number, row in enumerate(scores):
        names = [one.decode("utf-8", "replace") for one in classes[number]] if named else labels  # type: ignore[index]
        rows.append([[names[i] if i < len(names) else "", score] for i, score in enumerate(row)])
    return to_text({"results": rows})


def encode_values(outputs: Mapping[str, Array]) -> bytes:
    """`{"results": [number, …]}`: one value per example."""
    values = outputs.get("outputs")
    if values is None and len(outputs) == 1:
        values = next(iter(outputs.values()))
    if values is None or values.dtype.kind != "f" or values.size != len(values):
        raise InvalidRequest(
            f"regress needs a signature with one output value per example, got outputs "
            f"{', '.join(outputs)}: use :predict"
        )
    return to_text({"results": values.reshape(-1)})


def _example(value: Any) -> Example:
    if not isinstance(value, dict):
        raise InvalidRequest(
            f"Example must be JSON object but got JSON {JSON_TYPES.get(type(value), 'Number')}"
        )
    return {name: _feature(name, feature) for name, feature in value.items()}


def _feature(name: str, feature: Any) -> list[Any]:
    values = feature if isinstance(feature, list) else [feature]
    for value in values:
        if not (isinstance(value, bool | int | float | str) or is_base64(value)):
            raise InvalidRequest(
                f"Feature: {name[:64]} has element with unexpected JSON type: "
                f"{JSON_TYPES.get(type(value), 'Number')}"
            )
    if len(kinds := {_kind(value) for value in values}) > 1:
        raise InvalidRequest(
            f"Unexpected element type in feature: {name[:64]} expecting type: {_kind(values[0])}, "
            f"got {', '.join(sorted(kinds))}"
        )
    return values


def _kind(value: Any) -> str:
    if isinstance(value, int):
        return "int64"
    return "float" if isinstance(value, float) else "bytes"


def _column(examples: Sequence[Example], name: str, spec: TensorSpec) -> Array:
    """One feature of all examples as an array of the input's shape."""
    for number, example in enumerate(examples):
        if name not in example:
            raise InvalidRequest(f"example {number} must have the feature '{name}', got none")
    rows = [from_leaves(example[name], spec.dtype) for example in examples]
    sizes = [size for size in spec.shape[1:] if size is not None]
    try:
        if len(sizes) == len(spec.shape) - 1:
            return np.stack([row.reshape(sizes) for row in rows])
        return np.stack(rows).reshape(len(rows), *(-1 if n is None else n for n in spec.shape[1:]))
    except ValueError:
        raise InvalidRequest(
            f"feature '{name}' must have the number of values of the model's input, got "
            f"{', '.join(str(n) for n in sorted({row.size for row in rows})[:4])}"
        ) from None


def _serialize(example: Example) -> bytes:
    """A tf.train.Example: features { feature { key, value } }."""
    entries = b"".join(
        field(1, field(1, name.encode()) + field(2, _list(values)))
        for name, values in example.items()
    )
    return field(1, entries)


def _list(values: list[Any]) -> bytes:
    """A tf.train.Feature: bytes_list 1, float_list 2, int64_list 3."""
    kind = _kind(values[0]) if values else ""
    if kind == "int64":
        if any(not -(2**63) <= value < 2**63 for value in values):
            raise InvalidRequest("an integer feature must fit 64 bits, got a larger one")
        return field(3, field(1, b"".join(varint(value % 2**64) for value in values)))
    if kind == "float":
        return field(2, field(1, from_leaves(values, "float32").tobytes()))
    if kind == "bytes":
        return field(1, b"".join(field(1, one) for one in from_leaves(values, STRING).tolist()))
    return b""
