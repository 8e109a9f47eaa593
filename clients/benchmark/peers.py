"""The same tasks on several servers in turn: this service with one and with two workers, and others.

Servers run during the whole benchmark and alternate within each cell, so that all have the same noise; ratios
compare neighbours, by round. Each task has a row for every server that supports it: digits by the course's network,
photos, clothing, texts of 400 characters, 16 samples of VAE and GAN as one PNG.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from clients.benchmark import servers, wrk
from clients.benchmark.contestants import DRAWING, JOBS, Contestant, contestants, start
from clients.benchmark.digits import (
    CONNECTIONS,
    WARM_UP_S,
    Driver,
    check_answer,
    drive_connections,
)
from clients.benchmark.peer_report import PeerRow, goals, summary, table, write_chart
from clients.load.scenario import Scenario, scenarios
from clients.load.target import Target

__all__ = ["PeerRow", "goals", "measure", "summary", "table", "write_chart"]


def measure(
    models: Path,
    rounds: int,
    seconds: int,
    say: Callable[[str], None],
    pythons: Sequence[str] = (),
) -> list[PeerRow]:
    """Start all of them one after the other, and measure round by round."""
    driver = wrk.drive if wrk.is_installed() else drive_connections
    rows: list[PeerRow] = []
    with contextlib.ExitStack() as stack:
        running = [(one, *start(stack, one)) for one in contestants(models, pythons)]
        # Checks remember the first answer, and servers draw differently: one set of scenarios each.
        all_scenarios = {one.name: scenarios() for one, *_ in running}
        for one, target, ready_s, _ in running:
            say(f"{one.name}: first answer after {ready_s:.1f} s")
            _warm_up(one, target, driver, all_scenarios[one.name])
        for number in range(rounds):
            for connections in CONNECTIONS:
                for job in JOBS:
                    for one, target, ready_s, pid in running:
                        if job not in one.paths:
                            continue
                        used_s = servers.processor_seconds(pid)
                        asked = one.asked(job, all_scenarios[one.name])
                        measured = driver(asked, target, connections, seconds)
                        used_s = servers.processor_seconds(pid) - used_s
                        answers = max(1.0, measured.requests_per_s * seconds)
                        say(
                            f"round {number + 1}  {job:>8}  {connections:>3} connections  {one.name:<20}"
                            f"  {measured.requests_per_s:7,.0f} requests/s  p50 {measured.p50_ms:.2f} ms"
                        )
                        rows.append(
                            PeerRow(
                                number,
                                one.name,
                                one.is_peer,
                                job,
                                connections,
                                measured,
                                ready_s,
                                servers.pss_mib(pid),
                                used_s / answers * 1000,
                            )
                        )
    return rows


def _warm_up(
    one: Contestant, target: Target, driver: Driver, all_scenarios: Mapping[str, Scenario]
) -> None:
    """Every job once, its answer checked, and then under load for a moment."""
    for job in one.paths:
        asked = one.asked(job, all_scenarios)
        if job != DRAWING or one.is_ours:  # others do not look for the ink, nor for dark on white
            check_answer(asked, target)
        driver(asked, target, 32, WARM_UP_S)
