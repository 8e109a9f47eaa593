"""The ladder: rates from low to higher until the service no longer keeps up, several targets in turn.

At each rate every target is asked, one right after the other, so that all of them see the same noise
of the machine. A target leaves the ladder after two steps in a row that it did not keep up with: one alone
may be a hiccup, and the second shows what overload looks like.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from clients.load.step_summary import Step

FIRST_SHARE = 0.15  # of the rate at which one client alone, asking again and again, would ask
FACTOR = 1.5
LEAST_REQUESTS = 20  # in a step: rates below this in a second make longer steps
LONGEST_STEP_S = 10.0

Measure = Callable[[int, float, float], Awaitable[Step]]  # target's number, rate, seconds


class Ladder(NamedTuple):
    """Which rates, and for how long each."""

    rates: tuple[float, ...]
    seconds: float

    def step_seconds(self, rate: float) -> float:
        """Long enough for a few requests, if that is not too long."""
        return max(self.seconds, min(LEAST_REQUESTS / rate, LONGEST_STEP_S))


def rate_ladder(alone_s: float, steps: int, seconds: float) -> Ladder:
    """A ladder that begins well below what one client alone would ask, given a lone request's time."""
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


def knee(steps: Sequence[Step]) -> Step | None:
    """Where more load begins to cost more than it brings; None if no measured step is beyond it.

    Of the steps that kept up, the one with the most right answers per second for each millisecond of
    its median latency ("power": L. Kleinrock, Power and deterministic rules of thumb for probabilistic
    problems in computer communications, 1979).
    """
    kept_up = [step for step in steps if step.keeps_up and step.latency_ms]
    if not kept_up:
        return None
    best = max(kept_up, key=lambda step: step.right_per_s / step.latency_ms["p50"])
    return best if best is not steps[-1] else None


def max_goodput(steps: Sequence[Step]) -> float:
    """The most right answers in a second, at any rate."""
    return max((step.right_per_s for step in steps), default=0.0)


def _two_digits(rate: float) -> float:
    return float(f"{rate:.2g}")
