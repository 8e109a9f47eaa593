"""Servers that run during the whole benchmark and take turns within each cell, so that all have the same noise."""

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from clients.benchmark.contestants import JOBS, Contestant, check_answer, start
from clients.benchmark.report import Column
from clients.load.measurement import Measurement, measure_closed_loop
from clients.load.scenario import Scenario, scenarios
from clients.load.server_process import READY_S, Server

CONNECTIONS = (1, 32, 128)
WARM_UP_S = 1

Say = Callable[[str], None]


class Row(NamedTuple):
    """One server in one cell of one round."""

    round: int
    server: str
    is_peer: bool  # another project's server that performs the whole task
    job: str
    connections: int
    measured: Measurement
    ready_s: float
    pss_mib: float
    processor_ms: float  # of all cores, for each answer
    raw: Any = None  # what `before_round` has returned


CELL = [
    Column("job", lambda cell: cell[0].job),
    Column("conns", lambda cell: cell[0].connections),
    Column("server", lambda cell: cell[0].server),
]
RATE = Column("req/s: median (min-max)", lambda cell: [r.measured.requests_per_s for r in cell], 0)
LATENCIES = [
    Column("p50 ms", lambda cell: [row.measured.p50_ms for row in cell]),
    Column("p99 ms", lambda cell: [row.measured.p99_ms for row in cell], 1),
]
ERRORS = Column(
    "not 2xx / socket errors",
    lambda cell: (
        f"{sum(row.measured.not_2xx for row in cell)} / {sum(row.measured.socket_errors for row in cell)}"
    ),
)


def take_turns(
    contestants: Sequence[Contestant],
    rounds: int,
    seconds: int,
    say: Say,
    before_round: Callable[[], Any] = lambda: None,
) -> Iterator[Row]:
    """Start all of them one after the other, and measure round by round."""
    with contextlib.ExitStack() as stack:
        running = []
        for one in contestants:
            server = start(stack, one)
            say(f"{one.name}: first answer after {server.ready_s:.1f} s")
            # Checks remember the first answer, and servers draw differently: one set of scenarios each.
            every = scenarios()
            asked = {job: one.asked(job, every) for job in one.paths}
            _warm_up(server, asked)
            running.append((one, server, asked))
        for number in range(rounds):
            raw = before_round()
            for connections, job in itertools.product(CONNECTIONS, JOBS):
                for one, server, asked in running:
                    if job in asked:
                        row = _measure(one, server, asked[job], connections, seconds)
                        say(
                            f"round {number + 1}  {job:>8}  {connections:>3} connections  {one.name:<20}"
                            f"  {row.measured.requests_per_s:7,.0f} requests/s  p50 {row.measured.p50_ms:.2f} ms"
                        )
                        yield row._replace(round=number, job=job, raw=raw)


def _measure(
    one: Contestant, server: Server, asked: Scenario, connections: int, seconds: int
) -> Row:
    used_s = server.processor_seconds
    measured = measure_closed_loop(asked, server.target, connections, seconds)
    used_s = server.processor_seconds - used_s
    answers = max(1.0, measured.requests_per_s * seconds)
    return Row(
        0,
        one.name,
        one.is_peer,
        asked.name,
        connections,
        measured,
        server.ready_s,
        server.pss_mib,
        used_s / answers * 1000,
    )


def _warm_up(server: Server, asked: dict[str, Scenario]) -> None:
    """Every job once, its answer checked, and then under load for a moment."""
    for scenario in asked.values():
        check_answer(scenario, server.target, READY_S)
        measure_closed_loop(scenario, server.target, 32, WARM_UP_S)
