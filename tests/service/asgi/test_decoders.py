"""Small images are decoded on the event loop, but not all of a burst in one turn of it."""

import asyncio
import time
from types import SimpleNamespace

import pytest

from service.asgi import decoders, loop_turns
from service.asgi.loop_turns import LoopTurns
from service.settings import Settings
from tests.fakes import FakeEngine, write_version
from tests.service.apps import in_process
from tests.waiting import until_waiting

pytestmark = pytest.mark.anyio


async def test_others_get_a_turn_between_the_images_of_a_burst():
    events, turns = [], LoopTurns(decoders.TURN_SECONDS)

    def decode(number):
        time.sleep(2 * decoders.TURN_SECONDS)
        events.append(number)
        return number

    async def others():
        while len(events) < 8:
            events.append("others")
            await asyncio.sleep(0)

    *decoded, _ = await asyncio.gather(
        *[turns.run(lambda number=number: decode(number)) for number in range(4)], others()
    )

    assert decoded == [0, 1, 2, 3]
    for number in range(3):
        assert "others" in events[events.index(number) : events.index(number + 1)]


@pytest.mark.parametrize(("seconds_of_others", "least"), [(0, 3), (4, 1)])
async def test_work_that_rests_leaves_others_turns_in_a_row_or_their_share_of_time(
    monkeypatch, seconds_of_others, least
):
    events, turns, now = [], LoopTurns(0.5, rest=3), [0.0]
    monkeypatch.setattr(loop_turns, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def pass_by(event, seconds):
        events.append(event)
        now[0] += seconds

    async def others():
        while events.count("image") < 3:
            pass_by("others", seconds_of_others)
            await asyncio.sleep(0)

    await asyncio.gather(*[turns.run(lambda: pass_by("image", 1)) for _ in range(3)], others())

    first, second, third = (place for place, event in enumerate(events) if event == "image")
    between = {second - first - 1, third - second - 1}
    assert between <= {least, least + 1}


async def test_an_error_is_the_callers_and_who_left_is_not_decoded():
    turns, decoded = LoopTurns(decoders.TURN_SECONDS), []

    def fail():
        raise ValueError("no image")

    gone = asyncio.create_task(turns.run(lambda: decoded.append("gone")))
    await asyncio.sleep(0)
    failing = asyncio.create_task(turns.run(fail))
    gone.cancel()

    with pytest.raises(ValueError, match="no image"):
        await failing
    assert decoded == []
    assert not turns.is_over


async def test_no_more_images_are_decoded_than_there_are_places(tmp_path, monkeypatch, png):
    monkeypatch.setattr(decoders, "TURN_SECONDS", 1e-9)
    write_version(tmp_path)
    engine, opened = FakeEngine(), []
    run = LoopTurns.run

    async def count(self, function):
        opened.append(function)
        return await run(self, function)

    monkeypatch.setattr(LoopTurns, "run", count)
    async with in_process(Settings(models=tmp_path, queue_size=4), engine) as client:
        engine.gate.clear()
        asking = [
            asyncio.create_task(client.post("/v1/digits/classify", content=png()))
            for _ in range(20)
        ]
        await until_waiting(client, 4)
        engine.gate.set()
        statuses = [(await one).status_code for one in asking]

    assert statuses.count(429) == 16
    assert len(opened) < 4
