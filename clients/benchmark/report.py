"""Rows of the rounds → a table, a verdict and a record.

Ratios are taken within a round, in which the noise of the machine is the same for all.
"""

import math
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any, NamedTuple

from clients.load import markdown

Rows = Sequence[Any]  # NamedTuples of one kind


class Column(NamedTuple):
    """A column of a table."""

    head: str
    of: Callable[
        [Rows], Any
    ]  # the rows of a cell → numbers, one for each round, or anything to be shown as it is
    places: int = 2  # of the numbers


class Goal(NamedTuple):
    """One line of the verdict."""

    text: str
    is_met: bool


def at_most(text: str, values: Sequence[float], limit: float, unit: str = "") -> Goal:
    """A goal for the median of the values of the rounds."""
    spoken = f"{text} {spread(values)}{unit}, goal ≤ {limit:g}{unit}"
    return Goal(spoken, median(values) <= limit)


def at_least(text: str, values: Sequence[float], limit: float) -> Goal:
    """The same, the other way round."""
    return Goal(f"{text} {spread(values)}, goal ≥ {limit:g}", median(values) >= limit)


def cells(rows: Rows, *fields: str) -> list[list[Any]]:
    """The rows that are alike in these fields, one for each round."""
    found: dict[tuple[Any, ...], list[Any]] = {}
    for row in rows:
        found.setdefault(tuple(getattr(row, field) for field in fields), []).append(row)
    return list(found.values())


def table(some: Sequence[Rows], columns: Sequence[Column]) -> list[str]:
    """A Markdown table, a line for each cell."""
    lines = [[_shown(column, cell) for column in columns] for cell in some]
    return markdown.table([column.head for column in columns], lines)


def spread(values: Sequence[float], places: int = 2) -> str:
    """Median (min-max); a dash for nothing."""
    if not values:
        return "–"
    shown = [f"{value:,.{places}f}" for value in (median(values), min(values), max(values))]
    return f"{shown[0]} ({shown[1]}-{shown[2]})"


def record(rows: Rows, goals: Sequence[Goal]) -> dict[str, Any]:
    """The same for machines, as strict JSON has it."""
    return {"measurements": plain(rows), "goals": plain(goals)}


def plain(value: Any) -> Any:
    """Tuples with names as objects, and null for what is no finite number."""
    if hasattr(value, "_asdict"):
        return {name: plain(one) for name, one in value._asdict().items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _shown(column: Column, cell: Rows) -> Any:
    found = column.of(cell)
    return spread(found, column.places) if isinstance(found, list) else found
