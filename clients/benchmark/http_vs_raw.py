"""Latency over HTTP compared with a raw call of the graph, round by round; used for photos and samples."""

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from clients.benchmark import raw_model
from clients.benchmark.report import Column
from clients.load.measurement import Measurement, measure_closed_loop
from clients.load.scenario import Scenario
from clients.load.server_process import on_demand, service

SMALL_BATCH = 2  # rows of a call on one thread, with which a row of a photo takes least time


class Question(NamedTuple):
    """One request to a model, and the call of a signature that does the same work without a service."""

    model: str
    scenario: Scenario
    signature: str
    batch_size: int  # of the raw call
    calls: int  # of it, in each round
    connections: int  # concurrent connections, after a single one
    # Of the raw engine on all processors, compared with concurrent connections; 0: not compared
    all_cores_batch: int = 0
    label: str = ""  # in the table, if not the model


class ModelRow(NamedTuple):
    """One model in one round."""

    round: int
    model: str
    alone: Measurement
    together: Measurement
    raw_ms: float
    raw_per_s: float = 0.0  # rows a second of the raw call on all processors; 0: not measured

    @property
    def times_raw(self) -> float:
        """How much longer one request takes than the raw call."""
        return self.alone.p50_ms / self.raw_ms

    @property
    def times_raw_rate(self) -> float:
        """The service's rate as a share of the raw call's on all processors."""
        return self.together.requests_per_s / self.raw_per_s

    @property
    def errors(self) -> int:
        """Answers that were none, or wrong."""
        return sum(m.not_2xx + m.socket_errors for m in (self.alone, self.together))


def measure(
    models: Path,
    questions: Sequence[Question],
    rounds: int,
    seconds: int,
    say: Callable[[str], None],
) -> list[ModelRow]:
    """Start the service and the raw graphs, and measure each question in turn, round by round."""
    rows: list[ModelRow] = []
    if not questions:
        return rows
    with contextlib.ExitStack() as stack:
        target = stack.enter_context(service()).target
        raw = {one: stack.enter_context(_raw(models, one, one.batch_size)) for one in questions}
        raw_on_all = {
            one: [stack.enter_context(raw) for raw in _raw_on_all_processors(models, one)]
            for one in questions
            if one.all_cores_batch
        }
        for one in questions:
            measure_closed_loop(one.scenario, target, 1, 1)  # warm
        for number in range(rounds):
            for one in questions:
                raw_ms = raw[one]()["batches"][str(one.batch_size)]["median_ms"]
                alone, together = (
                    measure_closed_loop(one.scenario, target, count, seconds)
                    for count in (1, one.connections)
                )
                per_s = max((_rate(raw()) for raw in raw_on_all.get(one, [])), default=0.0)
                label = one.label or one.model
                rows.append(ModelRow(number, label, alone, together, raw_ms, per_s))
                say(
                    f"round {number + 1}  {label}  p50 {alone.p50_ms:.2f} ms, "
                    f"{rows[-1].times_raw:.2f} × raw call"
                )
    return rows


def columns(first: str, ms: str, rate: str, ms_places: int, rate_places: int) -> list[Column]:
    """The columns of a table with one row per model."""
    return [
        Column(first, lambda cell: cell[0].model),
        Column(ms, lambda cell: [row.alone.p50_ms for row in cell], ms_places),
        Column("raw call, ms", lambda cell: [row.raw_ms for row in cell], ms_places),
        Column("× raw call", lambda cell: [row.times_raw for row in cell]),
        Column(rate, lambda cell: [row.together.requests_per_s for row in cell], rate_places),
        Column("errors", lambda cell: sum(row.errors for row in cell)),
    ]


def _raw(
    models: Path, one: Question, rows: int, threads: int = 1, callers: int = 1
) -> contextlib.AbstractContextManager[Callable[[], Any]]:
    """The raw call with a number of rows, by default on one thread."""
    calls = {rows: one.calls}
    return on_demand(raw_model.command(models, one.model, one.signature, calls, threads, callers))


def _raw_on_all_processors(
    models: Path, one: Question
) -> list[contextlib.AbstractContextManager[Callable[[], Any]]]:
    """The two ways to use all processors: one call with the batch, or small calls on one thread each."""
    count = os.cpu_count() or 1
    return [_raw(models, one, one.all_cores_batch, count), _raw(models, one, SMALL_BATCH, 1, count)]


def _rate(timed: dict[str, Any]) -> float:
    """Rows a second."""
    ((rows, timing),) = timed["batches"].items()
    return float(int(rows) * timed["callers"] / timing["median_ms"] * 1000)
