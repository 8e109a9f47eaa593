"""The text benchmark: characters per second over HTTP.

In each round, for each text model: 5,000 characters in one request, one stream after the other, 32
streams at a time, and these at a service with two workers.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from clients.benchmark import report
from clients.benchmark.report import Column, Goal
from clients.load.closed_loop import Tally, drive
from clients.load.event_loop import run_async
from clients.load.measurement import percentile
from clients.load.scenario import PARAGRAPH, ask_once, paragraph, stream
from clients.load.server_process import service
from clients.load.target import Target

MODELS = ("text-course", "text")  # those of them that are served
WHOLE = 5_000  # characters
STREAMS = 32
STREAM_TIMEOUT_S = 60.0
MOST_WHOLE_S = {"text-course": 0.1, "text": 1.0}
MOST_FIRST_MS = 15.0
LEAST_SPEED_UP = 3.0  # of 32 streams over one stream's best
LEAST_OF_TWO = 1.8  # of 32 streams with two workers over one


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

    @property
    def speed_up(self) -> float:
        """Of all streams over one stream's best."""
        return self.all_streams / self.one_stream

    @property
    def of_two(self) -> float:
        """Of two workers over one."""
        return self.two_workers / self.all_streams


def measure(_: Path, rounds: int, seconds: int, say: Callable[[str], None]) -> list[TextRow]:
    """Start the service and measure round by round."""
    with service() as one_worker, service(workers="2") as two_workers:
        target, two = one_worker.target, two_workers.target
        models = [model for model in MODELS if ask_once(paragraph(model, 1), target).status == 200]
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
    columns = [
        Column("model", lambda cell: cell[0].model),
        Column(f"{WHOLE:,} characters, s", lambda cell: [row.whole_s for row in cell], 3),
        Column("first characters, ms", lambda cell: [row.first_ms for row in cell], 1),
        Column("one stream, characters/s", lambda cell: [row.one_stream for row in cell], 0),
        Column(f"{STREAMS} streams, characters/s", lambda cell: [r.all_streams for r in cell], 0),
        Column("× one stream’s best", lambda cell: [row.speed_up for row in cell]),
        Column("two workers × one", lambda cell: [row.of_two for row in cell]),
        Column("errors", lambda cell: sum(row.errors for row in cell)),
    ]
    return report.table(report.cells(rows, "model"), columns)


def goals(rows: Sequence[TextRow]) -> list[Goal]:
    """The verdict for each model."""
    verdict = []
    for cell in report.cells(rows, "model"):
        model, most_s = cell[0].model, MOST_WHOLE_S[cell[0].model]
        whole, first = [row.whole_s for row in cell], [row.first_ms for row in cell]
        ups, of_two = [row.speed_up for row in cell], [row.of_two for row in cell]
        many = f"{model}: {STREAMS} streams"
        verdict += [
            report.at_most(f"{model}: {WHOLE:,} characters in", whole, most_s, " s"),
            report.at_most(f"{model}: first characters after", first, MOST_FIRST_MS, " ms"),
            report.at_least(f"{many}, × one stream’s best:", ups, LEAST_SPEED_UP),
            report.at_least(f"{many} with two workers, × one worker:", of_two, LEAST_OF_TWO),
        ]
    return verdict


def _service(model: str, target: Target, two: Target, seconds: int) -> dict[str, Any]:
    """Measure the service with one and with two workers; the fields of a TextRow."""
    started = time.perf_counter()
    whole = paragraph(model, WHOLE)
    answer = ask_once(whole, target)
    whole_s = time.perf_counter() - started
    if answer.status != 200 or not whole.is_right(answer.body):
        raise ValueError(f"{model} was answered wrongly, {answer.status}: {answer.body[:300]!r}")
    ways = (target, 1), (target, STREAMS), (two, STREAMS)
    one, many, many_at_two = tallies = [_drive(model, *way, seconds) for way in ways]
    return {
        "whole_s": whole_s,
        "first_ms": percentile(one.first_s, 0.5) * 1000,
        "one_stream": PARAGRAPH / min(one.latencies_s),
        "all_streams": _characters_per_s(many),
        "two_workers": _characters_per_s(many_at_two),
        "errors": sum(t.errors.total() + t.statuses.total() - t.statuses[200] for t in tallies),
    }


def _drive(model: str, target: Target, streams: int, seconds: int) -> Tally:
    scenario = stream(model, PARAGRAPH)
    tally = run_async(drive(scenario, target, streams, seconds, STREAM_TIMEOUT_S))
    if not tally.latencies_s:
        raise ValueError(f"no stream of {model} ended: {dict(tally.errors)}")
    return tally


def _characters_per_s(tally: Tally) -> float:
    return PARAGRAPH * len(tally.latencies_s) / tally.elapsed_s
