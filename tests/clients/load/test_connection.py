"""The raw connection, against a server in the same loop that says exactly what a test scripts."""

import asyncio
import contextlib

import pytest

from clients.load.connection import Connection, Disconnected
from tests.clients.load.serving import serving

pytestmark = pytest.mark.anyio
REQUEST = b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\nhi"
PLAIN = b"HTTP/1.1 200 OK\r\nX-Batch-Size: 4\r\nContent-Length: 5\r\n\r\nhello"
CLOSE = object()  # in a script: the server closes the connection


@contextlib.asynccontextmanager
async def scripted(*scripts):
    """A server whose n-th answer, over all connections, is the n-th script: bytes, pauses, CLOSE."""
    left, opened = list(scripts), []

    async def talk(reader, writer):
        opened.append(writer)
        while await reader.readexactly(len(REQUEST)):
            for step in left.pop(0):
                if step is CLOSE:
                    writer.close()
                    return
                writer.write(step)
                await writer.drain()
                await asyncio.sleep(0)  # so that the parts arrive apart

    async with serving(talk) as target:
        connection = Connection(target.host, target.port)
        yield connection, opened
        connection.close()


async def test_two_requests_share_one_connection():
    async with scripted([PLAIN], [PLAIN]) as (connection, opened):
        first, second = await connection.ask(REQUEST), await connection.ask(REQUEST)
    assert first[:3] == second[:3]
    assert 0 < first.begun_at < second.begun_at
    assert (first.status, first.body) == (200, b"hello")
    assert first.headers[b"x-batch-size"] == b"4"
    assert len(opened) == 1


async def test_a_connection_that_was_idle_for_long_is_opened_anew(monkeypatch):
    monkeypatch.setattr("clients.load.connection.MOST_IDLE_S", 0.0)
    async with scripted([PLAIN], [PLAIN]) as (connection, opened):
        for _ in range(2):
            assert (await connection.ask(REQUEST)).body == b"hello"
    assert len(opened) == 2


async def test_a_chunked_answer_is_put_together():
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    parts = [head + b"3\r\nhe", b"l\r\n2;x=y\r", b"\nlo\r\n0\r\n", b"Trailer: t\r\n\r\n"]
    async with scripted(parts, [PLAIN]) as (connection, opened):
        assert (await connection.ask(REQUEST)).body == b"hello"
        assert (await connection.ask(REQUEST)).body == b"hello"
    assert len(opened) == 1


async def test_an_answer_without_a_length_lasts_until_the_server_closes():
    async with scripted([b"HTTP/1.1 200 OK\r\n\r\n", b"he", b"llo", CLOSE]) as (connection, _):
        assert (await connection.ask(REQUEST)).body == b"hello"


@pytest.mark.parametrize("status", [404, 429, 503])
async def test_an_error_status_is_an_answer_like_any_other(status):
    script = b"HTTP/1.1 %d Sorry\r\nContent-Length: 2\r\n\r\n{}" % status
    async with scripted([script], [PLAIN]) as (connection, opened):
        answer = await connection.ask(REQUEST)
        assert (answer.status, answer.body) == (status, b"{}")
        assert (await connection.ask(REQUEST)).status == 200
    assert len(opened) == 1


async def test_no_content_has_no_body():
    async with scripted([b"HTTP/1.1 204 No Content\r\n\r\n"], [PLAIN]) as (connection, opened):
        assert (await connection.ask(REQUEST)).body == b""
        assert (await connection.ask(REQUEST)).body == b"hello"
    assert len(opened) == 1


async def test_after_a_last_answer_the_next_request_opens_a_new_connection():
    last = PLAIN.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    async with scripted([last, CLOSE], [PLAIN]) as (connection, opened):
        assert (await connection.ask(REQUEST)).body == b"hello"
        assert (await connection.ask(REQUEST)).body == b"hello"
    assert len(opened) == 2


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        pytest.param([CLOSE], "before an answer", id="before an answer"),
        pytest.param([PLAIN[:-2], CLOSE], "within an answer", id="within an answer"),
        pytest.param([b"SSH-2.0-OpenSSH\r\n"], "not HTTP", id="not HTTP"),
    ],
)
async def test_a_broken_answer_says_how_it_broke_and_the_next_request_starts_afresh(script, reason):
    async with scripted(script, [PLAIN]) as (connection, opened):
        with pytest.raises(Disconnected, match=reason):
            await connection.ask(REQUEST)
        assert (await connection.ask(REQUEST)).body == b"hello"
    assert len(opened) == 2


async def test_an_answer_that_does_not_come_is_given_up_and_never_taken_for_the_next_one():
    async with scripted([], [PLAIN]) as (connection, opened):
        with pytest.raises(TimeoutError):
            await connection.ask(REQUEST, timeout_s=0.05)
        assert (await connection.ask(REQUEST)).body == b"hello"
    assert len(opened) == 2


async def test_a_port_nobody_listens_on_is_refused():
    async with scripted() as (connection, _):
        pass
    with pytest.raises(ConnectionRefusedError):
        await connection.ask(REQUEST)
