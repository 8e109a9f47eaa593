"""What the micro-batcher promises to each caller."""

import asyncio
import contextlib
import itertools
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import DeadlineExceeded, InternalError, Overloaded
from service.scheduling.lane import Lane, thread_lane
from service.scheduling.micro_batcher import MicroBatcher
from service.scheduling.run_cost import RunCost
from tests.waiting import until

pytestmark = pytest.mark.anyio


class Doubler:
    """Doubles x; waits at its gate; fails on batches that hold a 13."""

    def __init__(self):
        self.batches = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, inputs):
        self.gate.wait(120)
        self.batches.append(len(inputs["x"]))
        if 13 in inputs["x"]:
            raise ValueError("thirteen")
        return {"y": inputs["x"] * 2}


@pytest.fixture
def run():
    return Doubler()


@contextlib.contextmanager
def thread():
    lane = thread_lane("test", is_heavy=False)
    with lane.executor:
        yield lane


@pytest.fixture
def batcher(run):
    with thread() as lane:
        yield MicroBatcher(run, lane, max_batch_size=4)
        run.gate.set()


@pytest.fixture
def inline(run):
    return MicroBatcher(run, Lane(), max_batch_size=4)


def rows(*values):
    return {"x": np.array(values)}


def soon(seconds=120.0):
    return time.monotonic() + seconds


async def test_a_lone_request_runs_alone_and_at_once(batcher, run):
    answer = await batcher.submit(rows(21), soon())

    assert answer.outputs["y"].tolist() == [42]
    assert answer.batch_size == 1
    assert run.batches == [1]


async def test_after_a_long_run_answers_leave_one_in_each_turn(batcher, run):
    run.gate.clear()
    tasks = [asyncio.create_task(batcher.submit(rows(n), soon())) for n in range(4)]
    await until(lambda: batcher._running)
    time.sleep(0.02)  # noqa: ASYNC251 the run takes long
    run.gate.set()
    done = [0]
    while done[-1] < 4:
        await asyncio.sleep(0)
        done.append(sum(task.done() for task in tasks))

    assert run.batches == [4]
    assert {after - before for before, after in itertools.pairwise(done)} == {0, 1}


async def test_requests_that_wait_run_together_in_order(batcher, run):
    run.gate.clear()
    first = asyncio.create_task(batcher.submit(rows(0), soon()))
    await until(lambda: batcher._running)
    others = [asyncio.create_task(batcher.submit(rows(n), soon())) for n in (1, 2, 3)]
    await until(lambda: len(batcher._queue) == 3)
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
    await until(lambda: batcher._running)
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
    await until(lambda: batcher._running)

    with pytest.raises(DeadlineExceeded, match="X-Timeout-Ms"):
        await batcher.submit(rows(1), soon(0.02))

    run.gate.set()
    await first
    await batcher.submit(rows(2), soon())
    assert run.batches == [1, 1]


async def test_a_cancelled_request_leaves_the_queue(batcher, run):
    run.gate.clear()
    first = asyncio.create_task(batcher.submit(rows(0), soon()))
    await until(lambda: batcher._running)
    gone = asyncio.create_task(batcher.submit(rows(1), soon()))
    await until(lambda: batcher._queue)
    gone.cancel()
    await asyncio.sleep(0)
    run.gate.set()
    await first
    answer = await batcher.submit(rows(2), soon())

    assert answer.outputs["y"].tolist() == [4]
    assert run.batches == [1, 1]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=20))
def test_every_caller_gets_his_own_rows_whatever_the_sizes(sizes):
    async def scenario():
        with thread() as lane:
            batcher = MicroBatcher(Doubler(), lane, max_batch_size=4)
            wanted = [np.arange(size) + 100 * i + 20 for i, size in enumerate(sizes)]
            answers = await asyncio.gather(*(batcher.submit({"x": x}, soon()) for x in wanted))
            for x, answer in zip(wanted, answers, strict=True):
                assert answer.outputs["y"].tolist() == (2 * x).tolist()

    asyncio.run(scenario())


