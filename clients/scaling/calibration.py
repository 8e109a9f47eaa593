"""The cost model of a replica, fitted to two measured points of one worker; everything else is predicted."""

from typing import Any, NamedTuple

from clients.scaling.simulation import Cluster, Costs, closed_loop


class Point(NamedTuple):
    """A measured closed loop: numbers of workers and connections, answers per second, p50 in seconds."""

    workers: int
    connections: int
    rate: float
    p50: float


class Fit(NamedTuple):
    """The costs of a worker and of one way between a client and it, in seconds."""

    costs: Costs
    network_seconds: float


def fit(points: list[Point], max_batch: int) -> Fit:
    """Fit the point with one connection and the one with most, both of one worker.

    Alone, a request takes batch + row; with full batches, max_batch requests take batch + max_batch · row.
    If requests run one by one, the additional latency of a single request is the network time.
    """
    one_worker = sorted(
        (point for point in points if point.workers == 1), key=lambda point: point.connections
    )
    alone, full = one_worker[0], one_worker[-1]
    if max_batch == 1:
        busy = 1 / full.rate
        return Fit(Costs(busy, 0.0, 0.0, 1), max(0.0, 1 / alone.rate - busy) / 2)
    row = max(0.0, (max_batch / full.rate - 1 / alone.rate) / (max_batch - 1))
    return Fit(Costs(0.0, max(0.0, 1 / alone.rate - row), row, max_batch), 0.0)


def predict(point: Point, fitted: Fit) -> float:
    """Answers a second that the simulation expects where a point was measured.

    The kernel spreads connections over workers without looking at their queues: one choice.
    """
    cluster = Cluster(point.workers, 1, fitted.network_seconds)
    return closed_loop(cluster, fitted.costs, point.connections, seconds=5).rate


def read_points(measured: dict[str, Any]) -> list[Point]:
    """The points of one scenario of `measured.json`."""
    return [Point(**point) for point in measured["points"]]
