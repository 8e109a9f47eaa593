"""The photo benchmark: labelling over HTTP compared with a raw call of the graph.

It measures every photo network of the models folder, so that others (such as one from
`vitrine export labels --arch MobileNetV2`) can be compared with the released one. One JPEG, of the network's size
and of 500×375, on one connection, and the model's `serving_default` with one image.
"""

import contextlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from clients.benchmark import http_vs_raw, report
from clients.benchmark.engines import newest_version
from clients.benchmark.http_vs_raw import ModelRow, Question
from clients.benchmark.report import Column, Goal
from clients.load.images import SMALL_PHOTO, USUAL_PHOTO
from clients.load.scenario import photo

RELEASED = "labels"  # the goals are about this one
MOST_TIMES_RAW = 1.3
LEAST_SHARE = 0.85  # of the raw engine's rate on all processors, at 8 connections
CALLS = 40
LEAST_SIDE = 64  # pixels; networks of smaller images name no photos
TOGETHER = 8  # connections, the largest batch of a photo network


def measure(models: Path, rounds: int, seconds: int, say: Callable[[str], None]) -> list[ModelRow]:
    """Measure every network that names photos."""
    names = photo_networks(models)
    if not names:
        say(f"photos are left out: {models} holds no network that names photos")
    questions = [
        Question(
            name,
            photo(name, size),
            "serving_default",
            1,
            CALLS,
            TOGETHER,
            TOGETHER,
            f"{name}, {size[0]}×{size[1]}",
        )
        for name in names
        for size in (SMALL_PHOTO, USUAL_PHOTO)
    ]
    return http_vs_raw.measure(models, questions, rounds, seconds, say)


def photo_networks(models: Path) -> list[str]:
    """The names of the models whose manifest says that they classify images of a photo's size."""
    names = []
    for folder in sorted(models.glob("*")):
        with contextlib.suppress(ValueError, OSError, KeyError, TypeError):
            path = newest_version(models, folder.name) / "assets.extra/manifest.json"
            manifest = json.loads(path.read_text(encoding="utf-8"))
            if manifest["task"] == "classify_image" and manifest["input"]["height"] >= LEAST_SIDE:
                names.append(folder.name)
    return sorted(names, key=lambda name: name != RELEASED)


def table(rows: Sequence[ModelRow]) -> list[str]:
    """A Markdown table, one row per model."""
    rate = f"{TOGETHER} connections, photos/s"
    columns = http_vs_raw.columns("model, photo", "one photo, p50 ms", rate, 1, 1)
    share = Column("× raw engine on all processors", _shares)
    return report.table(report.cells(rows, "model"), [*columns, share])


def goals(rows: Sequence[ModelRow]) -> list[Goal]:
    """The verdicts on the released model, for each size; the others are there to compare."""
    verdict = []
    for cell in report.cells(rows, "model"):
        name = cell[0].model
        if name.partition(",")[0] != RELEASED:
            continue
        times = [row.times_raw for row in cell]
        verdict.append(report.at_most(f"{name}: one photo, × raw call:", times, MOST_TIMES_RAW))
        if shares := _shares(cell):
            text = f"{name}: {TOGETHER} connections, × raw engine:"
            verdict.append(report.at_least(text, shares, LEAST_SHARE))
    return verdict


def _shares(cell: Sequence[ModelRow]) -> list[float]:
    return [row.times_raw_rate for row in cell if row.raw_per_s]
