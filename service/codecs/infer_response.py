"""Named arrays → the Open Inference Protocol's response: JSON, followed by raw tensors if requested."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from service.codecs.binary_tensors import to_bytes
from service.codecs.infer_outputs import RequestedOutput
from service.codecs.infer_request import InferRequest
from service.codecs.protocol_json import strings, to_text
from service.codecs.tensor_types import BY_NAME, STRING, Array
from service.errors import InvalidRequest


class InferResponse(NamedTuple):
    """The body; header_length: bytes of JSON before raw tensors, None if the whole body is JSON."""

    body: bytes
    header_length: int | None


def encode_response(
    request: InferRequest,
    outputs: Mapping[str, Array],
    model: tuple[str, int],
    labels: Sequence[str],
) -> InferResponse:
    """Encode the requested outputs, or all if none was listed.

    model: name and version. labels: of the classes that a `classification` output counts.
    """
    wanted = request.outputs or [
        RequestedOutput(name, request.binary_by_default, 0) for name in outputs
    ]
    described, raw = [], list[bytes]()
    for one in wanted:
        array = outputs[one.name]
        if one.top:
            array = _classes(array, one, labels)
        if array.dtype == np.float16 and not one.binary:
            raise InvalidRequest(
                f"sending FP16 data via JSON is not supported for output '{one.name}': ask for binary_data"
            )
        entry: dict[str, Any] = {
            "name": one.name,
            "datatype": _datatype(array),
            "shape": list(array.shape),
        }
        if one.binary:
            raw.append(to_bytes(array))
            entry["parameters"] = {"binary_data_size": len(raw[-1])}
        else:
            flat = array.reshape(-1)
            entry["data"] = strings(flat) if flat.dtype == object else flat
        described.append(entry)
    name, version = model
    head: dict[str, Any] = {"model_name": name, "model_version": str(version), "outputs": described}
    text = to_text({"id": request.id, **head} if request.id else head)
    binary = b"".join(raw)
    return InferResponse(text + binary, len(text)) if binary else InferResponse(text, None)


def _datatype(array: Array) -> str:
    name = STRING if array.dtype == object else array.dtype.name
    return BY_NAME[name].open_inference


def _classes(array: Array, output: RequestedOutput, labels: Sequence[str]) -> Array:
    """Scores [B, C] → BYTES [B, top], best first: `score:index` or `score:index:label`."""
    if array.dtype.kind not in "iuf" or array.ndim < 1:
        raise InvalidRequest(f"classification of output '{output.name}' needs numbers")
    scores = array.reshape(len(array), -1) if array.ndim > 1 else array.reshape(1, -1)
    top = min(output.top, scores.shape[1])
    order = np.argsort(-scores.astype(np.float64), axis=1, kind="stable")[:, :top]
    answer = np.empty(order.shape, object)
    for row, indices in enumerate(order.tolist()):
        for rank, index in enumerate(indices):
            label = f":{labels[index]}" if index < len(labels) else ""
            answer[row, rank] = f"{_number(scores[row, index])}:{index}{label}".encode()
    return answer


def _number(score: Any) -> str:
    return f"{float(score):.6f}" if score.dtype.kind == "f" else str(int(score))
