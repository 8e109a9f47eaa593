"""`python -m clients.load.overload`: goodput at ten times the capacity, latency of refusals, accuracy of Retry-After.

For each kind of request it first finds the peak, with an increasing number of connections in a closed loop.
Then requests are sent at ten times that rate, whether or not they are answered. At last a limited number of clients
send their next request as soon as the last one is answered or refused, as clients that ignore Retry-After do.
"""

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from clients.load import markdown
from clients.load.closed_loop import Tally, drive, error_kind, saturate
from clients.load.connection import Answer, Connection
from clients.load.event_loop import run_async
from clients.load.measurement import percentile
from clients.load.open_loop import MOST_IN_A_STEP, Pool, arrivals
from clients.load.scenario import Scenario, heavy_scenarios, request_bytes, scenarios
from clients.load.target import Target, parse_target

FACTOR = 10
KINDS = ("digit", "photo", "paragraph", "score", "projection", "vae")
CONNECTIONS = (1, 4, 16, 64)
MOST_IN_A_FLOOD = 1_000_000  # requests
DEADLINE_MS = 5000  # deadline of the requests, so that the queue empties soon after the load
PATIENCE_S = 60.0
RECENT_S = 0.5  # late refusals, whose Retry-After is compared with the actual wait


@dataclass
class Flood:
    """What became of requests that left without regard to answers; seconds since the first was due."""

    right: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    refusals: list[tuple[float, float, float]] = field(
        default_factory=list
    )  # at, took, Retry-After
    failed: Counter[str] = field(default_factory=Counter)
    asked: int = 0
    seconds: float = 0.0

    def add(self, answer: Answer, at: float, took: float, scenario: Scenario) -> None:
        """Count one answer."""
        if answer.status == 429:
            self.refusals.append((at, took, float(answer.headers[b"retry-after"])))
        elif answer.status == 200 and scenario.is_right(answer.body):
            self.right.append(at)
            self.latencies.append(took)
        else:
            self.failed[f"answered {answer.status}"] += 1

    def goodput(self) -> float:
        """Correct answers per second, until the last accepted request is answered."""
        return len(self.right) / max(1e-9, self.seconds, *self.right)

    def retry_after(self) -> tuple[float, float] | None:
        """The Retry-After of the last refusals, and the seconds until all that was accepted was answered."""
        recent = sorted(said for at, _, said in self.refusals if at > self.seconds - RECENT_S)
        if not recent or not self.right:
            return None
        return percentile(recent, 0.5), max(0.0, max(self.right) - self.seconds)


async def flood(scenario: Scenario, target: Target, rate: float, seconds: float) -> Flood:
    """Let requests leave at a rate, each on a connection of its own where none is free."""
    found, pool = Flood(), Pool(target, MOST_IN_A_STEP)
    request = _request(scenario, target)
    plan = arrivals({scenario: 1}, rate, seconds, random_seed=1, most=MOST_IN_A_FLOOD)
    began = time.perf_counter()

    async def ask() -> None:
        connection = pool.take() or await pool.wait()
        try:
            await _ask(connection, request, scenario, found, began)
        except OSError as error:
            found.failed[error_kind(error)] += 1
        pool.give_back(connection)

    async with asyncio.TaskGroup() as asking:
        for due in plan:
            await asyncio.sleep(max(0.0, began + due.at_s - time.perf_counter()))
            asking.create_task(ask())
            found.asked += 1
            if time.perf_counter() > began + seconds:  # more than this process can send
                break
        found.seconds = time.perf_counter() - began
    pool.close()
    return found


async def repeat(scenario: Scenario, target: Target, clients: int, seconds: float) -> Flood:
    """Clients with one connection each, which ignore Retry-After."""
    found, tally = Flood(), Tally()
    request, began = _request(scenario, target), time.perf_counter()

    async def ask(connection: Connection, _: float) -> None:
        await _ask(connection, request, scenario, found, began)

    await saturate(ask, tally, target, clients, seconds)
    found.failed.update(tally.errors)
    found.seconds = tally.elapsed_s
    return found


