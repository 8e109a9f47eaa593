"""What a flood of requests comes to: goodput while it lasted, and whether Retry-After was true."""

import asyncio

import pytest

from clients.load.connection import Answer
from clients.load.interference import busy, digits
from clients.load.overload import Flood, flood, repeat
from clients.load.scenario import heavy_scenarios, scenarios
from tests.clients.load.serving import SEVEN, answer_bytes, read_head, serving


def refused(seconds):
    return Answer(429, {b"retry-after": b"%d" % seconds}, b"{}")


def test_only_right_answers_are_goodput():
    digit, found = scenarios()["digit"], Flood(seconds=2.0)
    for at in (0.5, 1.5, 2.5):
        found.add(Answer(200, {}, SEVEN), at, 0.5, digit)
    found.add(Answer(200, {}, b"{}"), 1.0, 0.5, digit)
    found.add(Answer(504, {}, b"{}"), 1.0, 0.5, digit)

    assert found.goodput() == pytest.approx(3 / 2.5)
    assert found.failed == {"answered 200": 1, "answered 504": 1}


def test_retry_after_is_compared_with_the_time_until_all_was_answered():
    digit, found = scenarios()["digit"], Flood(seconds=2.0)
    for at, said in ((0.1, 60), (1.6, 3), (1.8, 4), (1.9, 4)):
        found.add(refused(said), at, 0.01, digit)
    assert found.retry_after() is None

    found.add(Answer(200, {}, SEVEN), 5.5, 0.5, digit)
    assert found.retry_after() == (4, 3.5)


def answering(answer):
    """A server: `answer(head)` gives the bytes for a request with that head; connections are kept."""

    async def talk(reader, writer):
        while head := await read_head(reader):
            writer.write(answer(head))

    return serving(talk)


def test_a_flood_leaves_without_regard_to_answers_and_counts_them_all():
    heads = []

    def answer(head):
        heads.append(head)
        if len(heads) % 2:
            return answer_bytes(200, SEVEN)
        return answer_bytes(429, b"{}", "Retry-After: 1")

    async def measure():
        async with answering(answer) as target:
            return await flood(scenarios()["digit"], target, rate=100, seconds=0.2)

    found = asyncio.run(measure())
    assert (
        0 < found.asked == len(heads) <= 20
    )  # on a busy machine the time is over before all have left
    assert len(found.right) == -(-found.asked // 2)
    assert len(found.refusals) == found.asked // 2
    assert not found.failed
    assert all(b"X-Timeout-Ms: 5000" in head for head in heads)


def test_clients_that_ignore_retry_after_send_the_next_request_after_a_refusal():
    heads = []

    def answer(head):
        heads.append(head)
        if len(heads) > 20:
            return answer_bytes(200, SEVEN)
        return answer_bytes(429, b"{}", "Retry-After: 1")

    async def measure():
        async with answering(answer) as target:
            return await repeat(scenarios()["digit"], target, clients=2, seconds=0.3)

    found = asyncio.run(measure())
    assert len(found.refusals) == min(20, len(heads))
    assert len(found.right) == len(heads) - len(found.refusals)
    assert not found.failed


def test_digits_are_timed_while_a_heavy_client_is_kept_busy():
    paths = set()

    def answer(head):
        paths.add(head.split()[1])
        return answer_bytes(200, SEVEN)

    async def measure():
        async with answering(answer) as target, busy("projection", target, 2) as statuses:
            return await digits(target, 0.1), statuses

    took, statuses = asyncio.run(measure())
    assert took
    assert set(statuses) == {200}
    assert paths == {b"/v1/digits/classify", b"/v1/gan/project?steps=100"}


@pytest.mark.parametrize(("name", "count"), [("projection of 64", 64), ("score", 10_000)])
def test_an_answer_to_a_heavy_request_has_a_row_for_each_element(name, count):
    scenario = heavy_scenarios()[name]
    field = b"latents" if "projection" in name else b"characters"

    assert scenario.is_right(b'{"%s": [%s]}' % (field, b",".join([b"0"] * count)))
    assert not scenario.is_right(b'{"%s": [%s]}' % (field, b",".join([b"0"] * (count - 1))))
    assert not scenario.is_right(b'{"error": "too busy"}')