async def test_rows_that_must_not_share_a_run_do_not(run):
    with thread() as lane:
        batcher = MicroBatcher(run, lane, max_batch_size=4, batch_across_requests=False)
        inputs = {"x": np.array([1, 2])}
        results = await asyncio.gather(*(batcher.submit(inputs, soon()) for _ in range(3)))

    assert run.batches == [2, 2, 2]
    assert [result.batch_size for result in results] == [2, 2, 2]


async def test_on_the_event_loop_what_was_submitted_in_one_tick_runs_together(inline, run):
    answers = await asyncio.gather(*(inline.submit(rows(n), soon()) for n in range(6)))

    assert [a.outputs["y"].tolist() for a in answers] == [[2 * n] for n in range(6)]
    assert run.batches == [4, 2]


async def test_on_the_event_loop_one_bad_request_fails_alone(inline):
    answers = await asyncio.gather(
        *(inline.submit(rows(n), soon()) for n in (0, 13, 2)), return_exceptions=True
    )

    assert [a.outputs["y"].tolist() for a in (answers[0], answers[2])] == [[0], [4]]
    assert isinstance(answers[1], InternalError)


async def test_on_the_event_loop_the_late_are_told_so_and_never_run(inline, run):
    with pytest.raises(DeadlineExceeded):
        await inline.submit(rows(1), time.monotonic() - 1)

    assert run.batches == []


@pytest.mark.parametrize(
    ("seconds", "shared", "in_one_turn"), [(0.0, True, 3), (1.0, True, 1), (0.0, False, 1)]
)
async def test_a_turn_of_the_event_loop_runs_the_batches_it_has_time_for(
    run, monkeypatch, seconds, shared, in_one_turn
):
    monkeypatch.setattr("service.scheduling.micro_batcher.TICK_SECONDS", 0.5)
    cost = RunCost()
    monkeypatch.setattr(cost, "seconds", lambda *_: seconds)
    batcher = MicroBatcher(run, Lane(), 4, cost, batch_across_requests=shared)
    asking = [asyncio.create_task(batcher.submit(rows(*range(4)), soon())) for _ in range(3)]
    await asyncio.sleep(0)  # they wait now
    batcher._tick.cancel()
    batcher._run_tick()

    assert len(run.batches) == in_one_turn
    await asyncio.gather(*asking)


async def test_answers_are_delivered_even_if_counting_them_fails(run):
    def fail(_):
        raise ZeroDivisionError

    with thread() as lane:
        for batcher in (MicroBatcher(run, one, 4, on_batch=fail) for one in (lane, Lane())):
            for n in (1, 2):
                answer = await batcher.submit(rows(n), soon())
                assert answer.outputs["y"].tolist() == [2 * n]


async def test_the_rest_of_a_large_request_is_dropped_when_its_client_leaves(batcher, run):
    run.gate.clear()
    large = asyncio.create_task(batcher.submit(rows(*range(40)), soon()))
    await until(lambda: batcher._running)
    large.cancel()
    await asyncio.gather(large, return_exceptions=True)
    run.gate.set()
    await batcher.submit(rows(50), soon())

    assert run.batches == [4, 1]
    assert batcher.seconds_ahead() == 0


async def test_parts_of_a_large_request_do_not_run_after_one_of_them_failed(batcher, run):
    with pytest.raises(InternalError):
        await batcher.submit(rows(13, *range(20, 59)), soon())
    await batcher.submit(rows(50), soon())

    assert len(run.batches) <= 4


async def test_others_pass_between_the_rows_of_one_client(batcher, run):
    await batcher.submit(rows(0), soon())  # so that it is known what a run costs
    run.gate.clear()
    done = []

    async def ask(name, values):
        await batcher.submit(rows(*values), soon(), client=name)
        done.append(name)

    tasks = [asyncio.create_task(ask("large", range(20, 60)))]
    await until(lambda: batcher._running)
    behind = len(batcher._queue)
    tasks += [asyncio.create_task(ask(name, [100, 101, 102])) for name in ("a", "b")]
    await until(lambda: len(batcher._queue) == behind + 2)
    run.gate.set()
    await asyncio.gather(*tasks)

    assert done[-1] == "large"


