"""Summarizes the rounds: ratios paired by round, the goals, and the printed table."""

from collections.abc import Sequence
from statistics import median
from typing import Any, NamedTuple

from clients.load.measurement import Measurement

LEAST_RATIO = 0.65  # service / baseline, requests/s at 32 connections
RAW_CALL_FACTOR, RAW_CALL_PLUS_MS = 1.5, 0.5  # most p50 at one connection, from the raw call

HEAD = (
    "| image | conns | server | req/s: median (min-max) | p50 ms | p99 ms"
    " | not 2xx / socket errors | x baseline |"
)


class Row(NamedTuple):
    """One server in one cell of one round."""

    round: int
    server: str  # "service" or "baseline"
    image: str
    connections: int
    measured: Measurement


class RawCall(NamedTuple):
    """The model alone in one round: batch size → {"median_ms", "p99_ms"}."""

    round: int
    version: int
    batches: dict[str, dict[str, float]]


class Goal(NamedTuple):
    """One line of the verdict."""

    text: str
    is_met: bool


def ratios(rows: Sequence[Row], image: str, connections: int) -> list[float]:
    """Service / baseline requests/s, one per round: noise of the machine that both saw cancels."""
    rates = {
        (row.round, row.server): row.measured.requests_per_s
        for row in rows
        if (row.image, row.connections) == (image, connections)
    }
    rounds = sorted({number for number, _ in rates})
    return [rates[number, "service"] / rates[number, "baseline"] for number in rounds]


def goals(rows: Sequence[Row], raw: Sequence[RawCall]) -> list[Goal]:
    """The verdict: throughput at 32 connections, and latency at one compared with the raw model's call."""
    verdict = []
    for image in dict.fromkeys(row.image for row in rows):
        at_32 = ratios(rows, image, 32)
        text = f"{image}: ratio at 32 connections {spread(at_32)}, goal ≥ {LEAST_RATIO}"
        verdict.append(Goal(text, median(at_32) >= LEAST_RATIO))
        if raw:
            verdict.append(_latency_goal(rows, raw, image))
    return verdict


def table(rows: Sequence[Row]) -> list[str]:
    """A Markdown table: each cell's two servers below each other."""
    keys = dict.fromkeys((row.image, row.connections, row.server) for row in rows)
    return [HEAD, "|---" * 8 + "|", *(_table_line(rows, *key) for key in keys)]


def raw_lines(raw: Sequence[RawCall]) -> list[str]:
    """The cost of the model alone, one line per batch size."""
    lines = []
    for batch_size in raw[0].batches if raw else ():
        calls = [one.batches[batch_size] for one in raw]
        medians = spread([call["median_ms"] for call in calls])
        p99 = spread([call["p99_ms"] for call in calls])
        lines.append(f"raw call, batch {batch_size:>2}: median {medians} ms, p99 {p99} ms")
    return lines


def summary(rows: Sequence[Row], raw: Sequence[RawCall]) -> dict[str, Any]:
    """The same for machines."""
    cells = dict.fromkeys((row.image, row.connections) for row in rows)
    return {
        "ratios": [
            {"image": image, "connections": connections, "by_round": by_round}
            | {"median": median(by_round), "min": min(by_round), "max": max(by_round)}
            for image, connections in cells
            for by_round in [ratios(rows, image, connections)]
        ],
        "goals": [goal._asdict() for goal in goals(rows, raw)],
    }


def spread(values: Sequence[float], places: int = 2) -> str:
    """Median (min-max); a dash for nothing."""
    if not values:
        return "–"
    shown = [f"{value:,.{places}f}" for value in (median(values), min(values), max(values))]
    return f"{shown[0]} ({shown[1]}-{shown[2]})"


def _latency_goal(rows: Sequence[Row], raw: Sequence[RawCall], image: str) -> Goal:
    call_ms = {one.round: one.batches["1"]["median_ms"] for one in raw}
    p50_ms = {
        row.round: row.measured.p50_ms
        for row in rows
        if (row.server, row.image, row.connections) == ("service", image, 1)
    }
    most_ms = {key: RAW_CALL_FACTOR * ms + RAW_CALL_PLUS_MS for key, ms in call_ms.items()}
    text = (
        f"{image}: p50 at 1 connection {spread(list(p50_ms.values()))} ms beside a raw call of"
        f" {spread(list(call_ms.values()))} ms, goal ≤ {RAW_CALL_FACTOR} × raw call"
        f" + {RAW_CALL_PLUS_MS} ms = {spread(list(most_ms.values()))} ms"
    )
    return Goal(text, median(p50_ms[key] - most_ms[key] for key in p50_ms) <= 0)


def _table_line(rows: Sequence[Row], image: str, connections: int, server: str) -> str:
    key = (image, connections, server)
    cell = [row.measured for row in rows if (row.image, row.connections, row.server) == key]
    versus = spread(ratios(rows, image, connections)) if server == "service" else "1"
    columns = (
        image,
        connections,
        server,
        spread([one.requests_per_s for one in cell], 0),
        spread([one.p50_ms for one in cell]),
        spread([one.p99_ms for one in cell], 1),
        f"{sum(one.not_2xx for one in cell)} / {sum(one.socket_errors for one in cell)}",
        versus,
    )
    return "| " + " | ".join(str(column) for column in columns) + " |"
