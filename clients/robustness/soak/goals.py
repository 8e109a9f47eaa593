"""What a goal of the soak is, and how the numbers of its steps add up.

A goal is worked off in steps, each with a service of its own, so that a run can stop after any step
and go on later.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

Tally = dict[str, float]  # names that begin with most_ are maxima, all others sums


@dataclass(frozen=True)
class Step:
    """Which part of a goal to work off, from `start` on, with the models of a folder."""

    models: Path
    start: int
    count: int


@dataclass(frozen=True)
class Goal:
    """One row of the table.

    full, short, step: how many units a full run and a short one make, and how many a step.
    """

    key: str
    title: str
    unit: str
    full: int
    short: int
    step: int
    work: Callable[[Step], Awaitable[Tally]]
    is_reached: Callable[[Tally], bool]
    describe: Callable[[Tally], str]

    def run(self, step: Step) -> Tally:
        """Work off a step."""
        tally = asyncio.run(_awaited(self.work(step)))
        return {"done": step.count, **tally}


async def _awaited(work: Awaitable[Tally]) -> Tally:
    return await work


def added(tally: Tally, more: Tally) -> Tally:
    """Two tallies of the same goal as one."""
    names = {**tally, **more}
    return {
        name: max(tally.get(name, 0), more.get(name, 0))
        if name.startswith("most_")
        else tally.get(name, 0) + more.get(name, 0)
        for name in names
    }
