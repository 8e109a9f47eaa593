"""Groups whatever already waits into one run; adds no delay of its own.

Knows arrays and a function to run them, neither models nor pictures. Lives on the event loop; the
function runs on the executor it was given, one batch at a time.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from typing import NamedTuple

import numpy as np

from service.engine import Arrays
from service.errors import DeadlineExceeded, InternalError, NotReady

# From a request's bytes to its place in the queue the event loop passes three times: it reads,
# starts a task, and that decodes. Measured: docs/decisions/0003.
QUIET_PASSES = 3

Run = Callable[[Arrays], dict[str, np.ndarray]]
Outcome = dict[str, np.ndarray] | BaseException


class Batched(NamedTuple):
    """What one caller gets: its rows of the outputs, and how they were computed."""

    outputs: dict[str, np.ndarray]
    batch_size: int  # rows of the largest run that the caller's rows were in
    queue_seconds: float
    run_seconds: float


class _Waiting(NamedTuple):
    inputs: Arrays
    rows: int
    since: float
    future: "asyncio.Future[Batched]"


class MicroBatcher:
    """Runs `run` on as many waiting rows as fit into `max_batch_size`, whenever it is free."""

    def __init__(
        self,
        run: Run,
        executor: Executor,
        max_batch_size: int,
        on_batch: Callable[[int, int, float], None] = lambda requests, rows, seconds: None,
        *,
        is_shared: bool = True,
    ) -> None:
        """is_shared: whether rows of different callers may run together.

        A row's last bits can depend on how many it runs with. Where the same request has to give the
        same bytes again, each caller's rows run alone.
        """
        self._is_shared = is_shared
        self._run = run
        self._executor = executor
        self._max_batch_size = max_batch_size
        self._on_batch = on_batch
        self._queue: deque[_Waiting] = deque()
        self._worker: asyncio.Task[None] | None = None

    async def submit(self, inputs: Arrays, deadline: float) -> Batched:
        """Wait for the outputs of `inputs` [B, …], any B ≥ 1; deadline in monotonic seconds.

        Raises DeadlineExceeded, or InternalError if the run fails on these rows alone.
        """
        rows = len(next(iter(inputs.values())))
        step = self._max_batch_size
        if rows <= step:
            return await self._enqueue(inputs, rows, deadline)
        parts = [
            self._enqueue(
                {k: a[i : i + step] for k, a in inputs.items()}, min(step, rows - i), deadline
            )
            for i in range(0, rows, step)
        ]
        return _join(await asyncio.gather(*parts))

    async def _enqueue(self, inputs: Arrays, rows: int, deadline: float) -> Batched:
        now = time.monotonic()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Batched] = loop.create_future()
        self._queue.append(_Waiting(inputs, rows, now, future))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        timer = loop.call_later(deadline - now, _expire, future, deadline - now)
        try:
            return await future
        finally:
            timer.cancel()

    async def _work(self) -> None:
        """Run batches until nothing waits."""
        loop = asyncio.get_running_loop()
        try:
            await self._let_others_come()
            while batch := self._take():
                started = time.monotonic()
                outcomes = await loop.run_in_executor(self._executor, self._run_batch, batch)
                seconds = time.monotonic() - started
                rows = sum(waiting.rows for waiting in batch)
                self._on_batch(len(batch), rows, seconds)
                for waiting, outcome in zip(batch, outcomes, strict=True):
                    _deliver(waiting, outcome, rows, started, seconds)
                await self._let_others_come()
        finally:
            self._worker = None

    async def _let_others_come(self) -> None:
        """Let pass what the event loop has ready, until nobody new joins; an idle loop has nothing."""
        quiet_passes = 0
        while quiet_passes < QUIET_PASSES and len(self._queue) < self._max_batch_size:
            waiting = len(self._queue)
            await asyncio.sleep(0)
            quiet_passes = 0 if len(self._queue) > waiting else quiet_passes + 1

    def _take(self) -> list[_Waiting]:
        """The oldest that fit together; who gave up meanwhile is left out."""
        batch: list[_Waiting] = []
        rows = 0
        while self._queue and rows + self._queue[0].rows <= self._max_batch_size:
            if batch and not self._is_shared:
                break
            waiting = self._queue.popleft()
            if not waiting.future.done():
                batch.append(waiting)
                rows += waiting.rows
        return batch

    def _run_batch(self, batch: list[_Waiting]) -> list[Outcome]:
        """One outcome for each; if the batch fails, each is tried alone so that only the bad one fails."""
        try:
            if len(batch) == 1:
                return [self._run(batch[0].inputs)]
            names = batch[0].inputs
            outputs = self._run({n: np.concatenate([w.inputs[n] for w in batch]) for n in names})
        except Exception as error:  # noqa: BLE001 - engines raise what they like
            if len(batch) == 1:
                return [error]
            return [outcome for waiting in batch for outcome in self._run_batch([waiting])]
        ends = np.cumsum([waiting.rows for waiting in batch])
        return [
            {name: array[end - waiting.rows : end] for name, array in outputs.items()}
            for waiting, end in zip(batch, ends.tolist(), strict=True)
        ]


def _expire(future: "asyncio.Future[Batched]", seconds: float) -> None:
    if not future.done():
        waited = f"{max(0.0, seconds) * 1000:.0f} ms in the queue"
        future.set_exception(
            DeadlineExceeded(f"The answer was not there after {waited}; X-Timeout-Ms allows more.")
        )


def _deliver(
    waiting: _Waiting, outcome: Outcome, rows: int, started: float, seconds: float
) -> None:
    if waiting.future.done():
        return
    if isinstance(outcome, NotReady):
        waiting.future.set_exception(outcome)
    elif isinstance(outcome, BaseException):
        failure = InternalError("The model failed on this input; the log has the cause.")
        failure.__cause__ = outcome
        waiting.future.set_exception(failure)
    else:
        queued = started - waiting.since
        waiting.future.set_result(Batched(outcome, rows, queued, seconds))


def _join(parts: list[Batched]) -> Batched:
    names = parts[0].outputs
    return Batched(
        {name: np.concatenate([part.outputs[name] for part in parts]) for name in names},
        max(part.batch_size for part in parts),
        min(part.queue_seconds for part in parts),
        sum(part.run_seconds for part in parts),
    )
