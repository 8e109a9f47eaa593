"""The ladder: increasing rates until the service no longer keeps up, for several targets in turn.

Then the knee, the highest sustained rate, is searched between the last sustained step
and the first that was not. (The rate of greatest "power", correct answers per second divided by latency, is not
the knee: for a queue it is half the capacity, L. Kleinrock, Power and deterministic rules of thumb for
probabilistic problems in computer communications, 1979.)

At each rate all targets are measured one right after the other, so that they have the same noise
of the machine. A target leaves the ladder after two consecutive steps that it did not sustain: a single one
may be noise, and the second shows the behaviour under overload.
"""

import math
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from clients.load.step_summary import Step

FIRST_SHARE = 0.15  # of the rate at which one client alone, asking again and again, would ask
FACTOR = 1.5
LEAST_REQUESTS = 20  # in a step: rates below this in a second make longer steps
LONGEST_STEP_S = 10.0
PRECISION = 1.08  # of the knee: the next rate that was tried and lost is at most so much higher
MOST_SEARCHED = 4  # rates between two steps

Measure = Callable[[int, float, float], Awaitable[Step]]  # target's number, rate, seconds


class Ladder(NamedTuple):
    """Which rates, and for how long each."""

    rates: tuple[float, ...]
    seconds: float

    def step_seconds(self, rate: float) -> float:
        """Long enough for a few requests, if that is not too long."""
        return max(self.seconds, min(LEAST_REQUESTS / rate, LONGEST_STEP_S))


def rate_ladder(alone_s: float, steps: int, seconds: float) -> Ladder:
    """A ladder that starts well below the rate of a single client, from the latency of a single request."""
    first = FIRST_SHARE / max(alone_s, 1e-4)
    return Ladder(tuple(_two_digits(first * FACTOR**number) for number in range(steps)), seconds)


async def run_ladder(ladder: Ladder, targets: int, measure: Measure) -> list[list[Step]]:
    """Measure rate by rate; the steps of each target, which may have ended early."""
    climbed: list[list[Step]] = [[] for _ in range(targets)]
    for rate in ladder.rates:
        for number, steps in enumerate(climbed):
            if not is_over(steps):
                steps.append(await measure(number, rate, ladder.step_seconds(rate)))
    return climbed


def is_over(steps: Sequence[Step]) -> bool:
    """Whether the last two steps were not kept up with, or the last had no right answer."""
    if steps and not steps[-1].latency_ms:
        return True
    return len(steps) >= 2 and not any(step.keeps_up for step in steps[-2:])


async def find_knee(
    ladder: Ladder, steps: list[Step], measure: Callable[[float, float], Awaitable[Step]]
) -> list[Step]:
    """The steps of a ladder, lowest rate first, with those that narrow the knee down to PRECISION."""
    for _ in range(MOST_SEARCHED):
        kept, lost = knee(steps), _first_lost(steps)
        if kept is None or lost is None or lost.rate <= kept.rate * PRECISION:
            break
        rate = float(f"{math.sqrt(kept.rate * lost.rate):.3g}")
        if any(step.rate == rate for step in steps):
            break
        steps = sorted(
            [*steps, await measure(rate, ladder.step_seconds(rate))], key=lambda step: step.rate
        )
    return steps


def knee(steps: Sequence[Step]) -> Step | None:
    """The highest rate that was kept up with; None if none was, or the highest tried was."""
    kept_up = [step for step in steps if step.keeps_up and step.latency_ms]
    if not kept_up:
        return None
    best = max(kept_up, key=lambda step: step.rate)
    return best if _first_lost(steps) else None


def _first_lost(steps: Sequence[Step]) -> Step | None:
    """The lowest rate above all that were kept up with; one hiccup below them does not count."""
    highest = max((step.rate for step in steps if step.keeps_up), default=0.0)
    lost = [step for step in steps if step.rate > highest]
    return min(lost, key=lambda step: step.rate) if lost else None


def max_goodput(steps: Sequence[Step]) -> float:
    """The most right answers in a second, at any rate."""
    return max((step.right_per_s for step in steps), default=0.0)


def _two_digits(rate: float) -> float:
    return float(f"{rate:.2g}")
