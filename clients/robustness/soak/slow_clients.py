"""G6: clients that send or read slowly, next to a normal one."""

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE
from dataclasses import dataclass

from clients.load.images import digit_png
from clients.robustness.soak.connection import Connection
from clients.robustness.soak.goals import Goal, Step, Tally
from clients.robustness.soak.ledger import Ledger

COMMAND = ("nice", "-n", "19", sys.executable, "-m", "clients.robustness.soak.slow_connections")
SHORT = 100  # connections; fewer take shorter times


@dataclass(frozen=True)
class Times:
    """Seconds: under slow clients, the service's two limits, and when the slow clients end by themselves."""

    load: int
    receive: int
    total: int
    latest: int


LONG_TIMES, SHORT_TIMES = Times(60, 3, 8, 30), Times(2, 1, 2, 8)


async def crawl(step: Step) -> Tally:
    """A constant number of heads and bodies that drip or stop, and of answers that are not read.

    The server has a core for itself, and of its clients the normal one precedes the slow ones.
    """
    times = LONG_TIMES if step.count > SHORT else SHORT_TIMES
    settings = {"receive_seconds": str(times.receive), "receive_total_seconds": str(times.total)}
    with step.serving_apart("digits", **settings) as server:
        files = server.files
        quiet, loaded = step.ledger(), step.ledger()
        await _classify(server.port, quiet, min(times.load, 10))
        arguments = map(str, (server.port, step.count, times.load, times.latest))
        slow = await asyncio.create_subprocess_exec(*COMMAND, *arguments, stdout=PIPE)
        await asyncio.sleep(1)
        await _classify(server.port, loaded, times.load)
        await asyncio.sleep(times.total + 2)
        held = (
            server.files - files
        )  # while clients that do not read still wait and do not see the close
        lifetimes = json.loads((await slow.communicate())[0])
        peak = server.peak_megabytes
    refused = loaded.statuses.total() - loaded.statuses[200]
    return {
        "wrong": step.note(loaded.problems) + refused,
        "slow": len(lifetimes),
        "late": sum(life > times.total + 1 for life in lifetimes),
        "held": max(0, held),
        "most_seconds": max(lifetimes),
        "most_ratio": loaded.quantile(0.99) / quiet.quantile(0.99),
        "most_quiet_ms": quiet.quantile(0.99),
        "most_mb": peak,
    }


async def _classify(port: int, ledger: Ledger, seconds: float) -> None:
    connection, image, until = Connection(port), digit_png(), time.monotonic() + seconds
    while time.monotonic() < until:
        await ledger.note(connection, "POST", "/v1/digits/classify", image)
        await asyncio.sleep(0.005)
    connection.close()


SLOW = Goal(
    "G6", "slow clients for a minute next to a normal one, which is answered", "connections",
    1_000, 50, 1_000, 50, crawl,
    lambda tally: f"{tally['wrong']:.0f} errors of the normal client, its p99 {tally['most_ratio']:.1f} × "
    f"quiet ({tally['most_quiet_ms']:.1f} ms); of {tally['slow']:,.0f} that wrote slowly {tally['late']:,.0f} "
    f"held a second longer than allowed, the longest {tally['most_seconds']:.1f} s; of all {tally['held']:.0f} held at the end; peak {tally['most_mb']:.0f} MB",
    lambda tally: tally["most_ratio"] <= 2 and tally["late"] + tally["held"] == 0,
)  # fmt: skip
