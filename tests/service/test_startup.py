"""The lines of a start: what still loads, what is not served, and last the address."""

import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from uvicorn.config import STARTUP_FAILURE

from service.__main__ import _run
from service.settings import Settings
from service.startup import address, follow

LOADING = '{"error": "not ready: digits/1: loading; gan/2: loading", "ready": false}'
ONE_LEFT = '{"error": "not ready: gan/2: loading", "ready": false}'
FAILED = '{"error": "not ready: gan/2: its golden outputs differ", "ready": false}'
READY = '{"live": true, "ready": true}'
STOPPING = '{"error": "not ready: the service is stopping", "ready": false}'


@pytest.fixture(autouse=True)
def ask_often(monkeypatch):
    monkeypatch.setattr("service.startup.ASK_SECONDS", 0.01)


@contextmanager
def health(*answers):
    """A server that gives one answer after the other to /v2/health/ready."""
    left = list(answers)

    class Health(BaseHTTPRequestHandler):
        def do_GET(self):
            assert self.path == "/v2/health/ready"
            body = left.pop(0).encode()
            self.send_response(200 if body == READY.encode() else 503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Health) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_address_is_said_last_when_every_model_answers():
    said = []
    with health("no JSON yet", LOADING, LOADING, ONE_LEFT, READY) as url:
        follow(url, said.append)

    assert said == [
        "Loading 2 more: digits, gan",
        "Loading 1 more: gan",
        f"Vitrine answers at {url} (the page; the API is documented at {url}/docs)",
    ]


def test_a_model_that_failed_is_said_and_the_others_are_served():
    said = []
    with health(LOADING, FAILED) as url:
        follow(url, said.append)

    assert said[-2] == "Not served: gan/2: its golden outputs differ"
    assert said[-1].startswith(f"Vitrine answers at {url}")


def test_a_service_that_stops_while_it_starts_says_no_address():
    said = []
    with health(STOPPING) as url:
        follow(url, said.append)

    assert said == []


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("example.org", "http://example.org:8000"),
    ],
)
def test_the_address_is_one_that_a_browser_opens(host, expected):
    assert address(host, 8000) == expected
    assert address(host, 8000, "/vitrine") == f"{expected}/vitrine"


def test_a_port_that_is_taken_is_named_with_the_way_out(tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert _run(Settings(models=tmp_path, port=port), 1, is_shown=False) == STARTUP_FAILURE

    assert (
        f"127.0.0.1 and {port}: Address already in use; VITRINE_PORT=0" in capsys.readouterr().err
    )
