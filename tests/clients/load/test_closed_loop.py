"""The closed loop, against a small server that answers by turns."""

import time

import pytest

from clients.load.closed_loop import Tally, drive, error_kind
from clients.load.connection import Answer, Disconnected
from tests.clients.load.serving import DIGIT, SEVEN, answer_bytes, serving_digits

pytestmark = pytest.mark.anyio
ONE = SEVEN.replace(b"7", b"1")


def in_turn(*answers):
    """A server that gives the answers in turn, again and again."""

    async def answer(number):
        return answers[number % len(answers)]

    return serving_digits(answer)


async def test_right_answers_refusals_and_wrong_answers_are_counted_apart():
    answers = [
        answer_bytes(200, SEVEN, "X-Batch-Size: 2"),
        answer_bytes(429, b"{}", "X-Batch-Size: 2"),
        answer_bytes(200, ONE, "X-Batch-Size: 2"),
    ]
    async with in_turn(*answers) as target:
        tally = await drive(DIGIT, target, connections=3, seconds=0.1)
    assert set(tally.statuses) == {200, 429}
    assert len(tally.latencies_s) > 0
    assert tally.statuses[200] == len(tally.latencies_s) + tally.errors["wrong answer"]
    assert set(tally.batch_sizes) == {2}
    assert tally.batch_sizes.total() == tally.statuses.total()


async def test_a_server_that_is_away_is_an_error_of_its_own_kind():
    async with in_turn() as target:
        pass
    tally = await drive(DIGIT, target, connections=2, seconds=0.05)
    assert set(tally.errors) == {"connection refused"}
    assert not tally.statuses


def test_an_answer_without_a_batch_size_is_counted_without_one():
    tally = Tally()
    tally.count(Answer(200, {}, SEVEN), time.perf_counter(), DIGIT)
    assert len(tally.latencies_s) == 1
    assert tally.first_s == tally.latencies_s
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
