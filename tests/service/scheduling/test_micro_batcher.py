"""What the micro-batcher promises to each caller."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.errors import DeadlineExceeded, InternalError
from service.scheduling.micro_batcher import MicroBatcher

pytestmark = pytest.mark.anyio


class Doubler:
    """Doubles x; waits at its gate; fails on batches that hold a 13."""

    def __init__(self):
        self.batches = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, inputs):
        self.gate.wait(10)
        self.batches.append(len(inputs["x"]))
        if 13 in inputs["x"]:
            raise ValueError("thirteen")
        return {"y": inputs["x"] * 2}


@pytest.fixture
def run():
    return Doubler()


@pytest.fixture
def batcher(run):
    with ThreadPoolExecutor(1) as executor:
        yield MicroBatcher(run, executor, max_batch_size=4)


def rows(*values):
    return {"x": np.array(values)}


def soon(seconds=5.0):
    return time.monotonic() + seconds


async def test_a_lone_request_runs_alone_and_at_once(batcher, run):
    answer = await batcher.submit(rows(21), soon())

    assert answer.outputs["y"].tolist() == [42]
    assert answer.batch_size == 1
    assert run.batches == [1]


async def test_requests_that_wait_run_together_in_order(batcher, run):
    run.gate.clear()
    first = asyncio.create_task(batcher.submit(rows(0), soon()))
    await asyncio.sleep(0.01)
    others = [asyncio.create_task(batcher.submit(rows(n), soon())) for n in (1, 2, 3)]
    await asyncio.sleep(0.01)
    run.gate.set()
    answers = await asyncio.gather(first, *others)

    assert run.batches == [1, 3]
    assert [a.outputs["y"].tolist() for a in answers] == [[0], [2], [4], [6]]
    assert [a.batch_size for a in answers] == [1, 3, 3, 3]


async def test_a_batch_never_exceeds_its_largest_size(batcher, run):
    await asyncio.gather(*(batcher.submit(rows(n, n), soon()) for n in range(9)))

    assert max(run.batches) <= 4
    assert sum(run.batches) == 18


async def test_a_request_larger_than_a_batch_comes_back_whole(batcher, run):
    answer = await batcher.submit(rows(*range(10)), soon())

    assert answer.outputs["y"].tolist() == [2 * n for n in range(10)]
    assert max(run.batches) <= 4


async def test_one_bad_request_fails_alone(batcher, run):
    run.gate.clear()
    waiting = [asyncio.create_task(batcher.submit(rows(n), soon())) for n in (0, 1, 13, 3)]
    await asyncio.sleep(0.01)
    run.gate.set()
    answers = await asyncio.gather(*waiting, return_exceptions=True)

    assert [a.outputs["y"].tolist() for a in answers if not isinstance(a, Exception)] == [
        [0],
        [2],
        [6],
    ]
    assert isinstance(answers[2], InternalError)
    assert isinstance(answers[2].__cause__, ValueError)


async def test_a_request_past_its_deadline_is_told_so_and_never_run(batcher, run):
    run.gate.clear()
    first = asyncio.create_task(batcher.submit(rows(0), soon()))
    await asyncio.sleep(0.01)

    with pytest.raises(DeadlineExceeded, match="X-Timeout-Ms"):
        await batcher.submit(rows(1), soon(0.02))

    run.gate.set()
    await first
    await batcher.submit(rows(2), soon())
    assert run.batches == [1, 1]


async def test_a_cancelled_request_leaves_the_queue(batcher, run):
    run.gate.clear()
    first = asyncio.create_task(batcher.submit(rows(0), soon()))
    await asyncio.sleep(0.01)
    gone = asyncio.create_task(batcher.submit(rows(1), soon()))
    await asyncio.sleep(0.01)
    gone.cancel()
    await asyncio.sleep(0)
    run.gate.set()
    await first
    answer = await batcher.submit(rows(2), soon())

    assert answer.outputs["y"].tolist() == [4]
    assert run.batches == [1, 1]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=20))
def test_every_caller_gets_his_own_rows_whatever_the_sizes(sizes):
    async def scenario():
        with ThreadPoolExecutor(1) as executor:
            batcher = MicroBatcher(Doubler(), executor, max_batch_size=4)
            wanted = [np.arange(size) + 100 * i + 20 for i, size in enumerate(sizes)]
            answers = await asyncio.gather(*(batcher.submit({"x": x}, soon()) for x in wanted))
            for x, answer in zip(wanted, answers, strict=True):
                assert answer.outputs["y"].tolist() == (2 * x).tolist()

    asyncio.run(scenario())


async def test_rows_that_must_not_share_a_run_do_not(run):
    with ThreadPoolExecutor(1) as executor:
        batcher = MicroBatcher(run, executor, max_batch_size=4, is_shared=False)
        inputs = {"x": np.array([1, 2])}
        results = await asyncio.gather(
            *(batcher.submit(inputs, time.monotonic() + 5) for _ in range(3))
        )

    assert run.batches == [2, 2, 2]
    assert [result.batch_size for result in results] == [2, 2, 2]
