"""`python -m clients.load.interference`: latency of a digit while one other client keeps the service busy.

A digit is sent every 20 ms on one connection, before each kind of heavy client and during it, so that both
include the noise of the machine.
"""

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Sequence

from clients.load import markdown
from clients.load.connection import Connection, Disconnected
from clients.load.event_loop import run_async
from clients.load.measurement import percentile
from clients.load.scenario import heavy_scenarios, request_bytes, scenarios
from clients.load.target import Target, parse_target

EVERY_S = 0.02
SETTLE_S = 0.5  # in which the heavy client's work begins
PATIENCE_S = 120.0
# Connections of each heavy client, in a closed loop.
CLIENTS = {
    "photo": 16,
    "phone": 4,
    "projection of 64": 1,
    "score": 1,
    "stream": 8,
    "vae": 4,
    "gan": 4,
}


async def digits(target: Target, seconds: float) -> list[float]:
    """Milliseconds of each digit."""
    scenario = scenarios()["digit"]
    request, connection = request_bytes(scenario, target), Connection(target.host, target.port)
    took, began = [], time.perf_counter()
    while (now := time.perf_counter()) < began + seconds:
        answer = await connection.ask(request, PATIENCE_S)
        if answer.status != 200 or not scenario.is_right(answer.body):
            raise Disconnected(f"a digit was answered {answer.status}")
        took.append(1000 * (time.perf_counter() - now))
        await asyncio.sleep(max(0.0, now + EVERY_S - time.perf_counter()))
    connection.close()
    return took


@contextlib.asynccontextmanager
async def busy(name: str, target: Target, count: int) -> AsyncIterator[list[int]]:
    """Keep `count` connections busy until the block ends; yields the statuses so far."""
    scenario = (scenarios() | heavy_scenarios())[name]
    head = f"X-Timeout-Ms: {1000 * PATIENCE_S:.0f}\r\n"
    request = request_bytes(scenario._replace(head=head), target)
    statuses: list[int] = []

    async def ask() -> None:
        connection = Connection(target.host, target.port)
        try:
            while True:
                statuses.append((await connection.ask(request, PATIENCE_S)).status)
        finally:
            connection.close()

    tasks = [asyncio.create_task(ask()) for _ in range(count)]
    try:
        await asyncio.sleep(SETTLE_S)
        yield statuses
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def row(name: str, target: Target, seconds: float) -> list[str]:
    """One heavy client as a row of the table."""
    alone = await digits(target, seconds)
    async with busy(name, target, CLIENTS[name]) as statuses:
        loaded = await digits(target, seconds)
    cells = [f"{CLIENTS[name]} × {name}"]
    for share in (0.5, 0.99):
        quiet, heavy = percentile(alone, share), percentile(loaded, share)
        cells.append(f"{quiet:.2f} → {heavy:.2f} ms ({heavy / quiet:.1f} ×)")
    failed = sum(status != 200 for status in statuses)
    return [*cells, f"{len(statuses)} answered, {failed} of them not 200"]


HEAD = ("load", "p50", "p99", "the heavy client")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m clients.load.interference", description=__doc__
    )
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--only", default=",".join(CLIENTS), help="clients, separated by commas")
    parser.add_argument("--seconds", type=float, default=5.0, help="seconds of each measurement")
    options = parser.parse_args(arguments)
    target = parse_target(options.url)
    print("\n".join(markdown.table_head(HEAD)), flush=True)
    for name in options.only.split(","):
        print(markdown.table_row(run_async(row(name, target, options.seconds))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
