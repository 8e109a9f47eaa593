"""The photo benchmark: labelling over HTTP compared with a raw call of the graph.

It measures every photo network of the models folder, so that others (such as one from
`vitrine export labels --arch MobileNetV2`) can be compared with the released one. One
224×224 JPEG on one connection, and the model's `serving_default` with one image.
"""

import contextlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from clients.benchmark import http_vs_raw
from clients.benchmark.comparison import Goal, spread
from clients.benchmark.http_vs_raw import ModelRow, Question
from clients.benchmark.raw_model import newest_version
from clients.load.scenario import photo

RELEASED = "labels"  # the goal is about this one
MOST_TIMES_RAW = 1.3
LEAST_SHARE = 0.85  # of the raw engine's rate on all processors, at 8 connections
CALLS = 40
LEAST_SIDE = 64  # pixels; networks of smaller images name no photos
TOGETHER = 8  # connections, the largest batch of a photo network
HEAD = (
    "| model | one photo, p50 ms | raw call, ms | × raw call | 8 connections, photos/s | errors"
    " | × raw batch of 8 on all processors |"
)


def measure(models: Path, rounds: int, seconds: int, say: Callable[[str], None]) -> list[ModelRow]:
    """Measure every network that names photos."""
    names = photo_networks(models)
    if not names:
        say(f"photos are left out: {models} holds no network that names photos")
    questions = [
        Question(name, photo(name), "serving_default", 1, CALLS, TOGETHER, TOGETHER)
        for name in names
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
    return http_vs_raw.table(HEAD, rows, 1, 1)


def goals(rows: Sequence[ModelRow]) -> list[Goal]:
    """The verdict, on the released model; the others are there to compare."""
    ratios = [row.times_raw for row in rows if row.model == RELEASED]
    if not ratios:
        return []
    text = f"{RELEASED}: one photo in {spread(ratios)} × raw call, goal ≤ {MOST_TIMES_RAW}"
    shares = [row.times_raw_rate for row in rows if row.model == RELEASED and row.raw_per_s]
    found = [Goal(text, median(ratios) <= MOST_TIMES_RAW)]
    if shares:
        text = f"{RELEASED}: {TOGETHER} connections at {spread(shares)} of the raw engine, goal ≥ {LEAST_SHARE}"
        found.append(Goal(text, median(shares) >= LEAST_SHARE))
    return found


def summary(rows: Sequence[ModelRow]) -> dict[str, Any]:
    """The same for machines."""
    return http_vs_raw.summary(rows, goals(rows))
