"""A closed loop: each connection sends its next request when the last one is answered.

The number of connections limits the load, so a closed loop hides how long requests would
queue if they arrived at a fixed rate (see `open_loop`). The benchmark uses it to compare servers.
"""

import asyncio
import time
from array import array
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from clients.load.connection import Answer, Connection, Disconnected
from clients.load.scenario import Scenario, request_bytes
from clients.load.target import Target

PAUSE_AFTER_ERROR_S = 0.05  # avoids a tight loop if a server refuses every connection


@dataclass
class Tally:
    """The answers. Latencies are those of right answers, so that quick refusals do not flatter."""

    latencies_s: "array[float]" = field(default_factory=lambda: array("d"))
    statuses: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    batch_sizes: Counter[int] = field(default_factory=Counter)
    elapsed_s: float = 0.0

    def count(self, answer: Answer, latency_s: float, scenario: Scenario) -> None:
        """Add one answer."""
        self.statuses[answer.status] += 1
        batch_size = answer.headers.get(b"x-batch-size", b"")
        if batch_size.isdigit():
            self.batch_sizes[int(batch_size)] += 1
        if answer.status == 200 and scenario.is_right(answer.body):
            self.latencies_s.append(latency_s)
        elif answer.status == 200:
            self.errors["wrong answer"] += 1


async def drive(
    scenario: Scenario,
    target: Target,
    connections: int,
    seconds: float,
    timeout_s: float = 10.0,
) -> Tally:
    """Ask on `connections` connections for `seconds`, then let requests under way finish."""
    tally = Tally()
    request = request_bytes(scenario, target)

    async def ask(connection: Connection) -> None:
        await _ask_once(connection, request, scenario, tally, timeout_s)

    await saturate(ask, tally, target, connections, seconds)
    return tally


async def saturate(
    ask: Callable[[Connection], Awaitable[None]],
    tally: Tally,
    target: Target,
    connections: int,
    seconds: float,
) -> None:
    """Call `ask` on each connection again and again for `seconds`; count the time into `tally`."""
    started = time.perf_counter()

    async def keep_asking() -> None:
        connection = Connection(target.host, target.port)
        while time.perf_counter() < started + seconds:
            await ask(connection)
        connection.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(keep_asking())
    tally.elapsed_s = time.perf_counter() - started


async def _ask_once(
    connection: Connection, request: bytes, scenario: Scenario, tally: Tally, timeout_s: float
) -> None:
    asked = time.perf_counter()
    try:
        answer = await connection.ask(request, timeout_s)
    except (OSError, Disconnected) as error:
        tally.errors[error_kind(error)] += 1
        await asyncio.sleep(PAUSE_AFTER_ERROR_S)
    else:
        tally.count(answer, time.perf_counter() - asked, scenario)


def error_kind(error: Exception) -> str:
    """A few words under which errors of one kind are counted."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return str(error) if isinstance(error, Disconnected) else "cannot connect"
