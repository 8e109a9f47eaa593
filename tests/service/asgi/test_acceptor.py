"""A connection is accepted at once, or after a moment where another worker should have had it."""

import asyncio
import socket
import sys

import pytest

from service.asgi import acceptor
from service.asgi.acceptor import MOST_IN_A_TURN, UNSENT_BYTES, Acceptor


class Count:
    """What the acceptor asks and tells."""

    def __init__(self, is_above_another):
        self._is_above_another = is_above_another
        self.connections, self.has_left = 0, False
        self.waiting = []

    def is_above_another(self, waiting):
        self.waiting.append(waiting)
        return self._is_above_another

    def add(self, change):
        self.connections += change

    def leave(self):
        self.has_left = True


class Protocol(asyncio.Protocol):
    """Says hello and closes."""

    transport = None
    on_lost = None

    def connection_made(self, transport):
        self.transport = transport
        transport.write(b"hello")
        transport.close()

    def connection_lost(self, _):
        self.on_lost()


async def greeted(count):
    """Connect three times; what was read, and the acceptor."""
    listener = socket.create_server(("127.0.0.1", 0))
    acceptor = Acceptor(listener, Protocol, None, count)
    answers = []
    for _ in range(3):
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        answers.append(await reader.read())
        writer.close()
    while count.connections:
        await asyncio.sleep(0.01)
    acceptor.close()
    listener.close()
    return answers


def test_connections_are_accepted_and_counted():
    count = Count(is_above_another=False)
    assert asyncio.run(greeted(count)) == [b"hello"] * 3
    assert count.has_left


def test_a_connection_that_nobody_else_takes_is_accepted_after_a_moment():
    count = Count(is_above_another=True)
    assert asyncio.run(greeted(count)) == [b"hello"] * 3


async def accepted_in_two_turns(connections, seconds):
    """The numbers of connections accepted in one turn of the loop, and in the next, which begins some seconds later."""
    listener, count = socket.create_server(("127.0.0.1", 0), backlog=connections), Count(False)
    clients = [socket.create_connection(listener.getsockname()) for _ in range(connections)]
    acceptor = Acceptor(listener, Protocol, None, count)
    acceptor._accept()
    first = count.connections
    acceptor._left_some_at -= seconds
    acceptor._accept()
    second = count.connections - first
    for client in clients:
        client.setblocking(False)
    loop = asyncio.get_running_loop()
    answers = [await loop.sock_recv(client, 5) for client in clients]
    if sys.platform == "linux":
        assert count.waiting[:3] == [connections - n for n in range(3)]
        assert acceptor._left_some_at is None
    for client in clients:
        client.close()
    acceptor.close()
    return first, second, answers


def test_a_turn_accepts_more_the_longer_turns_are():
    number = MOST_IN_A_TURN + 20
    first, second, answers = asyncio.run(accepted_in_two_turns(number, 1000))

    assert (first, second) == (1, MOST_IN_A_TURN)
    assert answers == [b"hello"] * number


@pytest.mark.skipif(sys.platform != "linux", reason="the number of those that wait is unknown")
def test_a_turn_accepts_more_of_a_crowd(monkeypatch):
    monkeypatch.setattr(acceptor, "CROWD", 10)
    first, _, answers = asyncio.run(accepted_in_two_turns(30, 0))

    assert first == 21
    assert answers == [b"hello"] * 30


def test_the_kernel_keeps_little_of_an_answer_that_is_not_read():
    size, unsent = 2**24, []

    class Answer(Protocol):
        def connection_made(self, transport):
            transport.write(bytes(size))
            unsent.append(transport.get_write_buffer_size())
            transport.abort()

    async def connect():
        listener = socket.create_server(("127.0.0.1", 0))
        count = Count(is_above_another=False)
        acceptor = Acceptor(listener, Answer, None, count)
        _, writer = await asyncio.open_connection(*listener.getsockname(), limit=1)
        while not unsent or count.connections:
            await asyncio.sleep(0.01)
        writer.close()
        acceptor.close()

    asyncio.run(connect())

    assert size - unsent[0] <= 4 * UNSENT_BYTES
