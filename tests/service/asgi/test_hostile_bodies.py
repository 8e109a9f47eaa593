"""Hostile bodies on a running service: each is refused, and the service goes on answering."""

import json
import sys

import pytest

from clients.robustness import hostile_bodies as hostile
from clients.robustness.soak.connection import ask, is_problem
from clients.robustness.soak.service_process import vitrine
from tests.service.onnx_versions import write_onnx_version


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A service whose model could not classify an image: nothing here reaches it."""
    root = tmp_path_factory.mktemp("models")
    manifest = write_onnx_version(root) / "assets.extra/manifest.json"
    fields = json.loads(manifest.read_text())
    del fields["signatures"]["slow"]  # it would need TensorFlow
    manifest.write_text(json.dumps(fields))
    with vitrine(root) as process:
        yield process


@pytest.mark.skipif(sys.platform != "linux", reason="the running service is looked up in /proc")
def test_each_hostile_body_is_refused_before_the_work_and_its_bytes_are_given_back(service):
    for name, (body, content_type, status) in (hostile.images() | hostile.others()).items():
        path = "/v1/digits/classify"
        answer = ask(service.port, "POST", path, body, **{"Content-Type": content_type})
        assert (name, answer.status) == (name, status)
        assert is_problem(answer), name
        assert ask(service.port, "GET", "/v2/health/live").status == 200

    metrics = ask(service.port, "GET", "/metrics").body.decode().splitlines()
    assert "vitrine_bytes_in_flight 0.0" in metrics
    runs = [line for line in metrics if line.startswith("vitrine_batch_rows_count")]
    assert runs == ['vitrine_batch_rows_count{model="digits"} 0.0']
