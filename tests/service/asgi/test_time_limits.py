"""What a connection is waited for: requests that never come whole, answers that nobody reads."""

import asyncio
import json

import pytest

from service.settings import Settings
from tests.service.asgi.echo_server import CLOSE, counted, port_of, serving_echo, status_of, talk

pytestmark = pytest.mark.anyio


@pytest.fixture
async def server():
    """Waits too briefly for what never comes."""
    async with serving_echo(
        Settings(port=0, receive_seconds=0.2, receive_total_seconds=1)
    ) as server:
        yield server


@pytest.fixture
async def patient_server():
    """Waits long enough for bytes that come, also on a busy machine."""
    async with serving_echo(Settings(port=0, receive_seconds=2)) as server:
        yield server


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
    answer = await talk(server, content, drip=drip)  # which returns when the server closes
    while server.server_state.connections:
        await asyncio.sleep(0.01)

    assert not answer or status_of(answer) == 408


async def test_an_idle_connection_is_told_why_it_ends(server):
    answer = await talk(server, b"GET / HT")

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "request_timeout"


async def test_a_body_that_stalls_is_answered_408_and_counted(server):
    answer = await talk(server, b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")

    assert status_of(answer) == 408
    assert json.loads(answer.rpartition(b"\r\n\r\n")[2])["code"] == "request_timeout"
    assert counted(server, 408)


async def test_a_body_that_drips_for_too_long_is_ended(server):
    head = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n"
    answer = await talk(server, head, *[b"x"] * 900, pause=0.02)  # 18 s in all, of which 1 may pass

    assert status_of(answer) == 408


async def test_an_answer_that_is_not_read_is_counted_and_cut_off(server):
    bytes_in_flight = server.state["bytes_in_flight"]
    _, writer = await asyncio.open_connection("127.0.0.1", port_of(server), limit=1000)
    writer.write(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
    while not bytes_in_flight.held:
        await asyncio.sleep(0.01)
    while server.server_state.connections:
        await asyncio.sleep(0.01)
    writer.close()

    assert bytes_in_flight.held == 0


async def test_a_slow_but_steady_body_is_read(patient_server):
    head = b"POST /echo HTTP/1.1\r\nContent-Length: 6\r\n" + CLOSE
    letters = [
        b"a",
        b"b",
        b"c",
        b"d",
        b"e",
        b"f",
    ]  # 2.4 s in all, where 2 s may pass without a byte
    answer = await talk(patient_server, head, *letters, pause=0.4)

    assert answer.endswith(b'{"length": 6}')


async def test_a_slow_answer_is_not_cut_by_the_receive_deadline(server):
    answer = await talk(server, b"GET /wait/0.5 HTTP/1.1\r\n" + CLOSE)

    assert b'{"length": 0}' in answer
