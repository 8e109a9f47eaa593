"""The text benchmark: characters per second over HTTP.

In each round, for each text model: 5,000 characters in one request, one stream after the other, 32
streams at a time, and these at a service with two workers.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from clients.benchmark import servers
from clients.benchmark.comparison import Goal, spread
from clients.load.connection import Answer, Connection
from clients.load.event_loop import run_async
from clients.load.measurement import percentile
from clients.load.scenario import PARAGRAPH, Scenario, paragraph, request_bytes, stream
from clients.load.streams import StreamTally, drive_streams
from clients.load.target import Target

MODELS = ("text-course", "text")  # those of them that are served
WHOLE = 5_000  # characters
STREAMS = 32
MOST_WHOLE_S = {"text-course": 0.1, "text": 1.0}
MOST_FIRST_MS = 15.0
LEAST_SPEED_UP = 3.0  # of 32 streams over one stream's best
LEAST_OF_TWO = 1.8  # of 32 streams with two workers over one
HEAD = (
    "| model | 5,000 characters, s | first characters, ms"
    " | one stream, characters/s | 32 streams, characters/s | × one stream’s best"
    " | two workers × one | errors |"
)


class TextRow(NamedTuple):
    """One model in one round. Rates are characters per second."""

    round: int
    model: str
    whole_s: float
    first_ms: float  # median of one stream after the other
    one_stream: float  # the best
    all_streams: float  # 32 at a time, together
    two_workers: float  # the same with two workers
    errors: int


def measure(_: Path, rounds: int, seconds: int, say: Callable[[str], None]) -> list[TextRow]:
    """Start the service and measure round by round."""
    with servers.service() as target, servers.service(VITRINE_WORKERS="2") as two:
        models = [model for model in MODELS if _is_served(model, target)]
        if not models:
            say(f"texts are left out: the service has none of {', '.join(MODELS)}")
        rows = []
        for number in range(rounds):
            for model in models:
                row = TextRow(number, model, **_service(model, target, two, seconds))
                say(
                    f"round {number + 1}  {model:<11}  {WHOLE:,} characters in {row.whole_s:.2f} s"
                    f"  {STREAMS} streams {row.all_streams:7,.0f} characters/s"
                )
                rows.append(row)
    return rows


def table(rows: Sequence[TextRow]) -> list[str]:
    """A Markdown table, one row per model."""
    return [HEAD, "|---" * 8 + "|", *(_line(cell) for cell in _cells(rows))]


def goals(rows: Sequence[TextRow]) -> list[Goal]:
    """The verdict for each model."""
    verdict = []
    for cell in _cells(rows):
        model, most_s = cell[0].model, MOST_WHOLE_S[cell[0].model]
        whole, first = [row.whole_s for row in cell], [row.first_ms for row in cell]
        ups = [row.all_streams / row.one_stream for row in cell]
        of_two = [row.two_workers / row.all_streams for row in cell]
        verdict += [
            Goal(
                f"{model}: {WHOLE:,} characters in {spread(whole)} s, goal ≤ {most_s} s",
                median(whole) <= most_s,
            ),
            Goal(
                f"{model}: first characters after {spread(first)} ms, goal ≤ {MOST_FIRST_MS:g} ms",
                median(first) <= MOST_FIRST_MS,
            ),
            Goal(
                f"{model}: {STREAMS} streams {spread(ups)} × one stream’s best,"
                f" goal ≥ {LEAST_SPEED_UP:g}",
                median(ups) >= LEAST_SPEED_UP,
            ),
            Goal(
                f"{model}: {STREAMS} streams with two workers {spread(of_two)} × one worker,"
                f" goal ≥ {LEAST_OF_TWO:g}",
                median(of_two) >= LEAST_OF_TWO,
            ),
        ]
    return verdict


def summary(rows: Sequence[TextRow]) -> dict[str, Any]:
    """The same for machines."""
    return {
        "measurements": [row._asdict() for row in rows],
        "goals": [goal._asdict() for goal in goals(rows)],
    }


def _cells(rows: Sequence[TextRow]) -> list[list[TextRow]]:
    models = dict.fromkeys(row.model for row in rows)
    return [[row for row in rows if row.model == model] for model in models]


def _line(cell: Sequence[TextRow]) -> str:
    columns = (
        cell[0].model,
        spread([row.whole_s for row in cell], 3),
        spread([row.first_ms for row in cell], 1),
        spread([row.one_stream for row in cell], 0),
        spread([row.all_streams for row in cell], 0),
        spread([row.all_streams / row.one_stream for row in cell]),
        spread([row.two_workers / row.all_streams for row in cell]),
        sum(row.errors for row in cell),
    )
    return "| " + " | ".join(str(column) for column in columns) + " |"


def _is_served(model: str, target: Target) -> bool:
    return asyncio.run(_ask(paragraph(model, 1), target)).status == 200


def _service(model: str, target: Target, two: Target, seconds: int) -> dict[str, Any]:
    """Measure the service with one and with two workers; the fields of a TextRow."""
    started = time.perf_counter()
    whole = paragraph(model, WHOLE)
    answer = asyncio.run(_ask(whole, target))
    whole_s = time.perf_counter() - started
    if answer.status != 200 or not whole.is_right(answer.body):
        raise ValueError(f"{model} was answered wrongly, {answer.status}: {answer.body[:300]!r}")
    ways = (target, 1), (target, STREAMS), (two, STREAMS)
    one, many, many_at_two = tallies = [_drive(model, *way, seconds) for way in ways]
    return {
        "whole_s": whole_s,
        "first_ms": percentile(one.first_s, 0.5) * 1000,
        "one_stream": max(one.rates),
        "all_streams": many.characters / many.elapsed_s,
        "two_workers": many_at_two.characters / many_at_two.elapsed_s,
        "errors": sum(t.errors.total() + t.statuses.total() - t.statuses[200] for t in tallies),
    }


def _drive(model: str, target: Target, streams: int, seconds: int) -> StreamTally:
    tally = run_async(drive_streams(stream(model, PARAGRAPH), target, streams, seconds))
    if not tally.rates:
        raise ValueError(f"no stream of {model} ended: {dict(tally.errors)}")
    return tally


async def _ask(scenario: Scenario, target: Target) -> Answer:
    connection = Connection(target.host, target.port)
    with contextlib.closing(connection):
        return await connection.ask(request_bytes(scenario, target), 60.0)
