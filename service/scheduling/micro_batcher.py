"""Dynamic batching: runs all queued requests together, without a wait window.

Takes named arrays and a function to run them. Used on the event loop; the function runs on the
given lane, one batch at a time: on its thread, or on the event loop itself.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Coroutine, Hashable, Iterator
from typing import Any, cast

from service.engine import Arrays
from service.scheduling.batch import (
    Batch,
    BatchResult,
    Outcome,
    PendingRequest,
    Run,
    deliver,
    expire,
    join,
    most_steps,
    one_in_a_turn,
    rows_of,
    run_batch,
    split,
    total_rows,
)
from service.scheduling.fair_queue import FairQueue
from service.scheduling.lane import Lane
from service.scheduling.run_cost import RunCost

# Of the event loop, from a request's bytes to its place in the queue. Measured: docs/decisions/0003.
QUIET_PASSES = 3
TICK_SECONDS = 0.004  # that batches on the event loop may hold it up in one turn
SHARED_ROWS = 8  # of one request, from which on parallel runs share them

log = logging.getLogger("vitrine.batcher")


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
        self._queue: FairQueue[PendingRequest] = FairQueue()
        self._workers: set[asyncio.Task[None]] = set()  # each has one run under way at a time
        self._running = 0
        self._tick: asyncio.Handle | None = None

    def seconds_ahead(self) -> float:
        """Estimated duration of the lane's queued work."""
        return self._lane.seconds_ahead()

    def estimate(self, rows: int) -> float:
        """Estimated duration of the runs of that many rows."""
        seconds = self._cost.seconds_in_batches(rows, self.max_batch_size)
        return seconds * self._lane.slowdown.factor

    def submit(
        self, inputs: Arrays, deadline: float, client: Hashable = None, steps: int = 1
    ) -> Coroutine[Any, Any, BatchResult]:
        """Wait for the outputs of `inputs` [B, …], any B ≥ 1; deadline in monotonic seconds.

        client: the client for fair queuing.
        steps: number of steps of the run, if its inputs define it.
        Raises DeadlineExceeded, or InternalError if the run fails on these rows alone.
        """
        size, rows = self.max_batch_size, rows_of(inputs)
        if self._lane.eager_runs > 1 and rows >= SHARED_ROWS and self._batch_across_requests:
            size = min(size, math.ceil(rows / self._lane.eager_runs))
        loop = asyncio.get_running_loop()

        def wait(part: Arrays) -> Coroutine[Any, Any, BatchResult]:
            future: asyncio.Future[BatchResult] = loop.create_future()
            pending = PendingRequest(part, rows_of(part), deadline, client, future, steps)
            return self._wait(pending, future)

        if rows <= size:
            return wait(inputs)
        return join([wait(part) for part in split(inputs, size)])

    @property
    def is_inline(self) -> bool:
        """Whether it runs on the event loop."""
        return self._lane.executor is None

    def enqueue(self, pending: PendingRequest) -> None:
        """Queue rows that fit into one batch; if `is_inline`, their outcome comes within milliseconds."""
        pending.cost = self._share(pending)
        self._queue.push(pending)
        self._lane.queued_seconds += pending.cost
        if self._lane.executor is None:
            self._schedule_tick(asyncio.get_running_loop())
        elif len(self._workers) < self._lane.parallel_runs and self._may_start():
            self._workers.add(asyncio.create_task(self._work()))

    async def _wait(
        self, pending: PendingRequest, future: asyncio.Future[BatchResult]
    ) -> BatchResult:
        self.enqueue(pending)
        timer = None  # inline it runs within milliseconds, or expires when it is taken
        if not self.is_inline:
            loop = asyncio.get_running_loop()
            timer = loop.call_later(pending.deadline - pending.since, expire, pending)
        try:
            return await future
        finally:
            if timer:
                timer.cancel()
            self._settle(pending)  # what was cancelled or late does not count any more
            pending.inputs = {}

    def _share(self, pending: PendingRequest) -> float:
        """Seconds that a request adds to the queue: its share of a full batch, or a whole run if alone."""
        if not self._batch_across_requests:
            return self._cost.seconds(pending.rows, pending.steps)
        whole = self._cost.seconds(self.max_batch_size, pending.steps)
        return whole * pending.rows / self.max_batch_size

    def _settle(self, pending: PendingRequest) -> None:
        """Remove a request's seconds from the lane's queue."""
        self._lane.queued_seconds -= pending.cost
        pending.cost = 0.0

    def _schedule_tick(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._tick is None:
            self._tick = loop.call_soon(self._run_tick)

    def _run_tick(self) -> None:
        """Run batches on the event loop for `TICK_SECONDS`: a turn with many sockets is long, so one batch a turn is too few."""
        self._tick = None
        began, running = time.monotonic(), 0.0
        until = began + TICK_SECONDS
        while batch := self._take():
            started = time.monotonic()
            outcomes = run_batch(self._run, batch)
            running += time.monotonic() - started
            for _ in self._finish(batch, outcomes, started):
                pass
            next_seconds = self._cost.seconds(min(len(self._queue), self.max_batch_size))
            if not self._batch_across_requests or time.monotonic() + next_seconds > until:
                break
        self._lane.note_run(began, running)
        if self._queue:
            self._schedule_tick(asyncio.get_running_loop())

    async def _work(self) -> None:
        """Run batches on a thread of the lane until the queue is empty."""
        try:
            await self._yield_until_idle()
            while self._may_start():
                async with self._lane.turn() as is_still_first:
                    await self._run_next()
                    while self._may_start() and is_still_first():
                        await self._run_next()
        finally:
            self._workers.discard(cast(asyncio.Task[None], asyncio.current_task()))

    def _may_start(self) -> bool:
        """Whether the queued requests make a run that is worth starting now."""
        if self._running < self._lane.eager_runs:
            return bool(self._queue)
        return len(self._queue) >= self.max_batch_size

    async def _run_next(self) -> None:
        """Run the next batch, without cancelled requests."""
        if batch := self._take():
            started = time.monotonic()
            expected = self._cost.seconds(total_rows(batch), most_steps(batch))
            self._running += 1
            try:
                outcomes = await self._lane.run(expected, run_batch, self._run, batch)
            finally:
                self._running -= 1
            finishing = asyncio.create_task(one_in_a_turn(self._finish(batch, outcomes, started)))
            if len(self._queue) < self.max_batch_size and not self._lane.is_pipelined:
                await finishing  # else the lane need not wait
        await self._yield_until_idle()

    async def _yield_until_idle(self) -> None:
        """Yield to the event loop until no more requests join; returns quickly on an idle loop."""
        quiet_passes = QUIET_PASSES if self._lane.is_pipelined else 0
        while quiet_passes < QUIET_PASSES and len(self._queue) < self.max_batch_size:
            waiting = len(self._queue)
            await asyncio.sleep(0)
            quiet_passes = 0 if len(self._queue) > waiting else quiet_passes + 1

    def _take(self) -> list[PendingRequest]:
        """The next requests that fit into a batch, without cancelled ones.

        Runs that could start now share the queue; in a pipelined lane each leaves the others their share.
        """
        batch: list[PendingRequest] = []
        rows, now = 0, time.monotonic()
        free = min(len(self._workers), self._lane.eager_runs) - self._running
        runs = self._lane.eager_runs if self._lane.is_pipelined else max(1, free)
        share = math.ceil(len(self._queue) / runs)
        while self._queue and len(batch) < share:
            pending = self._queue.peek(now)
            if rows + pending.rows > self.max_batch_size or (
                batch and not self._batch_across_requests
            ):
                break
            self._queue.take(pending)
            self._settle(pending)
            if pending.receiver.done():
                continue
            if now > pending.deadline:
                expire(pending)
                continue
            batch.append(pending)
            rows += pending.rows
        return batch

    def _finish(
        self, batch: list[PendingRequest], outcomes: list[Outcome], started: float
    ) -> Iterator[float]:
        """Count the batch, whatever comes of it, then deliver an answer in each step, which yields the run's seconds."""
        seconds, rows = time.monotonic() - started, total_rows(batch)
        try:
            if steps := most_steps(batch):
                self._cost.record(rows, seconds, steps)
            self._on_batch(Batch(len(batch), rows, seconds))
        except Exception:
            log.exception("a batch could not be counted")
        for pending, outcome in zip(batch, outcomes, strict=True):
            deliver(pending, outcome, rows, started, seconds)
            yield seconds
