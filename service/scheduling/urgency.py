"""Selects the rows of a run: all in turn, or only the most urgent ones while the time is too short for all.

Rows of equal length that take turns are all done at the same time: where that is too late for one, it
is too late for all of them. Then the first to join runs first, so that some are in time.
"""

import math
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar


class Row(Protocol):
    """The properties of a row that the selection needs."""

    @property
    def left(self) -> float:
        """Steps."""

    @property
    def deadline(self) -> float:
        """Seconds of the clock that `choose_rows` is called with."""


R = TypeVar("R", bound=Row)
NEARLY_BEST = 1.25  # of the least seconds per row, for which more rows run together


def efficient_width(most: int, cost: Callable[[int], float]) -> int:
    """How many of `most` rows run together with nearly the least seconds per row.

    A run that is padded takes as long for 17 rows as for 32: then 16 run first.
    """
    each = [cost(rows) / rows for rows in range(1, most + 1)]
    enough = NEARLY_BEST * min(each)
    return next(rows for rows in range(most, 0, -1) if each[rows - 1] <= enough)


def _are_in_time(rows: Sequence[Row], seconds: float, now: float, running: float) -> bool:
    """Whether every row is in time if all take turns; seconds: of a row's step.

    A row is done once each of the others has run as many steps, or all of its own.
    """
    before, sharing = running, len(rows)
    for row in sorted(rows, key=lambda row: row.left):
        if now + (before + sharing * row.left) * seconds > row.deadline:
            return False
        before += row.left
        sharing -= 1
    return True


def choose_rows(
    able: Sequence[R], width: int, cost: Callable[[int], float], now: float, running: float = 0.0
) -> Sequence[R]:
    """At most `width` of the rows: the first ones, or the most urgent where not all can be in time.

    cost: rows → seconds of a step; 0 as long as nothing is known.
    running: steps left of rows that are in a run now.
    """
    width = efficient_width(min(width, len(able)), cost)
    if _are_in_time(able, cost(width) / width, now, running):
        return able[:width]
    chosen: list[R] = []
    allowed = math.inf  # seconds of a step with which each chosen row is in time
    for row in sorted(able, key=lambda row: row.deadline)[:width]:
        step = cost(len(chosen) + 1)
        if step > allowed:
            break
        its_own = (row.deadline - now) / row.left if row.left > 0 else math.inf
        if its_own >= step:  # else it would only delay the others
            allowed = min(allowed, its_own)
            chosen.append(row)
    return chosen or able[:width]
