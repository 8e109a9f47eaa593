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
RENEWED_S = 1.0  # between two settings of a connection's timer
MOST_REMEMBERED = 100  # bodies of right answers


@dataclass
class Tally:
    """The answers. Latencies are those of right answers, so that quick refusals do not flatter."""

    latencies_s: "array[float]" = field(default_factory=lambda: array("d"))
    statuses: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    batch_sizes: Counter[int] = field(default_factory=Counter)
    elapsed_s: float = 0.0
    first_s: "array[float]" = field(default_factory=lambda: array("d"))  # until the body began

    def count(self, answer: Answer, asked_at: float, scenario: Scenario) -> bool:
        """Add one answer that is complete now; whether it is right."""
        latency_s = time.perf_counter() - asked_at
        self.statuses[answer.status] += 1
        batch_size = answer.headers.get(b"x-batch-size", b"")
        if batch_size.isdigit():
            self.batch_sizes[int(batch_size)] += 1
        if answer.status != 200:
            return False
        if not scenario.is_right(answer.body):
            self.errors["wrong answer"] += 1
            return False
        self.latencies_s.append(latency_s)
        self.first_s.append(answer.begun_at - asked_at if answer.begun_at else latency_s)
        return True


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
    scenario = scenario._replace(is_right=_remembering(scenario.is_right))

    async def keep_asking(connection: Connection, end: float) -> None:
        asked = time.perf_counter()
        async with asyncio.timeout(timeout_s) as timer:
            renewed = asked

            def count(answer: Answer) -> bool:
                nonlocal asked, renewed
                tally.count(answer, asked, scenario)
                asked = time.perf_counter()
                if asked > renewed + RENEWED_S:
                    renewed = asked
                    timer.reschedule(asyncio.get_running_loop().time() + timeout_s)
                return asked < end

            await connection.ask(request, None, ask_again=count)

    await saturate(keep_asking, tally, target, connections, seconds)
    return tally


async def saturate(
    keep_asking: Callable[[Connection, float], Awaitable[None]],
    tally: Tally,
    target: Target,
    connections: int,
    seconds: float,
) -> None:
    """Call `keep_asking` on each connection again and again for `seconds`, once at least; count errors and time into `tally`."""
    started = time.perf_counter()
    end = started + seconds

    async def keep_on() -> None:
        connection = Connection(target.host, target.port)
        while True:
            try:
                await keep_asking(connection, end)
            except OSError as error:
                tally.errors[error_kind(error)] += 1
                await asyncio.sleep(PAUSE_AFTER_ERROR_S)
            if time.perf_counter() >= end:
                break
        connection.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(keep_on())
    tally.elapsed_s = time.perf_counter() - started


def _remembering(is_right: Callable[[bytes], bool]) -> Callable[[bytes], bool]:
    """The same check, which looks only once at bodies that come again and again."""
    right: set[bytes] = set()

    def check(body: bytes) -> bool:
        if body in right:
            return True
        found = is_right(body)
        if found and len(right) < MOST_REMEMBERED:
            right.add(body)
        return found

    return check


def error_kind(error: Exception) -> str:
    """A few words under which errors of one kind are counted."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return str(error) if isinstance(error, Disconnected) else "cannot connect"