async def test_what_waits_is_known_in_seconds(batcher, run):
    batcher._cost.learn(1, 1_000.0)
    batcher._cost.learn(4, 2_000.0)
    run.gate.clear()
    tasks = [asyncio.create_task(batcher.submit(rows(n), soon())) for n in (1, 2, 3, 4)]
    await until(lambda: batcher._running)
    late = [asyncio.create_task(batcher.submit(rows(n), soon())) for n in (5, 6)]
    await until(lambda: len(batcher._queue) == 2)

    assert batcher.seconds_ahead() == pytest.approx(2 * 500 + 2_000, abs=200)
    assert batcher.estimate(9) == pytest.approx(2_000 + 2_000 + 1_000)

    run.gate.set()
    await asyncio.gather(*tasks, *late)
    assert batcher.seconds_ahead() == pytest.approx(0)


def two_at_once():
    """An engine that answers only while two of its runs are under way, and the rows of each run."""
    together = threading.Barrier(2, timeout=120)  # broken unless two runs are under way
    batches = []

    def run(inputs):
        together.wait()
        batches.append(len(inputs["x"]))
        return {"y": inputs["x"] * 2}

    return run, batches


async def test_parallel_runs_share_what_waits():
    run, batches = two_at_once()
    lane = thread_lane("test", is_heavy=False, parallel_runs=2)
    with lane.executor:
        batcher = MicroBatcher(run, lane, max_batch_size=8)
        answers = await asyncio.gather(*(batcher.submit(rows(n), soon()) for n in range(8)))

    assert batches == [4, 4]
    assert [answer.outputs["y"].tolist() for answer in answers] == [[2 * n] for n in range(8)]
    assert lane.seconds_ahead() == 0


async def test_heavy_parallel_runs_leave_rows_for_the_next_run(run):
    run.gate.clear()
    lane = thread_lane("test", is_heavy=True, parallel_runs=2)
    with lane.executor:
        batcher = MicroBatcher(run, lane, max_batch_size=8)
        answers = [asyncio.create_task(batcher.submit(rows(n), soon())) for n in range(8)]
        await until(lambda: len(lane.expected_ends) == 2)
        run.gate.set()
        results = await asyncio.gather(*answers)

    assert sorted(run.batches) == [1, 1, 2, 4]  # half of 8, of 4 and of 2
    assert [each.outputs["y"].tolist() for each in results] == [[2 * n] for n in range(8)]
    assert lane.seconds_ahead() == 0


async def test_a_run_behind_another_waits_for_a_full_batch(run):
    run.gate.clear()
    lane = thread_lane("test", is_heavy=False, parallel_runs=2, eager_runs=1)
    with lane.executor:
        batcher = MicroBatcher(run, lane, max_batch_size=4)
        answers = [asyncio.create_task(batcher.submit(rows(0), soon()))]
        await until(lambda: len(lane.expected_ends) == 1)
        answers += [asyncio.create_task(batcher.submit(rows(n), soon())) for n in (1, 2, 3)]
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(lane.expected_ends) == 1
        answers += [asyncio.create_task(batcher.submit(rows(n), soon())) for n in (4, 5)]
        await until(lambda: len(lane.expected_ends) == 2)
        run.gate.set()
        results = await asyncio.gather(*answers)

    assert sorted(run.batches) == [1, 1, 4]
    assert [each.outputs["y"].tolist() for each in results] == [[2 * n] for n in range(6)]
    assert lane.seconds_ahead() == 0


async def test_a_large_request_is_shared_by_parallel_runs():
    run, batches = two_at_once()
    lane = thread_lane("test", is_heavy=False, parallel_runs=2)
    with lane.executor:
        batcher = MicroBatcher(run, lane, max_batch_size=8)
        answer = await batcher.submit(rows(*range(8)), soon())

    assert batches == [4, 4]
    assert answer.outputs["y"].tolist() == [2 * n for n in range(8)]


async def test_a_busy_engine_is_asked_once_and_its_refusal_reaches_every_caller():
    runs = []

    def run(inputs):
        runs.append(len(inputs["x"]))
        raise Overloaded("every replica is busy", 3)

    with thread() as lane:
        batcher = MicroBatcher(run, lane, max_batch_size=4)
        answers = await asyncio.gather(
            *(batcher.submit(rows(n), soon()) for n in range(4)), return_exceptions=True
        )

    assert runs == [4]
    assert [answer.retry_after_seconds for answer in answers] == [3] * 4
