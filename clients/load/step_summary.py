"""Summary of one step of the ladder: requests, answers, and how far the load generator itself was the limit."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from clients.load.measurement import percentile
from clients.load.open_loop import StepTally

SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
BUSY_SHARE = 0.8  # of one core, from which on this process, one thread, is likely the limit
LATE_MS, LATE_SHARE = 5.0, 0.1  # relevant own lateness, relative to the measured latencies
KEPT_UP = 0.9  # share of the requested rate

Percentiles = dict[str, float]  # of SHARES, in milliseconds; empty without answers


class Step(NamedTuple):
    """One rate and its results."""

    rate: float  # requests per second that were due
    asked: int
    right_per_s: float
    latency_ms: Percentiles
    first_ms: Percentiles  # until the answer's body began
    by_scenario_ms: dict[str, Percentiles]
    refusals: dict[str, int]
    errors: dict[str, int]
    batch_sizes: dict[int, int]
    timings_ms: dict[str, Percentiles]
    waited: int
    lag_ms: Percentiles
    cpu_share: float

    @property
    def keeps_up(self) -> bool:
        """Whether goodput nearly reached the offered rate."""
        return self.right_per_s >= KEPT_UP * self.rate

    @property
    def mean_batch_size(self) -> float | None:
        """Over answers; None if none told its batch."""
        answers = sum(self.batch_sizes.values())
        total = sum(size * count for size, count in self.batch_sizes.items())
        return total / answers if answers else None

    @property
    def own_limit(self) -> str:
        """Why this process may have been the bottleneck instead of the service; empty if it was not."""
        late_ms, slow_ms = self.lag_ms["p99"], self.latency_ms.get("p99", 0.0)
        matters_ms = LATE_MS if self.lag_ms["p50"] > LATE_MS else max(LATE_MS, LATE_SHARE * slow_ms)
        reasons = []
        if self.cpu_share >= BUSY_SHARE:
            reasons.append(f"it used {self.cpu_share:.0%} of a core")
        if late_ms > matters_ms:
            reasons.append(f"it sent 1 % of the requests {late_ms:.0f} ms late or later")
        return " and ".join(reasons)


def step_of(rate: float, tally: StepTally) -> Step:
    """A tally in figures."""
    return Step(
        rate=rate,
        asked=tally.asked,
        right_per_s=len(tally.latencies_s) / tally.elapsed_s,
        latency_ms=_milliseconds(tally.latencies_s),
        first_ms=_milliseconds(tally.first_s),
        by_scenario_ms=_each(tally.latencies_by_scenario, 1000.0),
        refusals=dict(tally.refusals),
        errors=dict(tally.errors),
        batch_sizes=dict(sorted(tally.batch_sizes.items())),
        timings_ms=_each(tally.timings_ms, 1.0),
        waited=tally.waited,
        lag_ms=_milliseconds(tally.lags_s),
        cpu_share=tally.cpu_share,
    )


def as_record(step: Step) -> dict[str, Any]:
    """The same for machines."""
    return step._asdict() | {
        "mean_batch_size": step.mean_batch_size,
        "keeps_up": step.keeps_up,
        "own_limit": step.own_limit,
    }


def _each(values: Mapping[str, Sequence[float]], factor: float) -> dict[str, Percentiles]:
    return {name: _milliseconds(some, factor) for name, some in values.items()}


def _milliseconds(values: Sequence[float], factor: float = 1000.0) -> Percentiles:
    if not values:
        return {}
    return {name: percentile(values, share) * factor for name, share in SHARES.items()}
