"""One batch of requests: its run, and the delivery of the outcomes to those who wait.

`run_batch` is called on a lane's thread, everything else on the event loop.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Hashable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np

from service.engine import Arrays
from service.errors import DeadlineExceeded, InternalError, VitrineError
from service.scheduling.siblings import gather_or_cancel

Run = Callable[[Arrays], dict[str, np.ndarray]]
Outcome = dict[str, np.ndarray] | BaseException

LONG_SECONDS = 0.01  # a run after which answers leave one by one


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


class Receiver(Protocol):
    """Where the outcome for a caller goes: a future, or an object that continues by itself."""

    def done(self) -> bool:
        """Whether nobody waits for the outcome."""

    def set_result(self, result: BatchResult, /) -> None:
        """The outputs; raises nothing."""

    def set_exception(self, error: BaseException, /) -> None:
        """Why there are none; raises nothing."""


class PendingRequest:
    """Rows of one caller that are queued or running."""

    __slots__ = (
        "client", "cost", "deadline", "hurry_at", "inputs", "is_taken", "receiver", "rows", "since", "steps",
    )  # fmt: skip

    def __init__(
        self,
        inputs: Arrays,
        rows: int,
        deadline: float,
        client: Hashable,
        receiver: Receiver,
        steps: int = 1,
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
        self.receiver = receiver


def run_batch(run: Run, batch: list[PendingRequest]) -> list[Outcome]:
    """One outcome for each; if the batch fails, each is retried alone so that only invalid ones fail."""
    try:
        if len(batch) == 1:
            return [run(batch[0].inputs)]
        names = batch[0].inputs
        outputs = run({n: np.concatenate([p.inputs[n] for p in batch]) for n in names})
    except VitrineError as error:  # of the engine, not of any request's rows
        return [error] * len(batch)
    except Exception as error:  # noqa: BLE001 - engines raise what they like
        if len(batch) == 1:
            return [error]
        return [outcome for pending in batch for outcome in run_batch(run, [pending])]
    outcomes: list[Outcome] = []
    end = 0
    for pending in batch:
        start, end = end, end + pending.rows
        outcomes.append({name: array[start:end] for name, array in outputs.items()})
    return outcomes


def rows_of(inputs: Arrays) -> int:
    """Rows of a run: the first dimension of its inputs."""
    return len(next(iter(inputs.values())))


def total_rows(batch: list[PendingRequest]) -> int:
    """Rows of all requests together."""
    return sum(pending.rows for pending in batch)


def most_steps(batch: list[PendingRequest]) -> int:
    """Steps of the run, which are those of its longest request."""
    return max(pending.steps for pending in batch)


def split(inputs: Arrays, size: int) -> Iterator[dict[str, np.ndarray]]:
    """Split inputs into parts of at most `size` rows."""
    for start in range(0, rows_of(inputs), size):
        yield {name: array[start : start + size] for name, array in inputs.items()}


def expire(pending: PendingRequest) -> None:
    """Tell a request that its deadline has passed."""
    if not pending.receiver.done():
        waited = f"{max(0.0, pending.deadline - pending.since) * 1000:.0f} ms in the queue"
        pending.receiver.set_exception(
            DeadlineExceeded(f"the deadline passed after {waited}: X-Timeout-Ms allows more")
        )


def deliver(
    pending: PendingRequest, outcome: Outcome, rows: int, started: float, seconds: float
) -> None:
    """Hand a request its outcome; `rows`, `started` and `seconds` are of the run."""
    if pending.receiver.done():
        return
    if isinstance(outcome, VitrineError):
        pending.receiver.set_exception(outcome)
    elif isinstance(outcome, BaseException):
        failure = InternalError("The model failed on this input; the log has the cause.")
        failure.__cause__ = outcome
        pending.receiver.set_exception(failure)
    else:
        queued = started - pending.since
        pending.receiver.set_result(BatchResult(outcome, rows, queued, seconds))


async def join(parts: list[Coroutine[Any, Any, BatchResult]]) -> BatchResult:
    """Join the parts of a request; if one fails, the others are cancelled."""
    results = await gather_or_cancel(*parts)
    names = results[0].outputs
    return BatchResult(
        {name: np.concatenate([result.outputs[name] for result in results]) for name in names},
        max(result.batch_size for result in results),
        min(result.queue_seconds for result in results),
        sum(result.run_seconds for result in results),
    )


async def one_in_a_turn(deliveries: Iterator[float]) -> None:
    """Deliver one answer in each turn of the event loop after a long run.

    Clients that are answered at once ask again at once: a digit would wait for all of that.
    """
    for seconds in deliveries:
        if seconds > LONG_SECONDS:
            await asyncio.sleep(0)
