"""An open loop: requests are sent when they are due, whether or not earlier ones have been answered.

Independent users arrive at random, and a slow service does not reduce their number.
Every latency therefore counts from the moment its request was due: a request that had to wait for a free
connection, or because this process was late, counts as late (no coordinated omission). The lateness of this
process and its share of a core are measured too.
"""

import asyncio
import json
import random
import time
from array import array
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from clients.load.closed_loop import Tally, error_kind
from clients.load.connection import Answer, Connection
from clients.load.scenario import Scenario, request_bytes
from clients.load.target import Target

TIMEOUT_S = 10.0  # from the moment a request was due
MOST_IN_A_STEP = 20_000  # requests; a step that would need more is shorter instead
TICK_S = 1.0


class ScheduledRequest(NamedTuple):
    """One request: its due time, in seconds since the start of the step, and its scenario."""

    at_s: float
    scenario: Scenario


@dataclass
class StepTally(Tally):
    """The answers of one step. Latencies are those of right answers, counted from when due."""

    asked: int = 0
    refusals: Counter[str] = field(default_factory=Counter)  # such as "429 overloaded"
    timings_ms: "dict[str, array[float]]" = field(
        default_factory=lambda: defaultdict(lambda: array("d"))
    )  # of Server-Timing, by its names
    lags_s: "array[float]" = field(default_factory=lambda: array("d"))  # of this process
    cpu_share: float = 0.0  # of a core that this process used while it sent
    waited: int = 0  # requests for which no connection was free when they were due
    latencies_by_scenario: "dict[str, array[float]]" = field(
        default_factory=lambda: defaultdict(lambda: array("d"))
    )

    def add(self, answer: Answer, due_at: float, scenario: Scenario) -> None:
        """Count one answer: right, wrong, or refused with the service's own code."""
        if self.count(answer, due_at, scenario):
            self.latencies_by_scenario[scenario.name].append(self.latencies_s[-1])
            for name, milliseconds in server_timing(answer).items():
                self.timings_ms[name].append(milliseconds)
        elif answer.status != 200:
            self.refusals[refusal_kind(answer)] += 1


class Pool:
    """A limited number of connections to one target; the last used one is reused first."""

    def __init__(self, target: Target, connections: int) -> None:
        self.target = target
        self._left = connections  # that may still be opened
        self._free: list[Connection] = []
        self._waiting: deque[asyncio.Future[Connection]] = deque()

    def take(self) -> Connection | None:
        """An idle connection, or a new one if the limit allows it."""
        if self._free:
            return self._free.pop()
        if self._left == 0:
            return None
        self._left -= 1
        return Connection(self.target.host, self.target.port)

    async def wait(self) -> Connection:
        """Wait for the next returned connection; waiters are served in order."""
        future: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        return await future

    def give_back(self, connection: Connection) -> None:
        """Have it ready for the next request."""
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():  # else its request was given up
                future.set_result(connection)
                return
        self._free.append(connection)

    def close(self) -> None:
        """Close all connections."""
        for connection in self._free:
            connection.close()
        self._free.clear()


def arrivals(
    mix: Mapping[Scenario, float],
    rate: float,
    seconds: float,
    random_seed: int,
    most: int = MOST_IN_A_STEP,
) -> list[ScheduledRequest]:
    """Requests at random moments (a Poisson process, given their number), each sampled from the mix."""
    count = max(1, min(round(rate * seconds), most))
    numbers = random.Random(random_seed)
    moments = sorted(numbers.uniform(0, count / rate) for _ in range(count))
    wanted = numbers.choices(list(mix), list(mix.values()), k=count)
    return [
        ScheduledRequest(at_s, scenario) for at_s, scenario in zip(moments, wanted, strict=True)
    ]


async def send(
    pool: Pool,
    plan: Sequence[ScheduledRequest],
    show: Callable[[StepTally], None] = lambda tally: None,
) -> StepTally:
    """Send every request of the plan when it is due, then wait for the pending answers."""
    tally = StepTally()
    requests = {due.scenario: request_bytes(due.scenario, pool.target) for due in plan}
    began, cpu_began = time.perf_counter(), time.process_time()
    loop = asyncio.get_running_loop()
    ticker = loop.create_task(_tick(tally, began, show))
    tasks = []
    try:
        for due in plan:
            await _sleep_until(began + due.at_s)
            tally.asked += 1
            tally.lags_s.append(time.perf_counter() - began - due.at_s)
            tasks.append(loop.create_task(_ask(pool, due, requests[due.scenario], began, tally)))
        sending_s = time.perf_counter() - began
        tally.cpu_share = (time.process_time() - cpu_began) / sending_s
        await asyncio.gather(*tasks)
    finally:
        for task in (ticker, *tasks):
            task.cancel()
    tally.elapsed_s = _answering_s(tally, plan, time.perf_counter() - began)
    return tally


async def _ask(
    pool: Pool, due: ScheduledRequest, request: bytes, began: float, tally: StepTally
) -> None:
    due_at = began + due.at_s
    connection = pool.take()
    try:
        # One timer for waiting and sending: each costs as much as a fifth of an answer.
        async with asyncio.timeout(due_at + TIMEOUT_S - time.perf_counter()):
            if connection is None:
                tally.waited += 1
                connection = await pool.wait()
            answer = await connection.ask(request, None)
    except OSError as error:
        tally.errors[error_kind(error)] += 1
    else:
        tally.add(answer, due_at, due.scenario)
    finally:
        if connection is not None:
            pool.give_back(connection)


def refusal_kind(answer: Answer) -> str:
    """Status and the service's own code, such as "429 overloaded"; "502" if it is not the service's."""
    try:
        code = json.loads(answer.body)["code"]
    except (ValueError, KeyError, TypeError):
        return str(answer.status)
    return f"{answer.status} {code}"


def server_timing(answer: Answer) -> dict[str, float]:
    """The Server-Timing header: name → milliseconds; unknown parts are ignored."""
    timings = {}
    for entry in answer.headers.get(b"server-timing", b"").decode("latin-1").split(","):
        name, _, duration = entry.strip().partition(";dur=")
        try:
            timings[name] = float(duration)
        except ValueError:
            continue
    return timings


def _answering_s(tally: StepTally, plan: Sequence[ScheduledRequest], elapsed_s: float) -> float:
    """The time over which answers arrived: the last request's own time is no part of the rate.

    Of n moments drawn from T seconds the last is expected at n / (n + 1) T.
    """
    due_s = plan[-1].at_s * (len(plan) + 1) / len(plan)
    return max(due_s, elapsed_s - min(tally.latencies_s, default=0.0), 1e-9)


async def _sleep_until(moment: float) -> None:
    while True:  # event loops may wake a little early
        left_s = moment - time.perf_counter()
        if left_s <= 0:
            return
        await asyncio.sleep(left_s)


async def _tick(tally: StepTally, began: float, show: Callable[[StepTally], None]) -> None:
    while True:
        await asyncio.sleep(TICK_S)
        tally.elapsed_s = time.perf_counter() - began
        show(tally)
