"""One measured cell, and percentiles."""

from collections.abc import Sequence
from typing import NamedTuple

from clients.load.closed_loop import Tally, drive
from clients.load.event_loop import run_async
from clients.load.scenario import Scenario
from clients.load.target import Target


class Measurement(NamedTuple):
    """Rates and latencies are of the right answers only."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    not_2xx: int
    socket_errors: int


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that at least `share` of them do not exceed (nearest rank)."""
    if not values:
        raise ValueError("a percentile needs at least one value")
    ordered = sorted(values)
    rank = -int(-share * len(ordered) // 1)  # rounded up
    return ordered[max(rank, 1) - 1]


def measurement_of(tally: Tally) -> Measurement:
    """What a tally holds, as one cell; a wrong answer counts as not 2xx."""
    latencies = tally.latencies_s or [float("nan")]
    wrong = tally.errors["wrong answer"]
    failed = sum(n for status, n in tally.statuses.items() if not 200 <= status < 300)
    return Measurement(
        requests_per_s=len(tally.latencies_s) / tally.elapsed_s,
        p50_ms=percentile(latencies, 0.5) * 1000,
        p99_ms=percentile(latencies, 0.99) * 1000,
        not_2xx=failed + wrong,
        socket_errors=tally.errors.total() - wrong,
    )


def measure_closed_loop(
    scenario: Scenario, target: Target, connections: int, seconds: float
) -> Measurement:
    """Keep `connections` busy for `seconds`."""
    return measurement_of(run_async(drive(scenario, target, connections, seconds)))
