"""The digit benchmark: the service, an endpoint without a model, and the raw model, in turn."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median

from clients.benchmark import raw_model, report
from clients.benchmark.contestants import DIGITS, OURS, decode_only, ours
from clients.benchmark.engines import newest_version
from clients.benchmark.report import Column, Goal, spread
from clients.benchmark.rounds import CELL, ERRORS, LATENCIES, RATE, Row, Say, take_turns
from clients.load.server_process import on_demand

LEAST_RATIO = 0.65  # service / decode-only, requests/s at 32 connections
RAW_CALL_FACTOR, RAW_CALL_PLUS_MS = 1.5, 0.5  # most p50 at one connection, from the raw call


def measure(models: Path, rounds: int, seconds: int, say: Say) -> list[Row]:
    """Measure round by round, each after calls of the raw model."""
    command = raw_model.command(models, "digits", "serving_default", raw_model.CALLS)
    newest_version(models)  # or an error, before anything is started in vain
    with on_demand(command) as time_raw_model:
        two = [ours(DIGITS), decode_only(DIGITS)]
        return list(take_turns(two, rounds, seconds, say, time_raw_model))


def table(rows: Sequence[Row]) -> list[str]:
    """Each cell's two servers below each other; the cost of the model alone, one line per batch size."""
    ratio = Column(
        "x decode-only", lambda cell: ratios(rows, cell) if cell[0].server == OURS else "1"
    )
    columns = [*CELL, RATE, *LATENCIES, ERRORS, ratio]
    lines = report.table(report.cells(rows, "job", "connections", "server"), columns)
    return [*lines, "", *_raw_lines(rows)]


def goals(rows: Sequence[Row]) -> list[Goal]:
    """The verdict: throughput at 32 connections, and latency at one compared with the raw model's call."""
    verdict = []
    for cell in report.cells([row for row in rows if row.server == OURS], "job", "connections"):
        job, connections = cell[0].job, cell[0].connections
        if connections == 32:
            text = f"{job}: ratio at 32 connections"
            verdict.append(report.at_least(text, ratios(rows, cell), LEAST_RATIO))
        if connections == 1:
            verdict.append(_latency_goal(job, cell))
    return verdict


def ratios(rows: Sequence[Row], ours: Sequence[Row]) -> list[float]:
    """Service / decode-only requests/s, one per round."""
    others = {
        (row.round, row.job, row.connections): row.measured.requests_per_s
        for row in rows
        if row.server != OURS
    }
    return [
        row.measured.requests_per_s / others[row.round, row.job, row.connections] for row in ours
    ]


def _raw_lines(rows: Sequence[Row]) -> list[str]:
    calls = [cell[0].raw["batches"] for cell in report.cells(rows, "round")]
    lines = []
    for size in calls[0]:
        medians, p99 = (
            spread([call[size][name] for call in calls]) for name in ("median_ms", "p99_ms")
        )
        lines.append(f"raw call, batch {size:>2}: median {medians} ms, p99 {p99} ms")
    return lines


def _latency_goal(job: str, cell: Sequence[Row]) -> Goal:
    p50_ms = [row.measured.p50_ms for row in cell]
    call_ms = [row.raw["batches"]["1"]["median_ms"] for row in cell]
    most_ms = [RAW_CALL_FACTOR * ms + RAW_CALL_PLUS_MS for ms in call_ms]
    text = (
        f"{job}: p50 at 1 connection {spread(p50_ms)} ms beside a raw call of {spread(call_ms)} ms,"
        f" goal ≤ {RAW_CALL_FACTOR} × raw call + {RAW_CALL_PLUS_MS} ms = {spread(most_ms)} ms"
    )
    return Goal(text, median(p50 - most for p50, most in zip(p50_ms, most_ms, strict=True)) <= 0)
