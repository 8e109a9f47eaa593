"""What the continuous batcher promises to each sequence."""

import asyncio
import threading
import time

import numpy as np
import pytest

from service.errors import InternalError
from service.scheduling.continuous_batcher import ContinuousBatcher, DecodingSequence
from service.scheduling.lane import thread_lane
from service.scheduling.run_cost import RETRIED_AFTER, RunCost
from tests.waiting import until

pytestmark = pytest.mark.anyio
WIDTH, CHUNK = 4, 16


class Counter(DecodingSequence):
    """Counts up to a number, one a step."""

    signature = "count"

    def __init__(self, steps, chunk=CHUNK, signature="count"):
        super().__init__(steps, chunk)
        self.signature = signature
        self.count = np.float32(0)
        self.chunks = []
        self.stop_at = None

    def inputs(self, steps):
        return {"count": self.count, "lengths": np.int32(steps)}

    def consume_outputs(self, outputs, steps):
        self.count = outputs["count"]
        self.chunks.append(steps)
        self.left = 0 if self.stop_at and self.count >= self.stop_at else self.left - steps


class Engine:
    """Adds lengths to counts; waits at its gate, and fails where a count is 13."""

    def __init__(self):
        self.entered = 0
        self.runs = []
        self.seconds = 0.0  # of each run
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, signature, inputs):
        self.entered += 1
        self.gate.wait(120)
        time.sleep(self.seconds)
        self.runs.append((signature, inputs["lengths"].tolist()))
        if 13 in inputs["count"]:
            raise ValueError("thirteen")
        return {"count": inputs["count"] + inputs["lengths"]}


@pytest.fixture
def engine():
    return Engine()


@pytest.fixture
def rounds():
    return []


@pytest.fixture
def costs():
    return {"count": RunCost()}


@pytest.fixture
def batcher(engine, costs, rounds):
    lane = thread_lane("test", is_heavy=True)
    with lane.executor:
        yield ContinuousBatcher(engine, lane, WIDTH, CHUNK, costs, rounds.append)
        engine.gate.set()


async def finish(batcher, *sequences):
    for sequence in sequences:
        batcher.add(sequence)
    await asyncio.gather(*(sequence.done for sequence in sequences))


async def finish_while_the_loop_is_busy(batcher, engine, sequences):
    """The event loop gets no turn until two rounds have run."""
    engine.gate.clear()
    for sequence in sequences:
        batcher.add(sequence)
    await until(lambda: engine.entered)
    engine.gate.set()
    while len(engine.runs) < 2:
        time.sleep(0.001)  # noqa: ASYNC251 - that is what is tested
    await asyncio.gather(*(sequence.done for sequence in sequences))


async def test_a_sequence_takes_exactly_its_steps(batcher, engine):
    sequence = Counter(40)
    await finish(batcher, sequence)

    assert sequence.count == 40
    assert engine.runs == [("count", [14]), ("count", [13]), ("count", [13])]
    assert sequence.batch_size == 1


async def test_one_without_steps_is_done_at_once(batcher, engine):
    await finish(batcher, Counter(0))

    assert engine.runs == []


async def test_sequences_join_and_leave_between_chunks(batcher, engine):
    long, short = Counter(64), Counter(16)
    engine.gate.clear()
    batcher.add(long)
    await until(lambda: engine.entered)
    batcher.add(short)
    engine.gate.set()
    await asyncio.gather(long.done, short.done)

    assert [lengths for _, lengths in engine.runs] == [[16], [16, 16], [16], [16]]


async def test_only_the_first_chunk_is_short(batcher):
    stream = Counter(50, chunk=1)
    await finish(batcher, stream)

    assert stream.chunks == [1, 13, 12, 12, 12]


async def test_a_newcomer_is_not_kept_by_those_who_run(batcher, engine):
    engine.gate.clear()
    old = [Counter(10_000) for _ in range(40)]
    for sequence in old:
        batcher.add(sequence)
    engine.gate.set()
    await until(lambda: len(engine.runs) >= 20)
    before = len(engine.runs)
    newcomer = Counter(1, chunk=1)
    batcher.add(newcomer)
    await newcomer.done

    assert len(engine.runs) - before <= 4
    for sequence in old:
        sequence.done.cancel()


async def test_newcomers_do_not_starve_those_who_run(batcher, engine):
    old = Counter(160)
    batcher.add(old)

    async def keep_coming():
        while not old.done.done():
            for _ in range(8):
                batcher.add(Counter(3, signature="other"))
            await asyncio.sleep(0)

    await keep_coming()

    assert old.count == 160


async def test_a_full_round_is_there_when_the_one_before_ends(batcher, engine):
    await finish_while_the_loop_is_busy(batcher, engine, [Counter(160) for _ in range(2 * WIDTH)])
    assert {len(lengths) for _, lengths in engine.runs} == {WIDTH}


async def test_the_least_recently_served_come_first(batcher):
    served = []

    class Noted(Counter):
        def consume_outputs(self, outputs, steps):
            super().consume_outputs(outputs, steps)
            served.append(self)

    await finish(batcher, *(Noted(160) for _ in range(10)))
    seen = [len(set(served[:n])) for n in range(len(served))]
    settled = served[seen.index(10) : -40]

    assert all(len(set(settled[i : i + 10])) == 10 for i in range(len(settled) - 10))


