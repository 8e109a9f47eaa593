"""Counts and logs how each request ended."""

import logging
from typing import Any

from prometheus_client import Counter, Histogram
from starlette.types import Scope

from service.metrics import Metrics

SLOW_SECONDS = 1.0
METHODS = ("GET", "POST", "PUT", "HEAD", "OPTIONS")

log = logging.getLogger("vitrine.request")


class RequestLog:
    """The counters and the log lines of all requests of an app."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._counters: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def note_scope(self, scope: Scope, status: int, seconds: float) -> None:
        """Count and log the request of an ASGI scope."""
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope["method"] if scope["method"] in METHODS else "other"
        if code := scope.get("error_code"):
            self._metrics.errors.labels(code).inc()
        self.note(method, route, status, seconds, scope["request_id"], scope.get("trace_id"))

    def note(
        self,
        method: str,
        route: str,
        status: int,
        seconds: float,
        request_id: str,
        trace_id: str | None = None,
    ) -> None:
        """Count and log a request; method and route are from a fixed set."""
        self._count(method, route, status, seconds)
        # Probes ask every second, and "not yet" is no error; refusals come in thousands, when busy.
        quiet = route.startswith("/v2/health/") or status == 429
        notable = (status >= 400 and not quiet) or seconds > SLOW_SECONDS
        level = logging.INFO if notable else logging.DEBUG
        if log.isEnabledFor(level):
            fields: dict[str, Any] = {"method": method, "route": route, "status": status}
            fields |= {"ms": round(seconds * 1000, 2), "request_id": request_id}
            fields |= {"trace_id": trace_id} if trace_id else {}
            log.log(level, "answered", extra=fields)

    def _count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Labels are looked up once: every combination comes from a fixed set."""
        key = (method, route, status)
        if key not in self._counters:
            self._counters[key] = (
                self._metrics.requests.labels(method, route, status),
                self._metrics.request_seconds.labels(route),
            )
        counter, histogram = self._counters[key]
        counter.inc()
        histogram.observe(seconds)
