"""The part of the benchmark that draws pictures: 16 samples as one PNG, beside a raw call of the graph."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from clients.load import raw_model, servers
from clients.load.__main__ import run_async
from clients.load.closed_loop import drive
from clients.load.comparison import Goal, spread
from clients.load.measurement import Measurement, measurement_of
from clients.load.raw_model import newest_version
from clients.load.scenario import scenarios
from clients.load.target import Target

SIGNATURES = {"vae": "decode", "gan": "sample"}  # model: what draws
SAMPLES, CALLS = 16, 100
CONNECTIONS = 32
MOST_MS = 15.0
HEAD = (
    "| model | 16 samples as one PNG, p50 ms | raw call, ms | × raw call"
    " | 32 connections, requests/s | errors |"
)


class SampleRow(NamedTuple):
    """One model in one round."""

    round: int
    model: str
    alone: Measurement
    together: Measurement  # 32 connections
    raw_ms: float

    @property
    def errors(self) -> int:
        """Answers that were none, or wrong."""
        return sum(m.not_2xx + m.socket_errors for m in (self.alone, self.together))


def measure(models: Path, rounds: int, seconds: int, say: Callable[[str], None]) -> list[SampleRow]:
    """Start the service and the raw graphs, and measure round by round."""
    served = [name for name in SIGNATURES if _is_there(models, name, say)]
    if not served:
        return []
    rows = []
    with contextlib.ExitStack() as stack:
        target = stack.enter_context(servers.service())
        raw = {name: stack.enter_context(_raw(models, name)) for name in served}
        for name in served:
            _drive(name, target, 1, 1)  # warm
        for number in range(rounds):
            for name in served:
                raw_ms = raw[name]()["batches"][str(SAMPLES)]["median_ms"]
                alone, together = (
                    _drive(name, target, count, seconds) for count in (1, CONNECTIONS)
                )
                rows.append(SampleRow(number, name, alone, together, raw_ms))
                say(f"round {number + 1}  {name}  {SAMPLES} samples  p50 {alone.p50_ms:.2f} ms")
    return rows


def _is_there(models: Path, name: str, say: Callable[[str], None]) -> bool:
    try:
        newest_version(models, name)
    except ValueError as error:
        say(f"samples of {name} are left out: {error}")
        return False
    return True


def _raw(models: Path, name: str) -> contextlib.AbstractContextManager[Callable[[], Any]]:
    command = raw_model.command(models, name, SIGNATURES[name], {SAMPLES: CALLS})
    return servers.on_demand(command, f"the raw graph of {name}")


def _drive(name: str, target: Target, connections: int, seconds: int) -> Measurement:
    return measurement_of(run_async(drive(scenarios()[name], target, connections, seconds)))


def table(rows: Sequence[SampleRow]) -> list[str]:
    """A Markdown table, a line for each model."""
    return [HEAD, "|---" * 6 + "|", *(_line(cell) for cell in _cells(rows))]


def _line(cell: Sequence[SampleRow]) -> str:
    columns = (
        cell[0].model,
        spread([row.alone.p50_ms for row in cell]),
        spread([row.raw_ms for row in cell]),
        spread([row.alone.p50_ms / row.raw_ms for row in cell]),
        spread([row.together.requests_per_s for row in cell], 0),
        sum(row.errors for row in cell),
    )
    return "| " + " | ".join(str(column) for column in columns) + " |"


def _cells(rows: Sequence[SampleRow]) -> list[list[SampleRow]]:
    models = dict.fromkeys(row.model for row in rows)
    return [[row for row in rows if row.model == model] for model in models]


def goals(rows: Sequence[SampleRow]) -> list[Goal]:
    """The verdict for each model."""
    verdict = []
    for cell in _cells(rows):
        alone = [row.alone.p50_ms for row in cell]
        text = f"{cell[0].model}: {SAMPLES} samples as one PNG in {spread(alone)} ms, goal ≤ {MOST_MS:g} ms"
        verdict.append(Goal(text, median(alone) <= MOST_MS))
    return verdict


def summary(rows: Sequence[SampleRow]) -> dict[str, Any]:
    """The same for machines."""
    return {
        "measurements": [
            {
                "round": row.round,
                "model": row.model,
                "alone": row.alone._asdict(),
                "together": row.together._asdict(),
                "raw_ms": row.raw_ms,
            }
            for row in rows
        ],
        "goals": [goal._asdict() for goal in goals(rows)],
    }
