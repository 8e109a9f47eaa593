"""The ladder and its knee, on made-up services."""

import pytest

from clients.load.ladder import (
    Ladder,
    find_knee,
    is_over,
    knee,
    max_goodput,
    rate_ladder,
    run_ladder,
)
from tests.clients.load.steps import queue_step, step

pytestmark = pytest.mark.anyio


async def test_the_knee_is_searched_for_between_the_last_rate_kept_up_with_and_the_first_lost():
    """M/M/1 with a capacity of 100: power, rate / time, would be greatest at 50."""
    asked = []

    async def measure(rate, seconds):
        asked.append((rate, seconds))
        return queue_step(rate, capacity=100) if rate < 100 else step(rate, right_per_s=80)

    steps = [queue_step(rate, capacity=100) for rate in (30, 50, 70)] + [step(160, right_per_s=90)]
    found = await find_knee(Ladder((), 3), steps, measure)

    assert 92 <= knee(found).rate < 100
    assert [one.rate for one in found] == sorted(one.rate for one in found)
    assert all(70 < rate < 160 and seconds == 3 for rate, seconds in asked)


async def test_nothing_is_searched_where_there_is_no_knee():
    steps = [step(10), step(20)]

    assert await find_knee(Ladder((), 3), steps, None) == steps


def test_the_knee_of_a_service_that_is_as_fast_until_it_is_full_is_where_it_is_full():
    steps = [step(rate, p50_ms=2) for rate in (10, 20, 40, 80)] + [step(160, right_per_s=90)]

    assert knee(steps).rate == 80
    assert max_goodput(steps) == 90


def test_there_is_no_knee_as_long_as_more_load_costs_nothing():
    assert knee([step(10, p50_ms=2), step(20, p50_ms=2)]) is None


def test_there_is_no_knee_where_nothing_was_kept_up_with():
    assert knee([step(10, right_per_s=1)]) is None
    assert knee([]) is None
    assert max_goodput([]) == 0


async def test_the_ladder_ends_after_two_steps_that_failed():
    asked = []

    async def measure(number, rate, seconds):
        asked.append((number, rate))
        return step(rate, right_per_s=min(rate, (25, 45)[number]))

    climbed = await run_ladder(Ladder((10, 20, 40, 80, 160, 320), 1), 2, measure)

    assert [[one.rate for one in steps] for steps in climbed] == [
        [10, 20, 40, 80],
        [10, 20, 40, 80, 160],
    ]
    assert asked[:4] == [(0, 10), (1, 10), (0, 20), (1, 20)]


def test_a_service_without_any_right_answer_is_not_asked_for_more():
    assert is_over([step(10, right_per_s=0, p50_ms=None)])
    assert not is_over([step(10), step(20, right_per_s=5)])


def test_one_hiccup_is_not_the_end():
    assert not is_over([step(10), step(20, right_per_s=5), step(30), step(40, right_per_s=30)])
    assert is_over([step(10), step(20, right_per_s=5), step(30, right_per_s=9)])


def test_the_ladder_begins_well_below_what_one_client_alone_asks():
    ladder = rate_ladder(0.002, steps=4, seconds=3)

    assert ladder.rates == (75, 110, 170, 250)


def test_a_slow_rate_has_a_longer_step_but_not_an_endless_one():
    ladder = Ladder((), 3)

    assert ladder.step_seconds(100) == 3
    assert ladder.step_seconds(4) == 5
    assert ladder.step_seconds(0.1) == 10
