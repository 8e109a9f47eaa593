"""The part of the benchmark that draws pictures: 16 samples as one PNG, beside a raw call of the decoder."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from clients.load import servers
from clients.load.__main__ import run_async
from clients.load.closed_loop import drive
from clients.load.comparison import Goal, spread
from clients.load.measurement import Measurement, measurement_of
from clients.load.raw_model import DECODER_CALLS, newest_version
from clients.load.scenario import scenarios
from clients.load.target import Target

(SAMPLES,) = DECODER_CALLS
CONNECTIONS = 32
MOST_MS = 15.0
HEAD = (
    "| 16 samples as one PNG, p50 ms | raw call of the decoder, ms | × raw call"
    " | 32 connections, requests/s | errors |"
)


class SampleRow(NamedTuple):
    """One round."""

    round: int
    alone: Measurement
    together: Measurement  # 32 connections
    raw_ms: float

    @property
    def errors(self) -> int:
        """Answers that were none, or wrong."""
        return sum(m.not_2xx + m.socket_errors for m in (self.alone, self.together))


def measure(models: Path, rounds: int, seconds: int, say: Callable[[str], None]) -> list[SampleRow]:
    """Start the service and the raw decoder, and measure round by round."""
    try:
        newest_version(models, "vae")
    except ValueError as error:
        say(f"samples are left out: {error}")
        return []
    command = [sys.executable, "-m", "clients.load.raw_model", str(models), "--decoder"]
    rows = []
    with (
        servers.service() as target,
        servers.on_demand([*command, "--on-demand"], "the raw decoder") as raw,
    ):
        _drive(target, 1, 1)  # warm
        for number in range(rounds):
            raw_ms = raw()["batches"][str(SAMPLES)]["median_ms"]
            alone, together = (_drive(target, count, seconds) for count in (1, CONNECTIONS))
            rows.append(SampleRow(number, alone, together, raw_ms))
            say(f"round {number + 1}  {SAMPLES} samples  p50 {alone.p50_ms:.2f} ms")
    return rows


def _drive(target: Target, connections: int, seconds: int) -> Measurement:
    return measurement_of(run_async(drive(scenarios()["vae"], target, connections, seconds)))


def table(rows: Sequence[SampleRow]) -> list[str]:
    """A Markdown table of one line."""
    columns = (
        spread([row.alone.p50_ms for row in rows]),
        spread([row.raw_ms for row in rows]),
        spread([row.alone.p50_ms / row.raw_ms for row in rows]),
        spread([row.together.requests_per_s for row in rows], 0),
        sum(row.errors for row in rows),
    )
    return [HEAD, "|---" * 5 + "|", "| " + " | ".join(str(column) for column in columns) + " |"]


def goals(rows: Sequence[SampleRow]) -> list[Goal]:
    """The verdict."""
    if not rows:
        return []
    alone = [row.alone.p50_ms for row in rows]
    text = f"{SAMPLES} samples as one PNG in {spread(alone)} ms, goal ≤ {MOST_MS:g} ms"
    return [Goal(text, median(alone) <= MOST_MS)]


def summary(rows: Sequence[SampleRow]) -> dict[str, Any]:
    """The same for machines."""
    return {
        "measurements": [
            {
                "round": row.round,
                "alone": row.alone._asdict(),
                "together": row.together._asdict(),
                "raw_ms": row.raw_ms,
            }
            for row in rows
        ],
        "goals": [goal._asdict() for goal in goals(rows)],
    }
