import asyncio
import sys

import pytest

from vitrine_client._transport.sync_async import Sync, run


async def at_once(value):
    return value


async def given(values, closed):
    try:
        for value in values:
            yield await at_once(value)
    finally:
        closed.append(True)


def test_a_coroutine_that_never_suspends_runs_without_a_loop():
    assert run(at_once(7)) == 7


def test_one_that_suspends_is_a_mistake():
    sleeping = asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="must not suspend"):
        run(sleeping)
    sleeping.close()


def test_an_error_comes_through():
    async def fails():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        run(fails())


def test_a_generator_is_read_to_its_end_and_closed():
    closed = []

    assert list(Sync.iterate(given([1, 2], closed))) == [1, 2]
    assert closed == [True]


@pytest.mark.parametrize("leave", ["close", "forget"])
def test_a_generator_that_is_left_is_closed(leave):
    closed = []
    values = Sync.iterate(given([1, 2], closed))
    assert next(values) == 1
    if leave == "close":
        values.close()
    else:
        del values

    assert closed == [True]


def test_nothing_is_left_to_a_loop_that_runs():
    """A notebook has one, which takes care of asynchronous generators that were never closed."""
    closed = []

    async def cell():
        for value in Sync.iterate(given([1, 2], closed)):
            assert value == 1
            break
        assert closed == [True]
        assert sys.get_asyncgen_hooks().finalizer is not None

    asyncio.run(cell())
