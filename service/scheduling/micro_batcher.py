"""Dynamic batching: runs all queued requests together, without a wait window.

Takes named arrays and a function to run them. Used on the event loop; the function runs on the
given lane, one batch at a time: on its thread, or on the event loop itself.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Coroutine, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

import numpy as np

from service.engine import Arrays
from service.errors import DeadlineExceeded, InternalError, VitrineError
from service.scheduling.fair_queue import FairQueue
from service.scheduling.lane import Lane
from service.scheduling.run_cost import RunCost
from service.scheduling.siblings import gather_or_cancel

# From a request's bytes to its place in the queue the event loop passes three times: it reads,
# starts a task, and that decodes. Measured: docs/decisions/0003.
QUIET_PASSES = 3
TICK_SECONDS = 0.004  # that batches on the event loop may hold it up in one turn
SHARED_ROWS = 8  # of one request, from which on parallel runs share them

Run = Callable[[Arrays], dict[str, np.ndarray]]
Outcome = dict[str, np.ndarray] | BaseException

log = logging.getLogger("vitrine.batcher")


class BatchResult(NamedTuple):
    """The result for one caller: its rows of the outputs, batch size and timings."""

    outputs: dict[str, np.ndarray]
    batch_size: int  # rows of the largest run that the caller's rows were in
    queue_seconds: float
    run_seconds: float


class Batch(NamedTuple):
    """The statistics of one run."""

    requests: int
    rows: int
    seconds: float


class _PendingRequest:
    """Rows of one caller that are queued or running."""

    __slots__ = (
        "client", "cost", "deadline", "future", "hurry_at", "inputs", "is_taken", "rows", "since", "steps",
    )  # fmt: skip

    def __init__(
        self, inputs: Arrays, rows: int, deadline: float, client: Hashable, steps: int
    ) -> None:
        self.inputs = inputs
        self.rows = rows
        self.steps = steps
        self.client = client
        self.since = time.monotonic()
        self.deadline = deadline
        self.hurry_at = (self.since + deadline) / 2
        self.cost = 0.0  # seconds that it adds to the queue
        self.is_taken = False
        self.future: asyncio.Future[BatchResult] = asyncio.get_running_loop().create_future()


class MicroBatcher:
    """Runs `run` on up to `max_batch_size` queued rows, whenever it is free."""

    def __init__(
        self,
        run: Run,
        lane: Lane,
        max_batch_size: int,
        cost: RunCost | None = None,
        on_batch: Callable[[Batch], None] = lambda _: None,
        *,
        batch_across_requests: bool = True,
    ) -> None:
        """batch_across_requests: whether rows of different callers may run together.

        A row's last bits can depend on the batch size. If the same request must always give the
        same bytes, each caller's rows run alone.
        """
        self._batch_across_requests = batch_across_requests
        self._run = run
        self._lane = lane
        self._cost = cost or RunCost()
        self.max_batch_size = max_batch_size
        self._on_batch = on_batch
        self._queue: FairQueue[_PendingRequest] = FairQueue()
        self._workers: set[asyncio.Task[None]] = set()  # each has one run under way at a time
        self._running = 0
        self._tick: asyncio.Handle | None = None

    def seconds_ahead(self) -> float:
        """Estimated duration of the lane's queued work."""
        return self._lane.seconds_ahead()

    def estimate(self, rows: int) -> float:
        """Estimated duration of a run of that many rows."""
        whole, rest = divmod(rows, self.max_batch_size)
        cost = self._cost
        return whole * cost.seconds(self.max_batch_size) + (cost.seconds(rest) if rest else 0.0)

    def submit(
        self, inputs: Arrays, deadline: float, client: Hashable = None, steps: int = 1
    ) -> Coroutine[Any, Any, BatchResult]:
        """Wait for the outputs of `inputs` [B, …], any B ≥ 1; deadline in monotonic seconds.

        client: the client for fair queuing.
        steps: number of steps of the run, if its inputs define it.
        Raises DeadlineExceeded, or InternalError if the run fails on these rows alone.
        """
        size, rows = self.max_batch_size, _rows_of(inputs)
        if self._lane.eager_runs > 1 and rows >= SHARED_ROWS and self._batch_across_requests:
            size = min(size, math.ceil(rows / self._lane.eager_runs))
        if rows <= size:
            return self._wait(_PendingRequest(inputs, rows, deadline, client, steps))
        parts = [
            _PendingRequest(part, _rows_of(part), deadline, client, steps)
            for part in _split(inputs, size)
        ]
        return _join([self._wait(part) for part in parts])

    async def _wait(self, pending: _PendingRequest) -> BatchResult:
        loop = asyncio.get_running_loop()
        pending.cost = self._share(pending)
        self._queue.push(pending)
        self._lane.queued_seconds += pending.cost
        if self._lane.executor is None:
            self._schedule_tick(loop)
            timer = None  # it runs within milliseconds; what is late then is told so
        else:
            if len(self._workers) < self._lane.parallel_runs and self._may_start():
                self._workers.add(asyncio.create_task(self._work()))
            timer = loop.call_later(pending.deadline - pending.since, _expire, pending)
        try:
            return await pending.future
        finally:
            if timer:
                timer.cancel()
            self._settle(pending)  # what was cancelled or late does not count any more
            pending.inputs = {}

    def _share(self, pending: _PendingRequest) -> float:
        """Seconds that a request adds to the queue: its share of a full batch, or a whole run if alone."""
        if not self._batch_across_requests:
            return self._cost.seconds(pending.rows, pending.steps)
        whole = self._cost.seconds(self.max_batch_size, pending.steps)
        return whole * pending.rows / self.max_batch_size

    def _settle(self, pending: _PendingRequest) -> None:
        """Remove a request's seconds from the lane's queue."""
        self._lane.queued_seconds -= pending.cost
        pending.cost = 0.0

    def _schedule_tick(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._tick is None:
            self._tick = loop.call_soon(self._run_tick)

    def _run_tick(self) -> None:
        """Run batches on the event loop, as long as one batch may take; what is left has the next tick.

        The more sockets can be read in a turn, the longer is a turn: one batch in each would let work starve.
        """
        self._tick = None
        until = time.monotonic() + TICK_SECONDS
        while batch := self._take():
            started = time.monotonic()
            self._finish(batch, self._run_batch(batch), started)
            next_seconds = self._cost.seconds(min(len(self._queue), self.max_batch_size))
            if not self._batch_across_requests or time.monotonic() + next_seconds > until:
                break
        if self._queue:
            self._schedule_tick(asyncio.get_running_loop())

    async def _work(self) -> None:
        """Run batches on a thread of the lane until the queue is empty."""
        loop = asyncio.get_running_loop()
        try:
            await self._yield_until_idle()
            while self._may_start():
                async with self._lane.turn() as is_still_first:
                    await self._run_next(loop)
                    while self._may_start() and is_still_first():
                        await self._run_next(loop)
        finally:
            self._workers.discard(cast(asyncio.Task[None], asyncio.current_task()))

    def _may_start(self) -> bool:
        """Whether the queued requests make a run that is worth starting now."""
        if self._running < self._lane.eager_runs:
            return bool(self._queue)
        return len(self._queue) >= self.max_batch_size

    async def _run_next(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run the next batch, without cancelled requests."""
        if batch := self._take():
            started = time.monotonic()
            with self._underway(started + self._cost.seconds(_rows(batch), _steps(batch))):
                outcomes = await loop.run_in_executor(self._lane.executor, self._run_batch, batch)
            self._finish(batch, outcomes, started)
        await self._yield_until_idle()

    @contextmanager
    def _underway(self, expected_end: float) -> Iterator[None]:
        """Count a run on a thread while it is running."""
        self._lane.expected_ends.append(expected_end)
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            self._lane.expected_ends.remove(expected_end)

    async def _yield_until_idle(self) -> None:
        """Yield to the event loop until no more requests join; returns quickly on an idle loop."""
        quiet_passes = 0
        while quiet_passes < QUIET_PASSES and len(self._queue) < self.max_batch_size:
            waiting = len(self._queue)
            await asyncio.sleep(0)
            quiet_passes = 0 if len(self._queue) > waiting else quiet_passes + 1

    def _take(self) -> list[_PendingRequest]:
        """The next requests that fit into a batch, without cancelled ones.

        Runs that could start now share the queue.
        """
        batch: list[_PendingRequest] = []
        rows, now = 0, time.monotonic()
        free = min(len(self._workers), self._lane.eager_runs) - self._running
        share = math.ceil(len(self._queue) / max(1, free))
        while self._queue and len(batch) < share:
            pending = self._queue.peek(now)
            if rows + pending.rows > self.max_batch_size or (
                batch and not self._batch_across_requests
            ):
                break
            self._queue.take(pending)
            self._settle(pending)
            if pending.future.done():
                continue
            if now > pending.deadline:
                _expire(pending)
                continue
            batch.append(pending)
            rows += pending.rows
        return batch

    def _run_batch(self, batch: list[_PendingRequest]) -> list[Outcome]:
        """One outcome for each; if the batch fails, each is retried alone so that only invalid ones fail."""
        try:
            if len(batch) == 1:
                return [self._run(batch[0].inputs)]
            names = batch[0].inputs
            outputs = self._run({n: np.concatenate([p.inputs[n] for p in batch]) for n in names})
        except VitrineError as error:  # of the engine, not of any request's rows
            return [error] * len(batch)
        except Exception as error:  # noqa: BLE001 - engines raise what they like
            if len(batch) == 1:
                return [error]
            return [outcome for pending in batch for outcome in self._run_batch([pending])]
        outcomes: list[Outcome] = []
        end = 0
        for pending in batch:
            start, end = end, end + pending.rows
            outcomes.append({name: array[start:end] for name, array in outputs.items()})
        return outcomes

    def _finish(
        self, batch: list[_PendingRequest], outcomes: list[Outcome], started: float
    ) -> None:
        """Deliver the answers first, so that an error in the statistics cannot affect them."""
        seconds, rows = time.monotonic() - started, _rows(batch)
        for pending, outcome in zip(batch, outcomes, strict=True):
            _deliver(pending, outcome, rows, started, seconds)
        try:
            if steps := _steps(batch):
                self._cost.record(rows, seconds, steps)
            self._on_batch(Batch(len(batch), rows, seconds))
        except Exception:
            log.exception("a batch could not be counted")


def _rows_of(inputs: Arrays) -> int:
    return len(next(iter(inputs.values())))


def _rows(batch: list[_PendingRequest]) -> int:
    return sum(pending.rows for pending in batch)


def _steps(batch: list[_PendingRequest]) -> int:
    return max(pending.steps for pending in batch)


def _split(inputs: Arrays, size: int) -> Iterator[dict[str, np.ndarray]]:
    """Split inputs into parts of at most `size` rows."""
    for start in range(0, _rows_of(inputs), size):
        yield {name: array[start : start + size] for name, array in inputs.items()}


def _expire(pending: _PendingRequest) -> None:
    if not pending.future.done():
        waited = f"{max(0.0, pending.deadline - pending.since) * 1000:.0f} ms in the queue"
        pending.future.set_exception(
            DeadlineExceeded(f"The answer was not there after {waited}; X-Timeout-Ms allows more.")
        )


def _deliver(
    pending: _PendingRequest, outcome: Outcome, rows: int, started: float, seconds: float
) -> None:
    if pending.future.done():
        return
    if isinstance(outcome, VitrineError):
        pending.future.set_exception(outcome)
    elif isinstance(outcome, BaseException):
        failure = InternalError("The model failed on this input; the log has the cause.")
        failure.__cause__ = outcome
        pending.future.set_exception(failure)
    else:
        queued = started - pending.since
        pending.future.set_result(BatchResult(outcome, rows, queued, seconds))


async def _join(parts: list[Coroutine[Any, Any, BatchResult]]) -> BatchResult:
    """Join the parts of a request; if one fails, the others are cancelled."""
    results = await gather_or_cancel(*parts)
    names = results[0].outputs
    return BatchResult(
        {name: np.concatenate([result.outputs[name] for result in results]) for name in names},
        max(result.batch_size for result in results),
        min(result.queue_seconds for result in results),
        sum(result.run_seconds for result in results),
    )
