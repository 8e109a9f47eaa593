"""Counters and histograms of one app, in Prometheus' text format. Created per app, passed in."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics import MetricWrapperBase

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
ROWS = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """Every label comes from a fixed set: route templates, statuses, models on disk."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "vitrine_requests",
            "Answered requests.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self.request_seconds = Histogram(
            "vitrine_request_seconds",
            "From the first byte of the request to the answer.",
            ["route"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self.batch_rows = Histogram(
            "vitrine_batch_rows",
            "Examples in a run of a model.",
            ["model"],
            buckets=ROWS,
            registry=self._registry,
        )
        self.run_seconds = Histogram(
            "vitrine_run_seconds",
            "One run of a model.",
            ["model"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self.characters = Counter(
            "vitrine_characters",
            "Characters that a text model read or drew.",
            ["model", "signature"],
            registry=self._registry,
        )
        self.queue_seconds = Histogram(
            "vitrine_queue_seconds",
            "From a request's place in the queue to its run.",
            ["model"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self.errors = Counter(
            "vitrine_errors",
            "Requests that were refused or failed, by the code of the answer.",
            ["code"],
            registry=self._registry,
        )
        self.bytes_in_flight = Gauge(
            "vitrine_bytes_in_flight",
            "Bodies, decoded images and unread answers that the process holds.",
            registry=self._registry,
        )
        ProcessCollector(registry=self._registry)
        self.active_streams = Gauge(
            "vitrine_active_streams",
            "Answers that are being streamed.",
            ["model"],
            registry=self._registry,
        )
        self.waiting = Gauge(
            "vitrine_waiting_requests",
            "Requests admitted and not answered yet.",
            ["model"],
            registry=self._registry,
        )
        self.versions = Gauge(
            "vitrine_model_version_state",
            "1 for the state that a model version is in.",
            ["model", "version", "state"],
            registry=self._registry,
        )
        self.load_seconds = Gauge(
            "vitrine_model_load_seconds",
            "Load, warm-up and golden check of a version.",
            ["model", "version"],
            registry=self._registry,
        )

        self.loads = Counter(
            "vitrine_model_loads",
            "Attempts to load a version, by result.",
            ["model", "result"],
            registry=self._registry,
        )

    def forget_load(self, model: str, version: int) -> None:
        """Drop the series of a version that is not loaded any more."""
        self.load_seconds.remove_by_labels({"model": model, "version": str(version)})

    def forget_version(self, model: str, version: int) -> None:
        """Drop the series of a version that is not there any more."""
        self.versions.remove_by_labels({"model": model, "version": str(version)})

    def forget_model(self, model: str) -> None:
        """Drop every series of a model that is not there any more."""
        for metric in vars(self).values():
            if isinstance(metric, MetricWrapperBase) and "model" in metric._labelnames:
                metric.remove_by_labels({"model": model})

    def render(self) -> bytes:
        """The exposition text, `text/plain; version=0.0.4`."""
        return generate_latest(self._registry)
