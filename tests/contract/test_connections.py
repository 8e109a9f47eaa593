"""Raw connections: slow ones end, oversized headers are refused, a stop loses nothing."""

import asyncio
import json
import os
import signal
import time

import pytest

from service.asgi.server import DrainingServer, PatientProtocol, make_server
from service.asgi.state import Lifecycle
from service.settings import Settings
from tests.running import running_service

pytestmark = pytest.mark.anyio
GET = b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n"


class QuickProtocol(PatientProtocol):
    receive_seconds = 0.3


async def hello(scope, receive, send):
    """Answer after a moment, so that a request can be in flight."""
    if scope["path"] == "/slow":
        await asyncio.sleep(0.5)
    body = b'{"hello": true}'
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def server():
    lifecycle = Lifecycle()
    server = make_server(hello, Settings(port=0, drain_seconds=0.5), lifecycle)
    server.config.lifespan = "off"
    server.config.http = QuickProtocol
    server.install_signal_handlers = lambda: None
    running = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server
    server.should_exit = True
    await running


def port_of(server: DrainingServer):
    return server.servers[0].sockets[0].getsockname()[1]


async def talk(server, content, *, drip=None):
    """Send `content` (one byte each `drip` seconds if given); return what came until the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))

    async def send():
        if drip is None:
            writer.write(content)
            return
        for byte in content:
            writer.write(bytes([byte]))
            await asyncio.sleep(drip)

    sending = asyncio.create_task(send())
    try:
        return await asyncio.wait_for(reader.read(), 5)
    except ConnectionError:
        return b""
    finally:
        sending.cancel()
        writer.close()


@pytest.mark.parametrize(
    ("content", "drip"),
    [
        (b"", None),
        (b"GET / HT", None),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: " + b"x" * 100, 0.02),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc", None),
    ],
    ids=["nothing", "half-line", "dripped-headers", "stalled-body"],
)
async def test_a_request_that_never_comes_whole_is_ended(server, content, drip):
    started = time.monotonic()
    await talk(server, content, drip=drip)

    assert time.monotonic() - started < 2.5


async def test_an_idle_connection_is_told_why_it_ends(server):
    answer = await talk(server, b"GET / HT")

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "request_timeout"


@pytest.mark.parametrize(
    "header", [b"X: " + b"x" * 100_000, b"X: y\r\n" * 20_000], ids=["one", "many"]
)
async def test_oversized_headers_are_refused(server, header):
    answer = await talk(server, b"GET / HTTP/1.1\r\nHost: x\r\n" + header)

    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "content",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"NOT HTTP AT ALL\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    ],
    ids=["tls", "words", "smuggling", "negative-length"],
)
async def test_what_is_no_http_gets_the_one_error_shape(server, content):
    answer = await talk(server, content)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert set(json.loads(answer.partition(b"\r\n\r\n")[2])) == {"error", "code", "request_id"}


async def test_pipelined_requests_are_all_answered(server):
    answer = await talk(server, GET + GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))

    assert answer.count(b'{"hello": true}') == 2


async def test_a_slow_answer_is_not_cut_by_the_receive_deadline(server):
    answer = await talk(server, b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert b'{"hello": true}' in answer


async def test_on_sigterm_it_first_says_not_ready_and_still_answers(server):
    server.handle_exit(signal.SIGTERM, None)
    assert server._lifecycle.is_draining
    assert not server.should_exit
    answer = await talk(server, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    await asyncio.sleep(0.7)

    assert b'{"hello": true}' in answer
    assert server.should_exit


async def test_ctrl_c_does_not_wait(server):
    server.handle_exit(signal.SIGINT, None)

    assert server.should_exit


@pytest.mark.tensorflow
async def test_a_real_stop_answers_what_is_in_flight_and_exits_0(models):
    def stop():
        with running_service(models, VITRINE_DRAIN_SECONDS="0.2") as (process, _):
            os.kill(process.pid, signal.SIGTERM)
            process.wait(20)
            return process.returncode

    assert await asyncio.to_thread(stop) == 0
