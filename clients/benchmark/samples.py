"""The sample benchmark: 16 generated images as one PNG, compared with a raw call of the graph."""

from collections.abc import Callable, Sequence
from pathlib import Path

from clients.benchmark import http_vs_raw, report
from clients.benchmark.engines import newest_version
from clients.benchmark.http_vs_raw import ModelRow, Question
from clients.benchmark.report import Goal
from clients.load.scenario import scenarios

SIGNATURES = {"vae": "decode", "gan": "sample"}  # model: what draws
SAMPLES, CALLS = 16, 100
CONNECTIONS = 32
MOST_MS = 15.0


def measure(models: Path, rounds: int, seconds: int, say: Callable[[str], None]) -> list[ModelRow]:
    """Measure each model that draws and is there."""
    questions = [
        Question(name, scenarios()[name], SIGNATURES[name], SAMPLES, CALLS, CONNECTIONS)
        for name in SIGNATURES
        if _is_there(models, name, say)
    ]
    return http_vs_raw.measure(models, questions, rounds, seconds, say)


def _is_there(models: Path, name: str, say: Callable[[str], None]) -> bool:
    try:
        newest_version(models, name)
    except ValueError as error:
        say(f"samples of {name} are left out: {error}")
        return False
    return True


def table(rows: Sequence[ModelRow]) -> list[str]:
    """A Markdown table, one row per model."""
    ms, rate = f"{SAMPLES} samples as one PNG, p50 ms", f"{CONNECTIONS} connections, requests/s"
    columns = http_vs_raw.columns("model", ms, rate, 2, 0)
    return report.table(report.cells(rows, "model"), columns)


def goals(rows: Sequence[ModelRow]) -> list[Goal]:
    """The verdict for each model."""
    return [
        report.at_most(
            f"{cell[0].model}: {SAMPLES} samples as one PNG in",
            [row.alone.p50_ms for row in cell],
            MOST_MS,
            " ms",
        )
        for cell in report.cells(rows, "model")
    ]
