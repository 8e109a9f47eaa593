"""Turns of models on the processors: by weight where they compete, at once where they do not."""

import asyncio

import pytest

from service.scheduling.turns import Turns

pytestmark = pytest.mark.anyio


class Clock:
    """Time that passes only while something runs."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


async def compete(turns, clock, models, runs):
    """Every model always has a run waiting; which ones had the first `runs` turns of a second each."""
    order = []

    async def run(model):
        if len(order) < runs:
            order.append(model)
            clock.now += 1.0
        await asyncio.sleep(0)

    async def work(model):
        while len(order) < runs:
            async with turns.turn(model) as is_still_first:
                await run(model)
                while len(order) < runs and is_still_first():
                    await run(model)

    await asyncio.gather(*(work(model) for model in models))
    return order


async def test_models_of_one_weight_take_turns():
    clock = Clock()
    order = await compete(Turns(1, clock=clock), clock, ["a", "b", "c"], 30)

    assert {order.count(model) for model in "abc"} == {10}


async def test_a_share_is_proportional_to_the_weight():
    clock = Clock()
    turns = Turns(1, {"heavy": 3.0, "light": 1.0}.__getitem__, clock)

    order = await compete(turns, clock, ["heavy", "light"], 40)

    assert order.count("heavy") in (29, 30, 31)
    assert "light" in order[:5]


async def test_who_was_away_has_no_credit():
    clock = Clock()
    turns = Turns(1, clock=clock)
    await compete(turns, clock, ["busy"], 100)

    order = await compete(turns, clock, ["busy", "newcomer"], 20)

    assert order.count("newcomer") in (9, 10, 11)


async def test_as_many_run_at_once_as_there_are_places():
    turns, running, most = Turns(2), 0, 0

    async def work(model):
        nonlocal running, most
        async with turns.turn(model):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    await asyncio.gather(*(work(f"model {number}") for number in range(10)))

    assert (running, most) == (0, 2)


async def test_who_stops_waiting_takes_no_place_with_it():
    turns = Turns(1)
    async with turns.turn("a"):
        waiting = [asyncio.create_task(use(turns, model)) for model in ("b", "c")]
        await asyncio.sleep(0)
        waiting[0].cancel()
    given = asyncio.create_task(use(turns, "d"))
    await asyncio.sleep(0)
    given.cancel()

    await asyncio.gather(*waiting, given, return_exceptions=True)

    entered = False
    async with asyncio.timeout(120), turns.turn("e"):
        entered = True
    assert entered


async def use(turns, model):
    async with turns.turn(model):
        await asyncio.sleep(0)