def _request(scenario: Scenario, target: Target) -> bytes:
    return request_bytes(scenario._replace(head=f"X-Timeout-Ms: {DEADLINE_MS}\r\n"), target)


async def _ask(
    connection: Connection, request: bytes, scenario: Scenario, found: Flood, began: float
) -> None:
    """Send one request and count its answer."""
    left = time.perf_counter()
    answer = await connection.ask(request, PATIENCE_S)
    now = time.perf_counter()
    found.add(answer, now - began, now - left, scenario)


async def is_answered(scenario: Scenario, target: Target) -> bool:
    """Whether one request alone is answered right."""
    connection = Connection(target.host, target.port)
    answer = await connection.ask(request_bytes(scenario, target), PATIENCE_S)
    connection.close()
    return answer.status == 200 and scenario.is_right(answer.body)


async def peak_of(scenario: Scenario, target: Target, seconds: float) -> tuple[float, int]:
    """The best rate of right answers in a closed loop, and its number of connections."""
    rates = []
    for connections in CONNECTIONS:
        tally = await drive(scenario, target, connections, seconds, PATIENCE_S)
        rates.append((len(tally.latencies_s) / tally.elapsed_s, connections))
    return max(rates)


async def row(scenario: Scenario, target: Target, seconds: float, clients: int) -> list[str]:
    """One kind of request as a row of the table."""
    if not await is_answered(scenario, target):
        return [scenario.name, "a request alone is not answered"]
    peak, at = await peak_of(scenario, target, seconds / 2)
    found = await flood(scenario, target, FACTOR * peak, seconds)
    repeated = await repeat(scenario, target, clients, seconds)
    return [
        scenario.name,
        f"{peak:,.1f}/s at {at}",
        *_cells(found, peak),
        f"{_goodput(repeated, peak)}; refused {_refused(repeated)}; failed {_failed(repeated)}",
    ]


def _cells(found: Flood, peak: float) -> list[str]:
    offered = found.asked / found.seconds
    waited = sorted(1000 * took for took in found.latencies)
    said = found.retry_after()
    return [
        f"{offered:,.0f}/s ({offered / peak:.1f} ×)",
        _goodput(found, peak),
        f"{percentile(waited, 0.5):,.0f}, {percentile(waited, 0.99):,.0f} ms" if waited else "–",
        _refused(found),
        f"{said[0]:g} s, {said[1]:.1f} s" if said else "–",
        _failed(found),
    ]


def _goodput(found: Flood, peak: float) -> str:
    return f"{found.goodput():,.1f}/s ({100 * found.goodput() / peak:.0f} %)"


def _refused(found: Flood) -> str:
    took = sorted(1000 * took for _, took, _ in found.refusals)
    return f"{percentile(took, 0.5):,.1f}, {percentile(took, 0.99):,.1f} ms" if took else "none"


def _failed(found: Flood) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in found.failed.items()) or "0"


HEAD = (
    "request", "peak at connections", "offered", "goodput", "answered p50, p99", "refused p50, p99",
    "Retry-After, truth", "failed", "clients that ignore Retry-After",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m clients.load.overload", description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--only", default=",".join(KINDS), help="kinds, separated by commas")
    parser.add_argument("--seconds", type=float, default=8.0, help="seconds of each load")
    parser.add_argument("--clients", type=int, default=1000, help="that ignore Retry-After")
    options = parser.parse_args(arguments)
    target = parse_target(options.url)
    every = scenarios() | heavy_scenarios()
    print("\n".join(markdown.table_head(HEAD)), flush=True)
    for name in options.only.split(","):
        cells = run_async(row(every[name], target, options.seconds, options.clients))
        print(markdown.table_row(cells), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
