"""Measurements to fit and check the simulation: closed loops on services of this machine."""

import asyncio
import importlib.util
import sys
from statistics import median
from typing import Any

from clients.load.closed_loop import drive
from clients.load.scenario import Scenario, scenarios
from clients.load.server_process import Server, service
from clients.scaling.calibration import Point

# Scenario → rows of a full batch: digits run one by one on the event loop, photos eight together.
MAX_BATCH = {"photo": 8, "digit": 1}
CONNECTIONS = {1: (1, 4, 32), 2: (32,)}  # by workers
CLUSTER_CONNECTIONS = (8, 16, 32)
SECONDS, ROUNDS = 3.0, 4
ON_ONE_MACHINE = {
    "cluster_proxies": "head",
    "cluster_min_replicas": "2",
    "cluster_max_replicas": "2",
    "cluster_cpus_per_front": "0.1",
    "cluster_cpus_per_replica": "0.1",
}


def measure() -> dict[str, Any]:
    """The points of each scenario, and the rounds of a cluster compared with two workers."""
    found: dict[str, Any] = {}
    every = scenarios()
    for name, max_batch in MAX_BATCH.items():
        body = len(every[name].body)
        found[name] = {"max_batch": max_batch, "request_bytes": body, "points": []}
    for workers, connections in CONNECTIONS.items():
        with service(workers=str(workers)) as server:
            for name in MAX_BATCH:
                points = [_point(every[name], server, workers, number) for number in connections]
                found[name]["points"] += [point._asdict() for point in points]
    if importlib.util.find_spec("ray"):
        _measure_cluster(found, every)
    return found


def _measure_cluster(found: dict[str, Any], every: dict[str, Scenario]) -> None:
    with service(workers="2") as workers, service("service.cluster", **ON_ONE_MACHINE) as cluster:
        for name in MAX_BATCH:
            found[name]["beside_cluster"] = [
                {
                    "connections": number,
                    "workers": _point(every[name], workers, 2, number).rate,
                    "cluster": _point(every[name], cluster, 2, number).rate,
                }
                for _ in range(ROUNDS)
                for number in CLUSTER_CONNECTIONS
            ]


def _point(scenario: Scenario, server: Server, workers: int, connections: int) -> Point:
    tally = asyncio.run(drive(scenario, server.target, connections, SECONDS))
    if tally.errors or set(tally.statuses) != {200}:
        raise OSError(f"{scenario.name}: {dict(tally.statuses)} {dict(tally.errors)}")
    rate = len(tally.latencies_s) / tally.elapsed_s
    print(f"{scenario.name} {workers} × {connections}: {rate:.1f}/s", file=sys.stderr, flush=True)
    return Point(workers, connections, round(rate, 1), round(median(tally.latencies_s), 6))
