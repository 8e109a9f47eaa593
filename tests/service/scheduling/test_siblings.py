"""Parts of one request: all of them, or none goes on."""

import asyncio

import pytest

from service.scheduling.siblings import gather_or_cancel

pytestmark = pytest.mark.anyio


async def _wait(name, ended):
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        ended.append(name)
        raise


async def _fail():
    raise ValueError("no")


async def test_the_siblings_of_a_failed_part_are_cancelled():
    ended = []

    with pytest.raises(ValueError, match="no"):
        await gather_or_cancel(_wait("a", ended), _fail(), _wait("b", ended))
    await asyncio.sleep(0)

    assert ended == ["a", "b"]


async def test_results_come_in_the_order_of_the_parts():
    ended = {number: asyncio.Event() for number in (1, 2, 3, 4)}
    ended[4].set()

    async def give(value):
        await ended[value + 1].wait()  # the last part ends first
        ended[value].set()
        return value

    assert await gather_or_cancel(give(1), give(2), give(3)) == [1, 2, 3]
