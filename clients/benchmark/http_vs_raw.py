"""Latency over HTTP compared with a raw call of the graph, round by round; used for photos and samples."""

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from clients.benchmark import raw_model, servers
from clients.benchmark.comparison import Goal, spread
from clients.load.closed_loop import drive
from clients.load.event_loop import run_async
from clients.load.measurement import Measurement, measurement_of
from clients.load.scenario import Scenario
from clients.load.target import Target

SMALL_BATCH = (
    2  # rows of a call on one thread, with which a row of a photo network takes least time
)


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
        target = stack.enter_context(servers.service())
        raw = {one: stack.enter_context(_raw(models, one)) for one in questions}
        raw_on_all = {
            one: [stack.enter_context(raw) for raw in _raw_on_all_processors(models, one)]
            for one in questions
            if one.all_cores_batch
        }
        for one in questions:
            _drive(one, target, 1, 1)  # warm
        for number in range(rounds):
            for one in questions:
                raw_ms = raw[one]()["batches"][str(one.batch_size)]["median_ms"]
                alone, together = (
                    _drive(one, target, count, seconds) for count in (1, one.connections)
                )
                per_s = max((_rate(raw()) for raw in raw_on_all.get(one, [])), default=0.0)
                label = one.label or one.model
                rows.append(ModelRow(number, label, alone, together, raw_ms, per_s))
                say(
                    f"round {number + 1}  {label}  p50 {alone.p50_ms:.2f} ms, "
                    f"{rows[-1].times_raw:.2f} × raw call"
                )
    return rows


def cells(rows: Sequence[ModelRow]) -> list[list[ModelRow]]:
    """The rows of each model."""
    models = dict.fromkeys(row.model for row in rows)
    return [[row for row in rows if row.model == model] for model in models]


def table(head: str, rows: Sequence[ModelRow], ms_places: int, rate_places: int) -> list[str]:
    """A Markdown table, one row per model."""
    lines = [_line(cell, ms_places, rate_places) for cell in cells(rows)]
    return [head, "|---" * (head.count("|") - 1) + "|", *lines]


def summary(rows: Sequence[ModelRow], goals: Sequence[Goal]) -> dict[str, Any]:
    """The same for machines."""
    return {
        "measurements": [
            row._asdict() | {"alone": row.alone._asdict(), "together": row.together._asdict()}
            for row in rows
        ],
        "goals": [goal._asdict() for goal in goals],
    }


def _line(cell: Sequence[ModelRow], ms_places: int, rate_places: int) -> str:
    columns: tuple[Any, ...] = (
        cell[0].model,
        spread([row.alone.p50_ms for row in cell], ms_places),
        spread([row.raw_ms for row in cell], ms_places),
        spread([row.times_raw for row in cell]),
        spread([row.together.requests_per_s for row in cell], rate_places),
        sum(row.errors for row in cell),
    )
    if cell[0].raw_per_s:
        columns += (spread([row.times_raw_rate for row in cell]),)
    return "| " + " | ".join(str(column) for column in columns) + " |"


def _raw(models: Path, one: Question) -> contextlib.AbstractContextManager[Callable[[], Any]]:
    """The raw call on one thread."""
    command = raw_model.command(models, one.model, one.signature, {one.batch_size: one.calls})
    return servers.on_demand(command, f"the raw graph of {one.model}")


def _raw_on_all_processors(
    models: Path, one: Question
) -> list[contextlib.AbstractContextManager[Callable[[], Any]]]:
    """The two ways to use all processors: one call with the batch, or small calls on one thread each."""
    count = os.cpu_count() or 1
    ways = (one.all_cores_batch, count, 1), (SMALL_BATCH, 1, count)  # rows, threads, callers
    return [
        servers.on_demand(
            raw_model.command(
                models, one.model, one.signature, {rows: one.calls}, threads, callers
            ),
            f"the raw graph of {one.model} on all processors",
        )
        for rows, threads, callers in ways
    ]


def _rate(timed: dict[str, Any]) -> float:
    """Rows a second."""
    ((rows, timing),) = timed["batches"].items()
    return float(int(rows) * timed["callers"] / timing["median_ms"] * 1000)


def _drive(one: Question, target: Target, connections: int, seconds: int) -> Measurement:
    return measurement_of(run_async(drive(one.scenario, target, connections, seconds)))
