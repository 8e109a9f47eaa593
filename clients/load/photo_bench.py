"""The part of the benchmark that posts a photo: decoded, run and named through HTTP, beside a raw call.

It measures every network of the models folder that names photos, so that another one (such as
`python -m training export labels --arch MobileNetV2` makes) stands beside the released one. One
224×224 JPEG on one connection, and the model's `serving_default` with one picture.
"""

import contextlib
import json
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
from clients.load.scenario import photo
from clients.load.target import Target

RELEASED = "labels"  # the goal is about this one
MOST_TIMES_RAW = 1.3
CALLS = {1: 40}
LEAST_SIDE = 64  # pixels; networks of smaller pictures name no photos
TOGETHER = 8  # connections, the largest batch of a photo network
HEAD = (
    "| model | one photo, p50 ms | raw call, ms | × raw call | 8 connections, photos/s | errors |"
)


class PhotoRow(NamedTuple):
    """One model in one round."""

    round: int
    model: str
    alone: Measurement
    together: Measurement
    raw_ms: float

    @property
    def errors(self) -> int:
        """Answers that were none, or wrong."""
        return sum(m.not_2xx + m.socket_errors for m in (self.alone, self.together))


def measure(models: Path, rounds: int, seconds: int, say: Callable[[str], None]) -> list[PhotoRow]:
    """Start the service and the raw networks, and measure round by round."""
    names = photo_networks(models)
    if not names:
        say(f"photos are left out: {models} holds no network that names photos")
        return []
    rows = []
    with contextlib.ExitStack() as stack:
        target = stack.enter_context(servers.service())
        raw = {name: stack.enter_context(_raw(models, name)) for name in names}
        for name in names:
            _drive(name, target, 1, 1)  # warm
        for number in range(rounds):
            for name in names:
                raw_ms = raw[name]()["batches"]["1"]["median_ms"]
                alone, together = (_drive(name, target, n, seconds) for n in (1, TOGETHER))
                rows.append(PhotoRow(number, name, alone, together, raw_ms))
                ratio = alone.p50_ms / raw_ms
                say(
                    f"round {number + 1}  {name}  p50 {alone.p50_ms:.1f} ms, {ratio:.2f} × raw call"
                )
    return rows


def photo_networks(models: Path) -> list[str]:
    """The names of the models whose manifest says that they classify pictures of a photo's size."""
    names = []
    for folder in sorted(models.glob("*")):
        with contextlib.suppress(ValueError, OSError, KeyError, TypeError):
            path = newest_version(models, folder.name) / "assets.extra/manifest.json"
            manifest = json.loads(path.read_text(encoding="utf-8"))
            if manifest["task"] == "classify_image" and manifest["input"]["height"] >= LEAST_SIDE:
                names.append(folder.name)
    return sorted(names, key=lambda name: name != RELEASED)


def table(rows: Sequence[PhotoRow]) -> list[str]:
    """A Markdown table, a line for each model."""
    return [HEAD, "|---" * 6 + "|", *(_line(cell) for cell in _cells(rows))]


def goals(rows: Sequence[PhotoRow]) -> list[Goal]:
    """The verdict, on the released model; the others are there to compare."""
    ratios = [row.alone.p50_ms / row.raw_ms for row in rows if row.model == RELEASED]
    if not ratios:
        return []
    text = f"{RELEASED}: one photo in {spread(ratios)} × raw call, goal ≤ {MOST_TIMES_RAW}"
    return [Goal(text, median(ratios) <= MOST_TIMES_RAW)]


def summary(rows: Sequence[PhotoRow]) -> dict[str, Any]:
    """The same for machines."""
    return {
        "measurements": [
            row._asdict() | {"alone": row.alone._asdict(), "together": row.together._asdict()}
            for row in rows
        ],
        "goals": [goal._asdict() for goal in goals(rows)],
    }


def _raw(models: Path, name: str) -> contextlib.AbstractContextManager[Callable[[], Any]]:
    command = raw_model.command(models, name, "serving_default", CALLS)
    return servers.on_demand(command, f"the raw network {name}")


def _drive(name: str, target: Target, connections: int, seconds: int) -> Measurement:
    return measurement_of(run_async(drive(photo(name), target, connections, seconds)))


def _cells(rows: Sequence[PhotoRow]) -> list[list[PhotoRow]]:
    models = dict.fromkeys(row.model for row in rows)
    return [[row for row in rows if row.model == model] for model in models]


def _line(cell: Sequence[PhotoRow]) -> str:
    columns = (
        cell[0].model,
        spread([row.alone.p50_ms for row in cell], 1),
        spread([row.raw_ms for row in cell], 1),
        spread([row.alone.p50_ms / row.raw_ms for row in cell]),
        spread([row.together.requests_per_s for row in cell], 1),
        sum(row.errors for row in cell),
    )
    return "| " + " | ".join(str(column) for column in columns) + " |"
