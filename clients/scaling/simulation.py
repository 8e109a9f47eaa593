"""Replicas of the service behind a load balancer, simulated event by event.

A replica is one event loop. It spends `request_seconds` on each request (HTTP, decoding, encoding) and
runs the queued requests together, at most `max_batch` rows, in `batch_seconds + rows · row_seconds`. These
three times are measured on one replica; everything else follows.
"""

import random
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import simpy

from clients.load.measurement import percentile

Events = Generator[simpy.Event, Any, None]


@dataclass(frozen=True)
class Costs:
    """The costs of a replica, in seconds of one core."""

    request_seconds: float
    batch_seconds: float
    row_seconds: float
    max_batch: int

    def batch(self, rows: int) -> float:
        """Seconds of one batch, with the requests that are in it."""
        return self.batch_seconds + rows * (self.row_seconds + self.request_seconds)

    @property
    def capacity(self) -> float:
        """Requests a second of one replica whose batches are full."""
        return self.max_batch / self.batch(self.max_batch)


@dataclass(frozen=True)
class Cluster:
    """The number of replicas, and the load balancer between them and the clients.

    choices: replicas that the balancer compares by their queues; 1: one at random, 2: the power of two
        choices (Mitzenmacher, 2001).
    network_seconds: one way, client to replica.
    """

    replicas: int
    choices: int = 2
    network_seconds: float = 0.0


@dataclass
class Outcome:
    """The answers after the warm-up."""

    seconds: float
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """The latency, in seconds, that `share` of the answers did not exceed."""
        return percentile(self.latencies, share)


class _Replica:
    """Takes requests off its queue, a batch at a time."""

    def __init__(self, environment: simpy.Environment, costs: Costs) -> None:
        self.queue: deque[simpy.Event] = deque()
        self.in_flight = 0
        self._environment, self._costs = environment, costs
        self._arrived = environment.event()
        environment.process(self._serve())

    def submit(self) -> simpy.Event:
        """An event that occurs when the request is answered."""
        answered = self._environment.event()
        self.queue.append(answered)
        self.in_flight += 1
        if not self._arrived.triggered:
            self._arrived.succeed()
        return answered

    def _serve(self) -> Events:
        while True:
            if not self.queue:
                self._arrived = self._environment.event()
                yield self._arrived
            rows = min(len(self.queue), self._costs.max_batch)
            batch = [self.queue.popleft() for _ in range(rows)]
            yield self._environment.timeout(self._costs.batch(rows))
            self.in_flight -= rows
            for answered in batch:
                answered.succeed()


class _Simulation:
    def __init__(self, cluster: Cluster, costs: Costs, seconds: float, seed: int) -> None:
        self.environment = simpy.Environment()
        self.random = random.Random(seed)
        self.outcome = Outcome(seconds)
        self._cluster, self._warm_up = cluster, seconds / 4
        self._replicas = [_Replica(self.environment, costs) for _ in range(cluster.replicas)]

    def request(self) -> Events:
        """One request from the client's first byte to its last."""
        started = self.environment.now
        yield self.environment.timeout(self._cluster.network_seconds)
        compared = self.random.sample(
            self._replicas, min(self._cluster.choices, len(self._replicas))
        )
        yield min(compared, key=lambda replica: replica.in_flight).submit()
        yield self.environment.timeout(self._cluster.network_seconds)
        if started >= self._warm_up:
            self.outcome.latencies.append(self.environment.now - started)

    def run(self) -> Outcome:
        self.environment.run(until=self._warm_up + self.outcome.seconds)
        return self.outcome


def closed_loop(
    cluster: Cluster, costs: Costs, connections: int, seconds: float = 5, seed: int = 0
) -> Outcome:
    """Simulate clients that send the next request when the last one is answered."""
    simulation = _Simulation(cluster, costs, seconds, seed)

    def client() -> Events:
        while True:
            yield simulation.environment.process(simulation.request())

    for _ in range(connections):
        simulation.environment.process(client())
    return simulation.run()


def open_loop(
    cluster: Cluster, costs: Costs, rate: float, seconds: float = 5, seed: int = 0
) -> Outcome:
    """Simulate requests that arrive at `rate` a second, independent of each other (Poisson)."""
    simulation = _Simulation(cluster, costs, seconds, seed)

    def arrivals() -> Events:
        while True:
            yield simulation.environment.timeout(simulation.random.expovariate(rate))
            simulation.environment.process(simulation.request())

    simulation.environment.process(arrivals())
    return simulation.run()
