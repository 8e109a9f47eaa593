"""Made-up steps of the ladder."""

from clients.load.step_summary import Step


def step(rate, right_per_s=None, p50_ms=2.0, **more):
    latency_ms = (
        {"p50": p50_ms, "p90": p50_ms, "p99": 3 * p50_ms, "max": 9 * p50_ms} if p50_ms else {}
    )
    values = {
        "rate": rate,
        "asked": int(rate),
        "right_per_s": rate if right_per_s is None else right_per_s,
        "latency_ms": latency_ms,
        "first_ms": {},
        "by_scenario_ms": {},
        "refusals": {},
        "errors": {},
        "batch_sizes": {},
        "timings_ms": {},
        "waited": 0,
        "lag_ms": {"p50": 0.1, "p90": 0.1, "p99": 0.2, "max": 0.3},
        "cpu_share": 0.1,
    }
    return Step(**(values | more))


def queue_step(rate, capacity):
    return step(rate, p50_ms=1000 / (capacity - rate))
