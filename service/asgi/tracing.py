"""OpenTelemetry: a span for each request, with child spans for its steps.

Needs `pip install '.[tracing]'`; off without VITRINE_OTLP_ENDPOINT. A `traceparent` header
makes the caller's span the parent; sampling and the service's name are set by the OTEL_* variables.
"""

import time
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind, StatusCode, format_trace_id, set_span_in_context
from starlette.types import ASGIApp, Receive, Scope, Send

from service import __version__
from service.asgi.steps import Steps

PROBES = ("/v2/health/", "/metrics")  # they come every second


class Tracing:
    """Exports spans to a collector with OTLP over HTTP."""

    def __init__(self, endpoint: str) -> None:
        own = {"service.name": "vitrine", "service.version": __version__}
        resource = Resource.create(own).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(_exporter(endpoint)))
        self.tracer = self._provider.get_tracer("vitrine", __version__)

    def around(self, app: ASGIApp) -> ASGIApp:
        """Wrap an app so that its requests create spans."""
        return RequestSpans(app, self.tracer)

    def close(self) -> None:
        """Send the remaining spans."""
        self._provider.shutdown()


def _exporter(endpoint: str) -> SpanExporter:
    return OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")


class RequestSpans:
    """Creates the spans of a request after its end; probes have none."""

    def __init__(self, app: ASGIApp, tracer: Any) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; other scopes pass through."""
        if scope["type"] != "http" or scope["path"].startswith(PROBES):
            await self._app(scope, receive, send)
            return
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        parent = extract(
            {name: headers[name] for name in ("traceparent", "tracestate") if name in headers}
        )
        span = self._tracer.start_span(
            scope["method"], parent, SpanKind.SERVER, start_time=time.time_ns()
        )
        scope["steps"] = steps = Steps()
        scope["trace_id"] = format_trace_id(span.get_span_context().trace_id)
        try:
            await self._app(scope, receive, send)
        finally:
            self._finish(span, scope, steps)

    def _finish(self, span: Any, scope: Scope, steps: Steps) -> None:
        status, route = scope["answer"].status, getattr(scope.get("route"), "path", "")
        span.update_name(f"{scope['method']} {route}".strip())
        span.set_attributes(
            {
                "http.request.method": scope["method"],
                "url.path": scope["path"],
                "vitrine.request_id": scope["request_id"],
                **({"http.route": route} if route else {}),
                **({"http.response.status_code": status} if status else {}),
                **({"error.type": scope["error_code"]} if "error_code" in scope else {}),
                **steps.attributes,
            }
        )
        if status == 0 or status >= 500:  # no answer at all: the client left
            span.set_status(StatusCode.ERROR)
        context = set_span_in_context(span)
        for step in steps.done:
            self._tracer.start_span(step.name, context, start_time=step.start).end(step.end)
        span.end()
