import asyncio
import json
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from vitrine_client import AsyncVitrine, InvalidSetting, TimedOut, Unreachable, Vitrine

PREDICTION = {
    "digit": 4,
    "probability": 1.0,
    "probabilities": [0, 0, 0, 0, 1, 0, 0, 0, 0, 0],
    "outlier": False,
    "outlier_score": 0.0,
}


class OneDigit(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        answer = {"model": {"name": "digits", "version": 1}, "predictions": [PREDICTION]}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextmanager
def listening(handler):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def port():
    with listening(OneDigit) as port:
        yield port


@pytest.fixture
def closed_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        yield free.getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST"])
def test_this_machine_is_reached_without_the_proxy_of_the_environment(
    environment, port, closed_port, host
):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        environment.setenv(name, f"http://127.0.0.1:{closed_port}")

    with Vitrine(f"http://{host}:{port}") as vitrine:
        assert vitrine.digits.classify(b"image").predictions[0].digit == 4


def test_an_awaited_call_to_this_machine_passes_the_proxy_by(environment, port, closed_port):
    environment.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port}")

    async def ask():
        async with AsyncVitrine(f"http://127.0.0.1:{port}") as vitrine:
            return await vitrine.digits.classify(b"image")

    assert asyncio.run(ask()).predictions[0].digit == 4


def test_other_hosts_are_reached_through_the_proxy_of_the_environment(environment, port):
    environment.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")

    with Vitrine("http://vitrine.invalid") as vitrine:
        assert vitrine.digits.classify(b"image").predictions[0].digit == 4


def test_a_proxy_that_cannot_be_used_is_named(environment):
    environment.setenv("ALL_PROXY", "gopher://proxy.invalid")

    with pytest.raises(InvalidSetting, match="the proxy in the environment"):
        Vitrine("http://vitrine.invalid")


def test_where_nothing_listens_the_error_says_how_to_start_the_service(closed_port):
    expected = pytest.raises(Unreachable, match=rf"127\.0\.0\.1:{closed_port}.*`make serve`")
    with Vitrine(f"http://127.0.0.1:{closed_port}") as vitrine, expected:
        vitrine.digits.classify(b"image")


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (httpx.ReadTimeout("slow"), TimedOut),
        (httpx.ConnectTimeout("slow"), TimedOut),
        (httpx.RemoteProtocolError("hung up"), Unreachable),
        (httpx.ReadError(""), Unreachable),
    ],
    ids=["read", "connect", "hung up", "broken"],
)
def test_the_http_librarys_errors_never_reach_the_caller(trouble, expected):
    def fail(request):
        raise trouble

    with Vitrine("http://me:hidden@service.test", transport=httpx.MockTransport(fail)) as vitrine:
        with pytest.raises(expected, match=r"service\.test") as caught:
            vitrine.digits.classify(b"image")
        assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://host", "http://", "http://[::1", "8000"])
def test_an_address_that_is_none_is_refused_with_an_example(url):
    with pytest.raises(InvalidSetting, match="address"):
        Vitrine(url)


@pytest.mark.parametrize("key", ["naïve", "two\nlines"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(key):
    with pytest.raises(InvalidSetting, match="API key") as caught:
        Vitrine(key=key)
    assert key not in str(caught.value)
