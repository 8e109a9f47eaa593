"""Continuous batching: sequences join and leave between the chunks of a run.

Each round takes up to as many sequences as fit into a batch and advances each by a chunk. Knows
arrays and a function to run them, neither models nor text. Used on the event loop; the function
runs on the lane it was given, one round at a time.
"""

import asyncio
import logging
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple, cast

import numpy as np

from service.engine import Arrays
from service.errors import InternalError, VitrineError
from service.scheduling.lane import Lane
from service.scheduling.run_cost import RunCost
from service.scheduling.urgency import choose_rows

# What a round makes possible (a seed is read, the first characters can be drawn) comes back to the
# queue within so many passes of the event loop.
QUIET_PASSES = 3

Run = Callable[[str, Arrays], dict[str, np.ndarray]]
Row = Mapping[str, np.ndarray | np.generic]
Outcome = dict[str, np.ndarray] | Exception

UNKNOWN = RunCost()

log = logging.getLogger("vitrine.batcher")


class DecodingSequence(ABC):
    """One row of a batch, from its first round to its last. Made and used on the event loop.

    signature: the signature of its next round.
    left: remaining steps; the sequence is done at 0.
    chunk: maximum steps of its first round; a small one gives the first result sooner.
    deadline: monotonic seconds, after which it is dropped.
    done: resolved when nothing is left, fails with the run; cancel it to leave before the next round.
    """

    signature: str

    def __init__(self, left: int, chunk: int) -> None:
        self.left = left
        self.chunk = chunk
        self.deadline = math.inf
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.first_run_at = 0.0  # monotonic seconds; 0: it has not run yet
        self.batch_size = 0  # rows of the largest round it was in

    @property
    def is_new(self) -> bool:
        """True until its first round has finished."""
        return not self.first_run_at

    @abstractmethod
    def inputs(self, steps: int) -> Row:
        """This row of each input for the next `steps`, padded to the signature's width.

        Called on the lane's thread, while the event loop does not use the sequence.
        """

    @abstractmethod
    def consume_outputs(self, outputs: Arrays, steps: int) -> None:
        """Store this row of each output after `steps`, and reduce `left`."""


class Step(NamedTuple):
    """The statistics of one round."""

    signature: str
    rows: int
    steps: int  # of all rows together
    seconds: float


