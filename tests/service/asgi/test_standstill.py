"""A process that stood still, as on a busy machine, finds its timers due before it looks at its sockets."""

import asyncio
import socket
import time
from contextlib import asynccontextmanager

import pytest

from service.asgi import protocol
from service.settings import Settings
from tests.fakes import FakeEngine, write_version
from tests.service.apps import on_a_socket

uvloop = pytest.importorskip("uvloop")
GET = b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n"


def stand_still(seconds, meanwhile):
    """Hold the loop up while it reads from sockets, so that timers are what it does next."""
    ours, other = socket.socketpair()
    loop = asyncio.get_running_loop()

    def hold():
        loop.remove_reader(ours)
        ours.recv(1)
        ours.close()
        other.close()
        meanwhile()
        time.sleep(seconds)

    loop.add_reader(ours, hold)
    other.send(b"x")


@asynccontextmanager
async def connected(models, **settings):
    """A connection to a service with these settings."""
    write_version(models)
    settings = Settings(models=models, port=0, **settings)
    async with on_a_socket(settings, FakeEngine()) as client:
        port = client.server.servers[0].sockets[0].getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as kept:
            kept.setblocking(
                False
            )  # read on the loop: a thread of its own may wait long for a processor
            yield kept


async def receive(kept):
    async with asyncio.timeout(120):
        return await asyncio.get_running_loop().sock_recv(kept, 1000)


def test_a_request_that_came_during_the_keep_alive_is_answered(tmp_path):
    async def ask_after_a_stop():
        async with connected(tmp_path, keep_alive_seconds=1) as kept:
            for _ in range(2):  # the second time it comes when the connection should be closed
                stand_still(1.2, lambda: kept.sendall(GET))
                answer = await receive(kept)
            return answer

    assert uvloop.run(ask_after_a_stop()).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("before", [b"", GET[:20]], ids=["first byte", "rest"])
def test_what_came_before_the_deadline_of_a_request_is_read(tmp_path, before):
    async def ask_before_a_stop():
        async with connected(tmp_path, receive_seconds=1) as new:
            new.sendall(before)
            await asyncio.sleep(0.1)
            stand_still(1.2, lambda: new.sendall(GET[len(before) :]))
            return await receive(new)

    assert uvloop.run(ask_before_a_stop()).startswith(b"HTTP/1.1 200 ")


def test_the_keep_alive_begins_anew_after_a_standstill(tmp_path):
    """A client that stood still with the service, as on one suspended machine, asks as soon as it can."""

    async def ask_after_a_stop():
        async with connected(tmp_path, keep_alive_seconds=1) as kept:
            kept.sendall(GET)
            await receive(kept)
            resumed = asyncio.Event()
            stand_still(2, resumed.set)
            await resumed.wait()
            await asyncio.sleep(0.1)
            kept.sendall(GET)
            return await receive(kept)

    assert uvloop.run(ask_after_a_stop()).startswith(b"HTTP/1.1 200 ")


def test_a_request_that_came_meanwhile_is_answered_before_its_connection_is_closed(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(protocol, "CLOSING_SECONDS", 0.2)
    write_version(tmp_path)

    async def ask_during_a_stop():
        async with on_a_socket(Settings(models=tmp_path, port=0), FakeEngine()) as client:
            server = client.server
            before = set(server.server_state.connections)
            port = server.servers[0].sockets[0].getsockname()[1]
            with socket.create_connection(("127.0.0.1", port)) as idle:
                while not (mine := set(server.server_state.connections) - before):
                    await asyncio.sleep(0.01)
                mine.pop().shutdown()
                stand_still(0.5, lambda: idle.sendall(GET))
                idle.settimeout(120)
                return await asyncio.to_thread(idle.recv, 100)

    assert uvloop.run(ask_during_a_stop()).startswith(b"HTTP/1.1 200 ")
