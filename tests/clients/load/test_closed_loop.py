"""The closed loop, against a small server that answers by turns."""

import asyncio
import contextlib
import itertools
import json

import pytest

from clients.load.closed_loop import Tally, drive, error_kind
from clients.load.connection import Answer, Disconnected
from clients.load.scenario import request_bytes, scenarios
from clients.load.target import Target

pytestmark = pytest.mark.anyio
SEVEN = json.dumps({"predictions": [{"digit": 7, "probabilities": [0.1] * 10}]}).encode()
ONE = SEVEN.replace(b"7", b"1")
DIGIT = scenarios()["digit"]


def answer_bytes(status, body):
    head = f"HTTP/1.1 {status} X\r\nX-Batch-Size: 2\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@contextlib.asynccontextmanager
async def serving(*answers):
    """A server that gives the answers in turn, again and again."""
    turns = itertools.cycle(answers)
    writers = []

    async def answer(reader, writer):
        writers.append(writer)
        length = len(request_bytes(DIGIT, target))
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readexactly(length):
                writer.write(next(turns))

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    target = Target("127.0.0.1", server.sockets[0].getsockname()[1], "")
    try:
        yield target
    finally:
        server.close()
        for writer in writers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


async def test_right_answers_refusals_and_wrong_answers_are_counted_apart():
    answers = [answer_bytes(200, SEVEN), answer_bytes(429, b"{}"), answer_bytes(200, ONE)]
    async with serving(*answers) as target:
        tally = await drive(DIGIT, target, connections=3, seconds=0.1)
    assert set(tally.statuses) == {200, 429}
    assert len(tally.latencies_s) > 0
    assert tally.statuses[200] == len(tally.latencies_s) + tally.errors["wrong answer"]
    assert set(tally.batch_sizes) == {2}
    assert tally.batch_sizes.total() == tally.statuses.total()


async def test_a_server_that_is_away_is_an_error_of_its_own_kind():
    async with serving() as target:
        pass
    tally = await drive(DIGIT, target, connections=2, seconds=0.05)
    assert set(tally.errors) == {"connection refused"}
    assert not tally.statuses


async def test_progress_is_told_while_it_runs():
    seen = []
    async with serving(answer_bytes(200, SEVEN)) as target:
        await drive(DIGIT, target, 1, 1.1, lambda tally: seen.append(len(tally.latencies_s)))
    assert seen
    assert seen[0] > 0


def test_an_answer_without_a_batch_size_is_counted_without_one():
    tally = Tally()
    tally.count(Answer(200, {}, SEVEN), 0.001, DIGIT)
    assert list(tally.latencies_s) == [0.001]
    assert not tally.batch_sizes


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TimeoutError(), "no answer in time"),
        (ConnectionRefusedError(111, "refused"), "connection refused"),
        (OSError(101, "no route"), "cannot connect"),
        (Disconnected("the server closed"), "the server closed"),
    ],
)
def test_errors_are_counted_by_kind(error, kind):
    assert error_kind(error) == kind