class ContinuousBatcher:
    """Runs rounds while any sequence has steps left.

    While a round runs, a full next one already waits for the lane, which then does not stand still while
    the event loop delivers the first and has other things to do.
    """

    def __init__(
        self,
        run: Run,
        lane: Lane,
        width: int,
        largest_chunk: int,
        costs: Mapping[str, RunCost] = MappingProxyType({}),
        on_step: Callable[[Step], None] = lambda _: None,
    ) -> None:
        """costs: of the signatures; updated with every full chunk."""
        self.largest_chunk = largest_chunk
        self._run = run
        self._lane = lane
        self._width = width
        self._on_step = on_step
        self._queue: list[DecodingSequence] = []  # least recently served first
        self._is_turn_of_new = True
        self._workers: set[asyncio.Task[None]] = set()  # each has one round under way at a time
        self._under_way: list[list[DecodingSequence]] = []  # batches
        self._ended = 0.0  # monotonic seconds: the last round
        self._costs = costs

    def add(self, sequence: DecodingSequence) -> None:
        """Add a sequence; its `done` is set when it has finished."""
        if not sequence.left:
            sequence.done.set_result(None)
            return
        self._enqueue(sequence)

    def _enqueue(self, sequence: DecodingSequence) -> None:
        self._queue.append(sequence)
        free = self._lane.parallel_runs - len(self._workers)
        if free > 0 or (free == 0 and len(self._queue) >= self._width):
            self._workers.add(asyncio.create_task(self._work()))

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            started = time.monotonic()
            await self._yield_until_idle()
            while batch := self._take():
                steps = min(self.largest_chunk, *(sequence.chunk for sequence in batch))
                self._under_way.append(batch)
                try:
                    outcomes, run_seconds = await loop.run_in_executor(
                        self._lane.executor, self._run_timed, batch, steps
                    )
                finally:
                    self._under_way.remove(batch)
                if self._lane.parallel_runs == 1:  # it may have waited for the one before
                    started = max(started, self._ended)
                self._ended = time.monotonic()
                # A busy event loop hears of two rounds at once: the second did not take the time between the two.
                seconds = max(run_seconds, self._ended - started)
                self._deliver(batch, outcomes, steps, seconds)
                started = self._ended  # what passes between two rounds is the next one's time
                await self._yield_until_idle()
        finally:
            self._workers.discard(cast(asyncio.Task[None], asyncio.current_task()))

    async def _yield_until_idle(self) -> None:
        """Yield to the event loop's ready callbacks, unless a full batch is queued."""
        for _ in range(QUIET_PASSES):
            if len(self._queue) >= self._width:
                return
            await asyncio.sleep(0)

    def _take(self) -> list[DecodingSequence]:
        """The sequences of the next round; new and running ones alternate in priority.

        The first one selects the signature; sequences of the same signature join while there is room, the
        most urgent ones where not all can be in time. Rounds that could start now share them.
        """
        self._queue = [sequence for sequence in self._queue if not sequence.done.done()]
        if not self._queue:
            return []
        new_first = self._is_turn_of_new
        ordered = sorted(self._queue, key=lambda sequence: sequence.is_new is not new_first)
        signature = ordered[0].signature
        able = [s for s in ordered if s.signature == signature]
        idle = self._lane.parallel_runs - len(self._under_way)
        width = min(self._width, math.ceil(len(able) / max(1, min(idle, len(self._workers)))))
        running = sum(one.left for batch in self._under_way for one in batch)
        cost, now = self._costs.get(signature, UNKNOWN), time.monotonic()
        again = cost.size_to_retry(min(width, len(able)))
        batch = able[:again] or choose_rows(able, width, cost.seconds, now, running)
        if idle <= 0 and len(batch) < self._width:
            return []
        self._is_turn_of_new = not new_first
        chosen = set(batch)
        self._queue = [sequence for sequence in self._queue if sequence not in chosen]
        return list(batch)

    def _run_timed(self, batch: list[DecodingSequence], steps: int) -> tuple[list[Outcome], float]:
        """The outcomes, and the seconds on the lane's thread."""
        began = time.monotonic()
        outcomes = self._run_step(batch, steps)
        return outcomes, time.monotonic() - began

    def _run_step(self, batch: list[DecodingSequence], steps: int) -> list[Outcome]:
        """One outcome for each; if the run fails, each is retried alone so that only invalid ones fail."""
        try:
            rows = [sequence.inputs(_chunk_of(sequence, steps)) for sequence in batch]
            inputs = {name: np.array([row[name] for row in rows]) for name in rows[0]}
            outputs = self._run(batch[0].signature, inputs)
        except VitrineError as error:  # of the engine, not of any sequence
            return [error] * len(batch)
        except Exception as error:  # noqa: BLE001 - engines raise what they like
            if len(batch) == 1:
                return [error]
            return [outcome for one in batch for outcome in self._run_step([one], steps)]
        return [{name: a[lane] for name, a in outputs.items()} for lane in range(len(batch))]

    def _deliver(
        self, batch: list[DecodingSequence], outcomes: list[Outcome], steps: int, seconds: float
    ) -> None:
        started = self._ended - seconds
        taken = furthest = 0
        for sequence, outcome in zip(batch, outcomes, strict=True):
            if sequence.done.done():
                continue
            sequence.first_run_at = sequence.first_run_at or started
            sequence.batch_size = max(sequence.batch_size, len(batch))
            sequence.chunk = self.largest_chunk
            advance = _chunk_of(sequence, steps)
            taken += advance
            furthest = max(furthest, advance)
            _hand_over(sequence, outcome, advance)
            if not sequence.done.done():
                self._enqueue(sequence)
        try:
            self._record(Step(batch[0].signature, len(batch), taken, seconds), furthest)
        except Exception:
            log.exception("a round could not be counted")

    def _record(self, done: Step, steps: int) -> None:
        """Record the cost of long chunks; in short ones the fixed cost of a run would be counted as steps."""
        if cost := self._costs.get(done.signature):
            if steps > self.largest_chunk // 2:
                cost.record(done.rows, done.seconds, steps)
            else:
                cost.count(done.rows)
        self._on_step(done)


def _chunk_of(sequence: DecodingSequence, most: int) -> int:
    """The steps of its next round: a round takes as long as its longest chunk, so 400 are 7 of 58, not 6 of 64 and 16."""
    rounds = math.ceil(sequence.left / most)
    return math.ceil(sequence.left / rounds)


def _hand_over(sequence: DecodingSequence, outcome: Outcome, steps: int) -> None:
    """Give a sequence its outcome; an error affects only this sequence."""
    try:
        if isinstance(outcome, Exception):
            raise outcome
        sequence.consume_outputs(outcome, steps)
    except VitrineError as error:
        sequence.done.set_exception(error)
        sequence.done.exception()
    except Exception as error:  # noqa: BLE001 - the engine's, or an output that cannot be read
        failure = InternalError("The model failed on this input; the log has the cause.")
        failure.__cause__ = error
        sequence.done.set_exception(failure)
        sequence.done.exception()  # it is known, even if nobody asks any more
    else:
        if not sequence.left:
            sequence.done.set_result(None)
