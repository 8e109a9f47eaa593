"""Spans of requests, as a collector gets them."""

import http.server
import threading

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from service.settings import Settings
from tests.fakes import FakeEngine, write_version
from tests.service.apps import in_process

pytestmark = pytest.mark.anyio

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def spans(monkeypatch):
    """Every span that was finished when the app has ended."""
    exporter = InMemorySpanExporter()
    monkeypatch.setattr("service.asgi.tracing._exporter", lambda endpoint: exporter)
    monkeypatch.setattr(exporter, "shutdown", lambda: None)
    return exporter.get_finished_spans


@pytest.fixture
def settings(tmp_path):
    write_version(tmp_path)
    return Settings(models=tmp_path, otlp_endpoint="http://127.0.0.1:1")


async def test_a_request_is_a_span_and_its_steps_lie_below_it(settings, spans, png):
    async with in_process(settings, FakeEngine()) as client:
        headers = {"traceparent": CALLER, "x-request-id": "mine"}
        await client.post("/v1/digits/classify", content=png(), headers=headers)

    [whole] = [span for span in spans() if span.name == "POST /v1/digits/classify"]
    steps = [
        span for span in spans() if span.parent and span.parent.span_id == whole.context.span_id
    ]
    assert format(whole.context.trace_id, "032x") in CALLER
    assert format(whole.parent.span_id, "016x") in CALLER
    assert {step.name for step in steps} == {"decode", "queue", "infer", "encode"}
    for step in steps:
        assert step.context.trace_id == whole.context.trace_id
        assert step.start_time <= step.end_time <= whole.end_time
    attributes = dict(whole.attributes)
    assert attributes["http.response.status_code"] == 200
    assert attributes["vitrine.request_id"] == "mine"
    assert (attributes["vitrine.model"], attributes["vitrine.model.version"]) == ("digits", 1)
    assert whole.resource.attributes["service.name"] == "vitrine"


async def test_both_protocols_are_traced_and_probes_are_not(settings, spans):
    images = [[[[0]] * 28] * 28]
    tensor = {"name": "images", "datatype": "UINT8", "shape": [1, 28, 28, 1], "data": images}
    async with in_process(settings, FakeEngine()) as client:
        await client.post("/v1/models/digits:predict", json={"instances": images})
        await client.post("/v2/models/digits/infer", json={"inputs": [tensor]})
        await client.get("/v2/health/live")
        await client.get("/metrics")

    names = [span.name for span in spans()]
    assert "POST /v1/models/{model}:predict" in names
    assert "POST /v2/models/{model}/infer" in names
    assert names.count("infer") == 2
    assert not [name for name in names if "health" in name or "metrics" in name]


async def test_a_refusal_bears_its_code_and_an_unknown_path_no_name_of_its_own(settings, spans):
    async with in_process(settings, FakeEngine()) as client:
        await client.post("/v1/digits/classify", content=b"no image")
        await client.get("/v1/models/hostile-name-1/nowhere")

    refused, unknown = spans()
    assert refused.attributes["http.response.status_code"] == 415
    assert refused.attributes["error.type"] == "unsupported_image"
    assert refused.status.is_ok or refused.status.is_unset
    assert unknown.name == "GET"


class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append((self.path, self.headers.get("content-encoding"), body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


async def test_a_collector_gets_them_over_http(tmp_path):
    write_version(tmp_path)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    server.received = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = Settings(models=tmp_path, otlp_endpoint=f"http://127.0.0.1:{server.server_port}/")
    async with in_process(settings, FakeEngine()) as client:
        await client.get("/v1/models")
    server.shutdown()
    server.server_close()

    [(path, _, body)] = server.received
    sent = ExportTraceServiceRequest.FromString(body)
    assert path == "/v1/traces"
    assert sent.resource_spans[0].scope_spans[0].spans[0].name == "GET /v1/models"


def test_without_an_endpoint_nothing_is_traced(tmp_path):
    assert Settings(models=tmp_path).otlp_endpoint == ""
