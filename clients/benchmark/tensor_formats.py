"""`python -m clients.benchmark.tensor_formats MODEL`: one row as binary tensors, as JSON of `infer`, and of `:predict`.

For a model of a running service (VITRINE_URL). Bodies are prepared in advance, so that only the service is
timed; the three formats alternate on one connection.
"""

import argparse
import http.client
import json
import os
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np

TYPES = {
    "FP32": "float32", "FP64": "float64", "INT8": "int8", "INT16": "int16", "INT32": "int32", "INT64": "int64",
    "UINT8": "uint8", "UINT16": "uint16", "UINT32": "uint32", "UINT64": "uint64",
}  # fmt: skip
SECONDS, ROUNDS = 1.0, 6
Tensors = Mapping[str, tuple[str, np.ndarray]]  # name → datatype, array


class Form(NamedTuple):
    """A request, the same tensors in another form."""

    name: str
    path: str
    body: bytes
    headers: Mapping[str, str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Command-line arguments → one line for each form and an exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m clients.benchmark.tensor_formats",
        description="Compare binary tensors with JSON.",
    )
    parser.add_argument("model", help="a model with inputs of numbers alone")
    model = parser.parse_args(arguments).model
    url = os.environ.get("VITRINE_URL", "http://127.0.0.1:8000")
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)) as connection:
        tensors = example(json.loads(ask(connection, "GET", f"/v2/models/{model}"))["inputs"])
        seconds = measure(connection, forms(model, tensors))
    first = statistics.median(seconds["binary"])
    for name, each in seconds.items():
        median = statistics.median(each)
        print(
            f"{name:<10} {1 / median:8.1f} requests/s, median {median * 1000:.2f} ms, {median / first:.1f} × binary"
        )
    return 0


def example(inputs: Sequence[Mapping[str, Any]]) -> Tensors:
    """One row of random values for each input, as the model's metadata describe them."""
    random = np.random.default_rng(1)
    found = {}
    for one in inputs:
        shape = [1 if size == -1 else size for size in one["shape"]]
        scale = 255 if one["datatype"] == "UINT8" else 1
        array = (random.random(shape) * scale).astype(TYPES[one["datatype"]])
        found[one["name"]] = (one["datatype"], array)
    return found


def forms(model: str, tensors: Tensors) -> list[Form]:
    """The same tensors in three forms."""
    infer, predict = f"/v2/models/{model}/infer", f"/v1/models/{model}:predict"
    described = [
        {"name": name, "datatype": kind, "shape": list(array.shape)}
        for name, (kind, array) in tensors.items()
    ]
    arrays = [array for _, array in tensors.values()]
    sized = [
        {**one, "parameters": {"binary_data_size": array.nbytes}}
        for one, array in zip(described, arrays, strict=True)
    ]
    head = json.dumps({"inputs": sized, "parameters": {"binary_data_output": True}}).encode()
    filled = [
        {**one, "data": array.ravel().tolist()}
        for one, array in zip(described, arrays, strict=True)
    ]
    columns = {name: array.tolist() for name, (_, array) in tensors.items()}
    length = {"Inference-Header-Content-Length": str(len(head))}
    return [
        Form("binary", infer, head + b"".join(array.tobytes() for array in arrays), length),
        Form("infer JSON", infer, json.dumps({"inputs": filled}).encode(), {}),
        Form("predict", predict, json.dumps({"inputs": columns}).encode(), {}),
    ]


def ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """The body of an answer; SystemExit with the service's sentence if it is none of status 200."""
    connection.request(method, path, body, dict(headers or {}))
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise SystemExit(f"error: {answer.status} {content[:300]!r}")
    return content


def measure(
    connection: http.client.HTTPConnection, chosen: Sequence[Form]
) -> dict[str, list[float]]:
    """Seconds of each request, by form."""
    seconds: dict[str, list[float]] = {form.name: [] for form in chosen}
    for _ in range(ROUNDS):
        for form in chosen:
            end = time.perf_counter() + SECONDS
            while (started := time.perf_counter()) < end:
                ask(connection, "POST", form.path, form.body, form.headers)
                seconds[form.name].append(time.perf_counter() - started)
    return seconds


if __name__ == "__main__":
    sys.exit(main())
