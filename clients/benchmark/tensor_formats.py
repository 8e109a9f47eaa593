"""`python -m clients.benchmark.tensor_formats MODEL`: one row as binary tensors, as JSON of `infer`, and of `:predict`.

For a model of a running service (VITRINE_URL). Bodies are prepared in advance, so that only the service is
timed; the three formats take turns, each on one connection.
"""

import argparse
import json
import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import numpy as np

from clients.load.closed_loop import drive
from clients.load.event_loop import run_async
from clients.load.scenario import JSON, Scenario
from clients.load.target import Target, parse_target

TYPES = {
    "FP32": "float32", "FP64": "float64", "INT8": "int8", "INT16": "int16", "INT32": "int32", "INT64": "int64",
    "UINT8": "uint8", "UINT16": "uint16", "UINT32": "uint32", "UINT64": "uint64",
}  # fmt: skip
SECONDS, ROUNDS = 1.0, 6
Tensors = Mapping[str, tuple[str, np.ndarray]]  # name → datatype, array


def main(arguments: Sequence[str] | None = None) -> int:
    """Command-line arguments → one line for each form and an exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m clients.benchmark.tensor_formats",
        description="Compare binary tensors with JSON.",
    )
    parser.add_argument("model", help="a model with inputs of numbers alone")
    model = parser.parse_args(arguments).model
    url = os.environ.get("VITRINE_URL", "http://127.0.0.1:8000")
    answer = httpx.get(f"{url}/v2/models/{model}", timeout=60)
    if answer.status_code != 200:
        raise SystemExit(f"error: {answer.status_code} {answer.text[:300]}")
    tensors = example(answer.json()["inputs"])
    seconds = run_async(measure(parse_target(url, allow_remote=True), forms(model, tensors)))
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


def forms(model: str, tensors: Tensors) -> list[Scenario]:
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
    header = json.dumps({"inputs": sized, "parameters": {"binary_data_output": True}}).encode()
    filled = [
        {**one, "data": array.ravel().tolist()}
        for one, array in zip(described, arrays, strict=True)
    ]
    columns = {name: array.tolist() for name, (_, array) in tensors.items()}
    head = f"Inference-Header-Content-Length: {len(header)}\r\n"
    binary = header + b"".join(array.tobytes() for array in arrays)
    octets = "application/octet-stream"
    return [
        Scenario("binary", "POST", infer, binary, octets, bool, head),
        Scenario("infer JSON", "POST", infer, json.dumps({"inputs": filled}).encode(), JSON, bool),
        Scenario("predict", "POST", predict, json.dumps({"inputs": columns}).encode(), JSON, bool),
    ]


async def measure(target: Target, chosen: Sequence[Scenario]) -> dict[str, list[float]]:
    """Seconds of each request, by form; they take turns, each on one connection."""
    seconds: dict[str, list[float]] = {form.name: [] for form in chosen}
    for _ in range(ROUNDS):
        for form in chosen:
            tally = await drive(form, target, 1, SECONDS, timeout_s=60.0)
            if set(tally.statuses) != {200}:
                raise SystemExit(f"error: {form.name}: {dict(tally.statuses)} {dict(tally.errors)}")
            seconds[form.name] += tally.latencies_s
    return seconds


if __name__ == "__main__":
    sys.exit(main())
