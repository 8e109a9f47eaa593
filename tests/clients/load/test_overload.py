"""What a flood of requests comes to: goodput while it lasted, and whether Retry-After was true."""

import asyncio

import pytest

from clients.load.beside import busy, digits
from clients.load.connection import Answer
from clients.load.overload import Flood, flood
from clients.load.scenario import digit_png, heavy_scenarios, scenarios
from clients.load.target import Target

SEVEN = b'{"predictions": [{"digit": 7, "probabilities": [0,0,0,0,0,0,0,1,0,0]}]}'


def refused(seconds):
    return Answer(429, {b"retry-after": b"%d" % seconds}, b"{}")


def test_only_right_answers_within_the_flood_are_goodput():
    digit, found = scenarios()["digit"], Flood(seconds=2.0)
    for at in (0.5, 1.5, 2.5):
        found.add(Answer(200, {}, SEVEN), at, 0.5, digit)
    found.add(Answer(200, {}, b"{}"), 1.0, 0.5, digit)
    found.add(Answer(504, {}, b"{}"), 1.0, 0.5, digit)

    assert found.goodput() == pytest.approx(2 / 1.5)
    assert found.failed == {"answered 200": 1, "answered 504": 1}


def test_retry_after_is_compared_with_the_time_until_all_was_answered():
    digit, found = scenarios()["digit"], Flood(seconds=2.0)
    for at, said in ((0.1, 60), (1.6, 3), (1.8, 4), (1.9, 4)):
        found.add(refused(said), at, 0.01, digit)
    assert found.retry_after() is None

    found.add(Answer(200, {}, SEVEN), 5.5, 0.5, digit)
    assert found.retry_after() == (4, 3.5)


def test_a_flood_leaves_without_regard_to_answers_and_counts_them_all():
    async def measure():
        asked = []

        async def answer(reader, writer):
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"X-Timeout-Ms: 5000" in head
            await reader.readexactly(len(digit_png()))
            asked.append(head)
            status = b"200 OK" if len(asked) % 2 else b"429 Too Many Requests\r\nRetry-After: 1"
            writer.write(
                b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(SEVEN), SEVEN)
            )

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            target = Target(*server.sockets[0].getsockname()[:2], "")
            return await flood(scenarios()["digit"], target, rate=100, seconds=0.2)

    found = asyncio.run(measure())
    assert found.asked == 20
    assert len(found.right) + len(found.refusals) == 20
    assert not found.failed


def test_digits_are_timed_while_a_heavy_client_is_kept_busy():
    async def measure():
        paths = []

        async def answer(reader, writer):
            while head := await reader.readuntil(b"\r\n\r\n"):
                paths.append(head.split()[1])
                length = int(head.lower().split(b"content-length: ")[1].split()[0])
                await reader.readexactly(length)
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(SEVEN), SEVEN)
                )

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            target = Target(*server.sockets[0].getsockname()[:2], "")
            async with busy("projection", target, 2) as statuses:
                return await digits(target, 0.1), statuses, paths

    took, statuses, paths = asyncio.run(measure())
    assert took == sorted(took)
    assert took
    assert set(statuses) == {200}
    assert {b"/v1/digits/classify", b"/v1/gan/project?steps=100"} == set(paths)


@pytest.mark.parametrize(("name", "count"), [("projection of 64", 64), ("score", 10_000)])
def test_an_answer_to_a_heavy_request_has_a_row_for_each_element(name, count):
    scenario = heavy_scenarios()[name]
    field = b"latents" if "projection" in name else b"characters"

    assert scenario.is_right(b'{"%s": [%s]}' % (field, b",".join([b"0"] * count)))
    assert not scenario.is_right(b'{"%s": [%s]}' % (field, b",".join([b"0"] * (count - 1))))
    assert not scenario.is_right(b'{"error": "too busy"}')
