"""The open loop, against a small server: latencies count from when a request was due."""

import asyncio
import itertools
import time

import pytest

from clients.load.connection import Answer
from clients.load.open_loop import (
    Pool,
    ScheduledRequest,
    arrivals,
    refusal_kind,
    send,
    server_timing,
)
from clients.load.step_summary import step_of
from tests.clients.load.serving import DIGIT, SEVEN, answer_bytes, serving_digits

pytestmark = pytest.mark.anyio
RIGHT = answer_bytes(200, SEVEN, "X-Batch-Size: 4", "Server-Timing: queue;dur=0.5, infer;dur=2.25")


async def answer_at_once(number):
    return RIGHT


async def measured(answer, plan, connections=64):
    async with serving_digits(answer) as target:
        pool = Pool(target, connections)
        try:
            return await send(pool, plan)
        finally:
            pool.close()


async def test_a_pause_of_the_server_is_felt_by_all_who_came_meanwhile():
    resumes = []

    async def pause_for_a_second(number):
        if number == 50:
            resumes.append(time.perf_counter() + 1.0)
        if resumes:
            await asyncio.sleep(max(0.0, resumes[0] - time.perf_counter()))
        return RIGHT

    plan = [ScheduledRequest(number / 100, DIGIT) for number in range(200)]
    tally = await measured(pause_for_a_second, plan, connections=4)

    slow = sum(latency_s > 0.1 for latency_s in tally.latencies_s)
    assert len(tally.latencies_s) == 200
    assert slow >= 80  # about 90 were due in the pause's first nine tenths
    step = step_of(100, tally)
    assert step.latency_ms["p90"] > 500
    assert step.latency_ms["max"] >= 900
    assert step.waited > 50


async def test_requests_leave_when_due_although_none_was_answered():
    seen = []

    async def answer_when_ten_are_there(number):
        seen.append(number)
        while len(seen) < 10:
            await asyncio.sleep(0.005)
        return RIGHT

    plan = [ScheduledRequest(number / 100, DIGIT) for number in range(10)]
    tally = await measured(answer_when_ten_are_there, plan)

    assert len(tally.latencies_s) == 10
    assert not tally.waited


async def test_refusals_are_counted_by_status_and_code_and_do_not_flatter_the_latencies():
    answers = [
        RIGHT,
        answer_bytes(429, b'{"error": "full", "code": "overloaded"}', "Retry-After: 1"),
        answer_bytes(503, b'{"error": "wait", "code": "not_ready"}'),
        answer_bytes(502, b"<html>"),
        answer_bytes(200, b'{"predictions": []}'),
    ]

    async def answer_in_turn(number):
        return answers[number % len(answers)]

    tally = await measured(
        answer_in_turn, [ScheduledRequest(number / 500, DIGIT) for number in range(50)]
    )

    assert tally.refusals == {"429 overloaded": 10, "503 not_ready": 10, "502": 10}
    assert tally.errors == {"wrong answer": 10}
    assert len(tally.latencies_s) == 10
    assert tally.asked == 50


async def test_a_server_that_is_away_is_an_error_of_its_own_kind():
    async with serving_digits(answer_at_once) as target:
        pass
    tally = await send(
        Pool(target, 2), [ScheduledRequest(0.0, DIGIT), ScheduledRequest(0.01, DIGIT)]
    )

    assert tally.errors == {"connection refused": 2}
    assert step_of(2, tally).latency_ms == {}


async def test_batch_sizes_and_server_timing_are_kept_beside_the_latencies():
    tally = await measured(
        answer_at_once, [ScheduledRequest(number / 200, DIGIT) for number in range(20)]
    )
    step = step_of(200, tally)

    assert step.batch_sizes == {4: 20}
    assert step.mean_batch_size == 4
    assert {name: some["p50"] for name, some in step.timings_ms.items()} == {
        "queue": 0.5,
        "infer": 2.25,
    }


async def test_a_generator_that_is_too_slow_itself_says_so():
    def check_slowly(body):
        busy_until = time.perf_counter() + 0.02
        while time.perf_counter() < busy_until:
            pass
        return True

    slow = DIGIT._replace(is_right=check_slowly)
    tally = await measured(
        answer_at_once, [ScheduledRequest(number / 200, slow) for number in range(60)]
    )
    step = step_of(200, tally)

    assert "late or later" in step.own_limit
    assert step.lag_ms["p99"] > 100


async def test_progress_is_told_while_it_runs():
    seen = []
    async with serving_digits(answer_at_once) as target:
        pool = Pool(target, 4)
        plan = [ScheduledRequest(number / 10, DIGIT) for number in range(14)]
        await send(pool, plan, lambda tally: seen.append((tally.asked, len(tally.latencies_s))))
        pool.close()

    assert seen
    assert all(14 >= asked >= answered for asked, answered in seen)


def test_arrivals_are_as_many_as_the_rate_says_the_same_each_time_and_random():
    plan = arrivals({DIGIT: 1}, rate=100, seconds=3, random_seed=1)
    gaps = [later.at_s - earlier.at_s for earlier, later in itertools.pairwise(plan)]

    assert len(plan) == 300
    assert plan[0].at_s >= 0
    assert plan[-1].at_s <= 3
    assert min(gaps) >= 0
    assert max(gaps) > 3 / 100 > 3 * min(gaps)
    assert plan == arrivals({DIGIT: 1}, rate=100, seconds=3, random_seed=1)
    assert plan != arrivals({DIGIT: 1}, rate=100, seconds=3, random_seed=2)


def test_a_step_has_a_most_of_requests_and_stays_at_its_rate():
    plan = arrivals({DIGIT: 1}, rate=50_000, seconds=60, random_seed=1)

    assert len(plan) == 20_000
    assert plan[-1].at_s <= 0.4


def test_a_mix_asks_each_in_its_share():
    other = DIGIT._replace(name="other")
    plan = arrivals({DIGIT: 3, other: 1}, rate=1000, seconds=4, random_seed=1)

    assert 2800 < sum(due.scenario is DIGIT for due in plan) < 3200


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b'{"code": "overloaded"}', "429 overloaded"), (b"", "429"), (b"[]", "429"), (b"{}", "429")],
)
def test_a_refusal_has_the_services_code_or_only_its_status(body, kind):
    assert refusal_kind(Answer(429, {}, body)) == kind


@pytest.mark.parametrize(
    ("header", "timings"),
    [
        (b"decode;dur=0.10, infer;dur=2", {"decode": 0.1, "infer": 2.0}),
        (b"", {}),
        (b"cache, db;desc=x, app;dur=much", {}),
    ],
)
def test_server_timing_is_read_and_what_is_odd_left_out(header, timings):
    assert server_timing(Answer(200, {b"server-timing": header}, b"")) == timings
