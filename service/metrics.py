"""Counters and histograms of one app, summed over processes, in Prometheus' text format."""

from bisect import bisect_left
from collections.abc import Iterable
from functools import partial
from types import SimpleNamespace
from typing import cast

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
Sample = tuple[str, dict[str, str], float]
Snapshot = list[tuple[str, str, str, list[Sample]]]
# The same in every process: not summed.
STATES = (
    "vitrine_model_version_state",
    "vitrine_model_load_seconds",
    "vitrine_model_warm_up_seconds",
    "process_start_time_seconds",
    "process_max_fds",
)
ROWS = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """All label values come from fixed sets: route templates, statuses, models on disk."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        counter = partial(Counter, registry=self._registry)
        gauge = partial(Gauge, registry=self._registry)
        seconds = partial(Histogram, buckets=SECONDS, registry=self._registry)
        rows = partial(Histogram, buckets=ROWS, registry=self._registry)
        self.requests = counter(
            "vitrine_requests", "Answered requests.", ["method", "route", "status"]
        )
        self.request_seconds = seconds(
            "vitrine_request_seconds",
            "From the first byte of the request to the answer.",
            ["route"],
        )
        self.batch_rows = rows("vitrine_batch_rows", "Examples in a run of a model.", ["model"])
        self.run_seconds = seconds("vitrine_run_seconds", "One run of a model.", ["model"])
        self.characters = counter(
            "vitrine_characters",
            "Characters that a text model read or generated.",
            ["model", "signature"],
        )
        self.queue_seconds = seconds(
            "vitrine_queue_seconds", "From a request's place in the queue to its run.", ["model"]
        )
        self.errors = counter(
            "vitrine_errors",
            "Requests that were refused or failed, by the code of the answer.",
            ["code"],
        )
        self.bytes_in_flight = gauge(
            "vitrine_bytes_in_flight",
            "Bodies, decoded images and unread answers that the process holds.",
        )
        ProcessCollector(registry=self._registry)
        self.active_streams = gauge(
            "vitrine_active_streams", "Answers that are being streamed.", ["model"]
        )
        self.waiting = gauge(
            "vitrine_waiting_requests", "Requests admitted and not answered yet.", ["model"]
        )
        self.versions = gauge(
            "vitrine_model_version_state",
            "1 for the state that a model version is in.",
            ["model", "version", "state"],
        )
        self.load_seconds = gauge(
            "vitrine_model_load_seconds",
            "Load, warm-up and golden check of a version.",
            ["model", "version"],
        )
        self.warm_up_seconds = gauge(
            "vitrine_model_warm_up_seconds",
            "The part of a version's load that its warm-up and golden check took.",
            ["model", "version"],
        )
        self.loads = counter(
            "vitrine_model_loads", "Attempts to load a version, by result.", ["model", "result"]
        )

    def forget_load(self, model: str, version: int) -> None:
        """Drop the series of a version that is no longer loaded."""
        for gauge in (self.load_seconds, self.warm_up_seconds):
            gauge.remove_by_labels({"model": model, "version": str(version)})

    def forget_version(self, model: str, version: int) -> None:
        """Drop the series of a version that no longer exists."""
        self.versions.remove_by_labels({"model": model, "version": str(version)})

    def forget_model(self, model: str) -> None:
        """Drop all series of a model that no longer exists."""
        for metric in vars(self).values():
            if isinstance(metric, MetricWrapperBase) and "model" in metric._labelnames:
                metric.remove_by_labels({"model": model})

    def snapshot(self) -> Snapshot:
        """Every sample as JSON values: (metric, help, type, [(sample, labels, value)])."""
        families: Snapshot = []
        for family in self._registry.collect():
            samples = [(sample.name, sample.labels, sample.value) for sample in family.samples]
            families.append((family.name, family.documentation, family.type, samples))
        return families


def observe_many(histogram: Histogram, value: float, count: int) -> None:
    """Observe a value `count` times in the time of one observation."""
    histogram._sum.inc(count * value)
    histogram._buckets[bisect_left(histogram._upper_bounds, value)].inc(count)


def merge(snapshots: Iterable[Snapshot]) -> Snapshot:
    """Merge the snapshots of several processes: counters are summed, states take the maximum."""
    merged: dict[str, tuple[str, str, dict[tuple[str, str], Sample]]] = {}
    for name, documentation, kind, samples in (family for one in snapshots for family in one):
        found = merged.setdefault(name, (documentation, kind, {}))[2]
        for sample, labels, value in samples:
            key = (sample, repr(sorted(labels.items())))
            before = found[key][2] if key in found else None
            found[key] = (sample, labels, _combined(name, sample, before, value))
    return [(n, text, kind, list(found.values())) for n, (text, kind, found) in merged.items()]


def render(snapshot: Snapshot) -> bytes:
    """The exposition text, `text/plain; version=0.0.4`."""
    families = []
    for name, documentation, kind, samples in snapshot:
        family = Metric(name, documentation, kind)
        for sample, labels, value in samples:
            family.add_sample(sample, labels, value)
        families.append(family)
    registry = SimpleNamespace(collect=lambda: families)  # the part that `generate_latest` uses
    return generate_latest(cast(CollectorRegistry, registry))


def merge_departed(snapshots: list[Snapshot]) -> Snapshot:
    """The counters of processes that have exited, without their states."""
    return [family for family in merge(snapshots) if family[2] != "gauge"]


def _combined(family: str, sample: str, before: float | None, value: float) -> float:
    if before is None:
        return value
    if sample.endswith("_created"):
        return min(before, value)
    return max(before, value) if family in STATES else before + value
