"""Requests and durations of a version: the statistics of the Open Inference Protocol."""

import time
from collections.abc import Iterable, Mapping
from typing import Any


class Tally:
    """A count and a total duration in seconds."""

    def __init__(self) -> None:
        self.count = 0
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        """Add one event with its duration."""
        self.count += 1
        self.seconds += seconds

    def encode(self) -> dict[str, int]:
        """`{"count", "ns"}`: whole nanoseconds."""
        return {"count": self.count, "ns": int(self.seconds * 1e9)}


class Statistics:
    """Statistics of one model version since it was loaded. Used only on the event loop."""

    def __init__(self) -> None:
        self.inferences = 0
        self.executions = 0
        self._last_inference = 0.0
        self._success, self._fail = Tally(), Tally()
        self._steps = {name: Tally() for name in ("decode", "queue", "infer", "encode")}
        self._batches: dict[int, Tally] = {}

    def record_request(self, rows: int, seconds: float, timings: Mapping[str, float]) -> None:
        """Record an answered request; timings: seconds of decode, queue and infer."""
        self.inferences += rows
        self._last_inference = time.time()
        self._success.add(seconds)
        for name in ("decode", "queue", "infer"):
            self._steps[name].add(timings.get(name, 0.0))

    def record_encoded(self, seconds: float) -> None:
        """Record the encoding of an answer."""
        self._steps["encode"].add(seconds)

    def record_failure(self, seconds: float) -> None:
        """Record a request that was admitted but not answered."""
        self._fail.add(seconds)

    def record_run(self, rows: int, seconds: float) -> None:
        """Record one run of the model."""
        self.executions += 1
        self._batches.setdefault(rows, Tally()).add(seconds)

    def encode(self) -> dict[str, Any]:
        """The protocol's object, without name and version."""
        nothing = Tally().encode()
        return {
            "last_inference": int(self._last_inference * 1000),
            "inference_count": self.inferences,
            "execution_count": self.executions,
            "inference_stats": {
                "success": self._success.encode(),
                "fail": self._fail.encode(),
                "queue": self._steps["queue"].encode(),
                "compute_input": self._steps["decode"].encode(),
                "compute_infer": self._steps["infer"].encode(),
                "compute_output": self._steps["encode"].encode(),
                "cache_hit": nothing,
                "cache_miss": nothing,
            },
            "batch_stats": [
                {
                    "batch_size": rows,
                    "compute_input": nothing,
                    "compute_infer": tally.encode(),
                    "compute_output": nothing,
                }
                for rows, tally in sorted(self._batches.items())
            ],
            "memory_usage": [],
        }


def merge(of_workers: Iterable[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Sum the encoded statistics of several workers by name and version."""
    merged: dict[tuple[str, str], dict[str, Any]] = {}
    for one in (one for answer in of_workers for one in answer):
        key = one["name"], one["version"]
        merged[key] = _sum(merged[key], one) if key in merged else one
    return list(merged.values())


def _sum(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    batches = {batch["batch_size"]: batch for batch in one["batch_stats"]}
    for batch in other["batch_stats"]:
        size = batch["batch_size"]
        if size in batches:
            batch = {**_added(batches[size], batch), "batch_size": size}
        batches[size] = batch
    return {
        **_added(one, other),
        "last_inference": max(one["last_inference"], other["last_inference"]),
        "batch_stats": [batches[size] for size in sorted(batches)],
    }


def _added(one: Any, other: Any) -> Any:
    """Sum the numbers of two objects, also of those in them; everything else is that of the second."""
    if isinstance(other, dict):
        return {name: _added(one[name], value) for name, value in other.items()}
    return one + other if isinstance(other, int) else other
