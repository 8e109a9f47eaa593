"""`python -m clients.scaling`: the tables of docs/scaling.md, simulated from measurements.

With `--measure` it first measures this machine: `vitrine serve` with one and two workers and, if Ray is
installed, `vitrine cluster` with two replicas. The results replace clients/scaling/measured.json.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from clients.load.markdown import table_head, table_row
from clients.load.server_process import stop_on_sigterm
from clients.scaling.calibration import Fit, Point, fit, predict, read_points
from clients.scaling.simulation import Cluster, Costs, open_loop

MEASURED = Path(__file__).with_name("measured.json")
MACHINES = (1, 10, 100, 1000, 10_000)
MACHINES_HEAD = (
    "machines", "requests/s", "p50, p99 ms at random", "p50, p99 ms, two choices", "Gbit/s in",
)  # fmt: skip
LOAD = 0.7  # of the capacity
REQUESTS = 40_000  # simulated for each row
PRICE_PER_CORE_HOUR = 0.045  # US dollars, an assumption: docs/scaling.md
UTILIZATION = 0.5  # of the capacity that is paid for: mean over a day


def main(arguments: list[str]) -> int:
    """Print every table; status 1 if a measured point is missed by more than a third."""
    parser = argparse.ArgumentParser(prog="python -m clients.scaling", description=__doc__)
    parser.add_argument("--measure", action="store_true", help="measure this machine first")
    if parser.parse_args(arguments).measure:
        from clients.scaling.measure import measure

        MEASURED.write_text(json.dumps(measure(), indent=1) + "\n", encoding="utf-8")
    is_good = True
    for name, measured in json.loads(MEASURED.read_text(encoding="utf-8")).items():
        points = read_points(measured)
        fitted = fit(points, measured["max_batch"])
        is_good &= _show_check(name, points, fitted)
        _show_machines(measured, fitted.costs)
        _show_cluster(measured)
    return 0 if is_good else 1


def _show_check(name: str, points: list[Point], fitted: Fit) -> bool:
    print(f"\n{name}: {fitted}\n")
    print("\n".join(table_head(("workers", "connections", "measured/s", "simulated/s", ""))))
    most = max(point.connections for point in points if point.workers == 1)
    is_good = True
    for point in points:
        expected = predict(point, fitted)
        is_fitted = point.workers == 1 and point.connections in (1, most)
        is_good &= is_fitted or abs(expected / point.rate - 1) < 1 / 3
        note = "fitted" if is_fitted else f"predicted, {expected / point.rate - 1:+.0%}"
        rates = (f"{point.rate:,.0f}", f"{expected:,.0f}")
        print(table_row((point.workers, point.connections, *rates, note)))
    return is_good


def _show_machines(measured: dict[str, Any], costs: Costs) -> None:
    """Machines of two workers each, at 70 % of their capacity."""
    dollars = 1e6 / (costs.capacity * UTILIZATION) / 3600 * PRICE_PER_CORE_HOUR
    print(f"\nUS dollars per million requests: {dollars:.3f}\n")
    print("\n".join(table_head(MACHINES_HEAD)))
    for machines in MACHINES:
        replicas = 2 * machines
        rate = LOAD * replicas * costs.capacity
        seconds = max(REQUESTS / rate, 10 * costs.batch(costs.max_batch))
        cells = []
        for choices in (1, 2):
            outcome = open_loop(Cluster(replicas, choices, 0.0005), costs, rate, seconds)
            cells.append(
                f"{1e3 * outcome.percentile(0.5):.0f}, {1e3 * outcome.percentile(0.99):.0f}"
            )
        gigabits = rate * measured["request_bytes"] * 8 / 1e9
        print(table_row((f"{machines:,}", f"{rate:,.0f}", *cells, f"{gigabits:,.2f}")))


def _show_cluster(measured: dict[str, Any]) -> None:
    """How much of two workers' rate two replicas reach, by connections."""
    ratios: dict[int, list[str]] = {}
    for row in measured.get("beside_cluster", ()):
        ratio = row["cluster"] / row["workers"]
        ratios.setdefault(row["connections"], []).append(f"{ratio:.2f}")
    for connections, rounds in ratios.items():
        print(f"\ncluster / two workers, {connections} connections, by round: {', '.join(rounds)}")


if __name__ == "__main__":
    stop_on_sigterm()
    sys.exit(main(sys.argv[1:]))
