"""The digit benchmark: service, baseline and raw model in turn.

Within a round, each cell is measured at the service and immediately afterwards at the baseline, so that
the ratios are reliable.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from clients.benchmark import raw_model, servers
from clients.benchmark.comparison import RawCall, Row
from clients.benchmark.raw_model import newest_version
from clients.load.closed_loop import drive
from clients.load.connection import Connection
from clients.load.event_loop import run_async
from clients.load.measurement import Measurement, measurement_of
from clients.load.scenario import Scenario, request_bytes, scenarios
from clients.load.target import Target

IMAGES = {"28×28": "digit", "280×280": "drawing"}
CONNECTIONS = (1, 32, 128)
WARM_UP_S = 1

Driver = Callable[[Scenario, Target, int, int], Measurement]  # connections, seconds
Say = Callable[[str], None]


def measure(
    driver: Driver, models: Path, rounds: int, seconds: int, say: Say
) -> tuple[list[Row], list[RawCall]]:
    """Start the compared servers, and measure round by round."""
    newest_version(models)  # or an error, before the service is started in vain
    with contextlib.ExitStack() as stack:
        targets = {
            "service": stack.enter_context(servers.service()),
            "baseline": stack.enter_context(servers.baseline()),
        }
        time_raw_model = stack.enter_context(_raw_model(models))
        for target in targets.values():
            _warm_up(driver, target)
        rows: list[Row] = []
        raw: list[RawCall] = []
        for number in range(rounds):
            raw.append(time_raw_model(number))
            rows += one_round(driver, targets, number, seconds, say)
    return rows, raw


def one_round(
    driver: Driver, targets: dict[str, Target], number: int, seconds: int, say: Say
) -> Iterator[Row]:
    """Every cell once: service, then at once baseline."""
    all_scenarios = scenarios()
    for connections in CONNECTIONS:
        for image, name in IMAGES.items():
            for server, target in targets.items():
                measured = driver(all_scenarios[name], target, connections, seconds)
                say(
                    f"round {number + 1}  {image:>7}  {connections:>3} connections  {server:<8}"
                    f"  {measured.requests_per_s:7,.0f} requests/s  p50 {measured.p50_ms:.2f} ms"
                )
                yield Row(number, server, image, connections, measured)


def _warm_up(driver: Driver, target: Target) -> None:
    """Every image once, its answer checked, and then under load for a moment."""
    all_scenarios = scenarios()
    for name in IMAGES.values():
        check_answer(all_scenarios[name], target)
        driver(all_scenarios[name], target, 32, WARM_UP_S)


def check_answer(scenario: Scenario, target: Target) -> None:
    """ValueError if a scenario is answered wrongly."""
    asyncio.run(_check_answer(scenario, target))


async def _check_answer(scenario: Scenario, target: Target) -> None:
    connection = Connection(target.host, target.port)
    try:
        answer = await connection.ask(request_bytes(scenario, target))
    finally:
        connection.close()
    if answer.status != 200 or not scenario.is_right(answer.body):
        text = answer.body[:300].decode(errors="replace")
        raise ValueError(f"{scenario.name!r} was answered wrongly, {answer.status}: {text}")


@contextlib.contextmanager
def _raw_model(models: Path) -> Iterator[Callable[[int], RawCall]]:
    """The raw model, which sleeps unless it is its turn; the yielded function is one turn."""
    command = raw_model.command(models, "digits", "serving_default", raw_model.CALLS)
    with servers.on_demand(command, "the raw model") as turn:
        yield lambda number: RawCall(number, **turn())


def drive_connections(
    scenario: Scenario, target: Target, connections: int, seconds: int
) -> Measurement:
    """Keep `connections` busy for `seconds` (a closed loop)."""
    return measurement_of(run_async(drive(scenario, target, connections, seconds)))
