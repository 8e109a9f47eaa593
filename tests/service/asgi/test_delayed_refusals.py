"""A refusal is sent after a delay, and before anything else that is sent on its connection."""

import asyncio
import re
import socket
import struct
from types import SimpleNamespace

import pytest

from service.asgi import delayed_refusals
from service.asgi.delayed_refusals import DelayedRefusals
from service.errors import QueueRefusal
from service.settings import Settings
from tests.service.asgi.echo_server import counted, port_of, serving_echo, talk
from tests.waiting import until

pytestmark = pytest.mark.anyio
HEAD = b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
REFUSED = HEAD + b"\r\nbody"
ACCEPTED = b"GET /y HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


class Sent:
    """Stands for a refusal that connections have; their numbers in the order in which they sent it."""

    def __init__(self):
        self.numbers, self.counted = [], 0

    def count(self, number, seconds):
        self.counted += number


class FakeConnection:
    def __init__(self, number, pending):
        self.number, self.pending = number, pending

    def send_refusal(self):
        refusal, self.pending = self.pending, None
        if refusal:
            refusal.numbers.append(self.number)
        return refusal


async def test_refusals_are_sent_in_order_a_number_in_each_turn(monkeypatch):
    monkeypatch.setattr(delayed_refusals, "DELAY_SECONDS", 0.001)
    monkeypatch.setattr(delayed_refusals, "GROUP_SECONDS", 1000.0)
    delayed, sent = DelayedRefusals(), Sent()
    count = 2 * delayed_refusals.MAX_IN_A_TURN + 1
    for number in range(count):
        delayed.add(FakeConnection(number, sent))
    while not sent.numbers:
        await asyncio.sleep(0)

    assert sent.numbers == list(range(delayed_refusals.MAX_IN_A_TURN))
    await until(lambda: sent.counted == count)
    assert sent.numbers == list(range(count))


async def test_only_pending_refusals_are_sent_and_counted(monkeypatch):
    monkeypatch.setattr(delayed_refusals, "DELAY_SECONDS", 0.001)
    delayed, sent = DelayedRefusals(), Sent()
    first, second, third = [FakeConnection(number, sent) for number in range(3)]
    for connection in (first, second, first, third):
        delayed.add(connection)
    second.pending = None  # its client left
    await until(lambda: 2 in sent.numbers)

    assert sent.numbers == [0, 2]
    assert sent.counted == 2
    assert not delayed._group


async def test_refusals_far_apart_are_sent_one_after_the_other(monkeypatch):
    monkeypatch.setattr(delayed_refusals, "DELAY_SECONDS", 0.001)
    monkeypatch.setattr(delayed_refusals, "GROUP_SECONDS", 0.0)
    delayed, sent = DelayedRefusals(), Sent()
    for number in range(3):
        delayed.add(FakeConnection(number, sent))
        await until(lambda number=number: number in sent.numbers)

    assert sent.numbers == [0, 1, 2]


@pytest.fixture(params=[{}])
async def server(monkeypatch, request):
    """An echo server that refuses `POST /x` and sends no refusal by itself, however long one waits.

    Its parameter: further settings.
    """
    monkeypatch.setattr(delayed_refusals, "DELAY_SECONDS", 1000.0)
    monkeypatch.setattr("service.asgi.refusal.VALID_SECONDS", 1000.0)
    monkeypatch.setattr("service.asgi.refusal.PROBES_PER_SECOND", 0.0)
    async with serving_echo(Settings(port=0, drain_seconds=0, **request.param)) as server:
        scope = {
            "method": "POST",
            "raw_path": b"/x",
            "query_string": b"",
            "headers": [(b"content-length", b"4")],
            "queue": SimpleNamespace(departures=0, is_full=True),
        }
        server.state["refusals"].record(scope, QueueRefusal("too busy", 3))
        yield server


def with_limits(**settings):
    """Runs a test with these settings of the server."""
    return pytest.mark.parametrize("server", [settings], indirect=True, ids=[""])


def statuses(content):
    """The statuses of the answers in the order in which they were received."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+) ", content)]


@pytest.mark.parametrize("pause", [0.0, 0.05], ids=["together", "apart"])
async def test_a_refusal_is_sent_before_the_answer_to_the_next_request(server, pause):
    content = await talk(server, REFUSED, REFUSED, ACCEPTED, pause=pause)
    assert statuses(content) == [429, 429, 200]


async def test_requests_in_one_read_are_answered_in_order(server):
    assert statuses(await talk(server, REFUSED + REFUSED + ACCEPTED)) == [429, 429, 200]


async def test_a_refusal_is_sent_before_the_error_of_what_follows(server):
    assert statuses(await talk(server, REFUSED + b"\0")) == [429, 400]
    assert statuses(await talk(server, REFUSED, b"\0")) == [429, 400]


async def test_a_refusal_is_sent_to_a_client_that_has_closed_its_half(server):
    assert statuses(await talk(server, REFUSED, half_close=True)) == [429]


async def test_the_next_body_byte_does_not_send_the_refusal_but_the_next_request_does(server):
    head = HEAD + b"\r\n"
    content = await talk(server, head, b"bo", b"dy", ACCEPTED)
    assert statuses(content) == [429, 200]


async def test_a_stop_sends_the_pending_refusals(server):
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
    writer.write(REFUSED)
    await until(lambda: server.state["refusals"].delayed._group)
    server.should_exit = True

    assert statuses(await asyncio.wait_for(reader.read(), 120)) == [429]
    assert counted(server, 429)
    writer.close()


async def test_a_stop_sends_the_refusal_of_a_request_whose_body_is_still_read(server):
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
    writer.write(REFUSED[:-1])
    await until(lambda: server.state["refusals"].delayed._group)
    server.should_exit = True

    assert statuses(await asyncio.wait_for(reader.read(), 120)) == [429]
    writer.close()


@with_limits(receive_seconds=0.1)
async def test_a_body_that_never_comes_whole_is_still_refused(server):
    assert statuses(await talk(server, REFUSED[:-1])) == [429]


@with_limits(keep_alive_seconds=1, receive_seconds=0.1, receive_total_seconds=0.2)
async def test_no_time_limit_closes_a_connection_whose_refusal_waits(server):
    assert statuses(await talk(server, REFUSED, ACCEPTED, pause=1.5)) == [429, 200]


@with_limits(keep_alive_seconds=1)
async def test_the_keep_alive_does_not_begin_between_a_refusal_and_the_next_request(server):
    long = ACCEPTED.replace(b"/y", b"/wait/1.5")
    talks = [
        talk(server, REFUSED, long, pause=0.0),
        talk(server, REFUSED, long),
        talk(server, REFUSED + long),
        talk(server, REFUSED[:-1], REFUSED[-1:] + long),
    ]
    assert [statuses(each) for each in await asyncio.gather(*talks)] == [[429, 200]] * 4


async def test_a_client_that_left_is_sent_and_counted_nothing(server):
    _, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
    writer.write(REFUSED)
    delayed = server.state["refusals"].delayed
    await until(lambda: delayed._group)
    linger = struct.pack("ii", 1, 0)  # so that closing resets the connection
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()
    await until(lambda: delayed._group[0]._pending_refusal is None)

    assert counted(server, 429)[0].endswith(" 0.0")


async def test_connection_close_ends_the_connection_after_the_delay(server, monkeypatch):
    monkeypatch.setattr(delayed_refusals, "DELAY_SECONDS", 0.001)
    content = await talk(server, HEAD + b"Connection: close\r\n\r\n", b"body")
    assert statuses(content) == [429]
    assert b"connection: close" in content