async def test_a_round_runs_one_signature(batcher, engine):
    await finish(batcher, *(Counter(32, signature=s) for s in "abab"))

    assert {signature for signature, _ in engine.runs} == {"a", "b"}
    assert sorted(len(lengths) for _, lengths in engine.runs) == [2, 2, 2, 2]


async def test_a_cancelled_sequence_is_not_in_the_next_round(batcher, engine):
    gone, stays = Counter(1000), Counter(48)
    engine.gate.clear()
    batcher.add(gone)
    batcher.add(stays)
    await until(lambda: engine.entered)
    gone.done.cancel()
    engine.gate.set()
    await stays.done

    assert [len(lengths) for _, lengths in engine.runs] == [2, 1, 1]
    assert gone.chunks == []


async def test_a_sequence_may_end_before_its_steps(batcher, engine):
    sequence = Counter(1000)
    sequence.stop_at = 20
    await finish(batcher, sequence)

    assert sequence.count == 32
    assert len(engine.runs) == 2


async def test_a_bad_sequence_fails_alone(batcher):
    good, bad = Counter(40), Counter(40)
    bad.count = np.float32(13)
    batcher.add(good)
    batcher.add(bad)
    results = await asyncio.gather(good.done, bad.done, return_exceptions=True)

    assert good.count == 40
    assert isinstance(results[1], InternalError)
    assert isinstance(results[1].__cause__, ValueError)


async def test_an_answer_that_cannot_be_read_fails_its_sequence_alone(batcher):
    class Picky(Counter):
        def consume_outputs(self, outputs, steps):
            raise IndexError("no such token")

    good, bad = Counter(40), Picky(40)
    batcher.add(good)
    batcher.add(bad)
    results = await asyncio.gather(good.done, bad.done, return_exceptions=True)

    assert good.count == 40
    assert isinstance(results[1], InternalError)


async def test_whole_chunks_tell_what_a_step_costs(batcher, costs):
    await finish(batcher, Counter(CHUNK // 2 + 1, chunk=1))
    assert costs["count"].seconds(1) == 0

    await finish(batcher, Counter(CHUNK))
    assert costs["count"].seconds(1, steps=CHUNK) > 0


async def test_two_rounds_that_a_busy_event_loop_hears_of_at_once_each_took_their_time(
    engine, batcher, rounds
):
    engine.seconds = 0.02
    await finish_while_the_loop_is_busy(batcher, engine, [Counter(CHUNK) for _ in range(2 * WIDTH)])
    assert [done.rows for done in rounds] == [WIDTH, WIDTH]
    assert all(done.seconds >= engine.seconds for done in rounds)


async def test_a_size_that_was_measured_in_a_bad_moment_is_tried_again(batcher, engine, costs):
    costs["count"].pad_to([2, WIDTH])
    costs["count"].learn(2, 1.0)
    costs["count"].learn(WIDTH, 1000.0)  # another process ran

    rounds = 2 * RETRIED_AFTER // WIDTH + 2
    await finish(batcher, *(Counter(CHUNK * rounds) for _ in range(WIDTH)))

    rows = [len(lengths) for _, lengths in engine.runs]
    assert rows[: RETRIED_AFTER + 1] == [2] * (RETRIED_AFTER + 1)
    assert rows[RETRIED_AFTER + 1] == WIDTH


async def test_short_rounds_do_not_try_a_size_for_ever(batcher, engine, costs):
    costs["count"].pad_to([2, WIDTH])
    costs["count"].learn(2, 1.0)
    costs["count"].learn(WIDTH, 1000.0)
    for _ in range(RETRIED_AFTER + 1):
        costs["count"].count(2)

    await finish(batcher, *(Counter(CHUNK // 2) for _ in range(4 * WIDTH)))

    rows = [len(lengths) for _, lengths in engine.runs]
    assert rows[0] == WIDTH
    assert set(rows[2:]) == {2}  # the second one may have been there before the first was over


async def test_a_round_that_cannot_be_counted_is_delivered(engine):
    def fail(_):
        raise ZeroDivisionError

    lane = thread_lane("test", is_heavy=False)
    with lane.executor:
        batcher = ContinuousBatcher(engine, lane, WIDTH, CHUNK, on_step=fail)
        sequence = Counter(40)
        await finish(batcher, sequence)

    assert sequence.count == 40


async def test_parallel_runs_share_the_sequences():
    together = threading.Barrier(2, timeout=120)  # broken unless two rounds are under way
    rows = []

    def run(_, inputs):
        together.wait()
        rows.append(len(inputs["count"]))
        return {"count": inputs["count"] + inputs["lengths"]}

    lane = thread_lane("test", is_heavy=False, parallel_runs=2)
    with lane.executor:
        batcher = ContinuousBatcher(run, lane, WIDTH, CHUNK)
        sequences = [Counter(3 * CHUNK) for _ in range(4)]
        await finish(batcher, *sequences)

    assert rows == [2] * 6
    assert [sequence.count for sequence in sequences] == [3 * CHUNK] * 4


async def test_rounds_are_reported(batcher, rounds):
    await finish(batcher, Counter(20), Counter(3))

    assert [(r.signature, r.rows, r.steps) for r in rounds] == [("count", 2, 13), ("count", 1, 10)]
