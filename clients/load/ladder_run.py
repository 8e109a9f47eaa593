"""One run: the scenarios that every target supports, and the ladder of each scenario in turn."""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from statistics import median
from typing import NamedTuple

from clients.load.closed_loop import drive
from clients.load.connection import Answer, Connection
from clients.load.ladder import Ladder, find_knee, knee, rate_ladder, run_ladder
from clients.load.open_loop import TIMEOUT_S, Pool, arrivals, refusal_kind, send
from clients.load.report import Printer
from clients.load.scenario import MIX, Scenario, request_bytes, scenarios
from clients.load.step_summary import Step, step_of
from clients.load.target import Target

CLOSED_CONNECTIONS = 64
ASKED_ALONE = 5  # requests, one after the other, to know where the ladder begins

Mix = Mapping[Scenario, float]


class RunPlan(NamedTuple):
    """Where and how much; `rates` empty: the ladder finds its own."""

    targets: Sequence[Target]
    seconds: float
    steps: int
    rates: tuple[float, ...] | None
    connections: int
    printer: Printer


async def measure_all(plan: RunPlan, names: Sequence[str]) -> dict[str, dict[str, list[Step]]]:
    """Scenario → URL → steps, for those of the named that every target serves ("mix": of all served)."""
    every = [scenarios() for _ in plan.targets]  # one each: checks remember their first answer
    wanted = dict.fromkeys(name for name in names if name != "mix")
    if "mix" in names:
        wanted |= dict.fromkeys(MIX)
    alone_s = {}
    for name in wanted:
        if (seconds := await _ask_alone(plan, every, name)) is not None:
            alone_s[name] = seconds
    measured = {}
    for name in names:
        parts = {part: MIX[part] for part in MIX if part in alone_s} if name == "mix" else {name: 1}
        if not parts.keys() <= alone_s.keys() or not parts:
            continue
        mixes = [{own[part]: share for part, share in parts.items()} for own in every]
        mean_s = sum(alone_s[part] * share for part, share in parts.items()) / sum(parts.values())
        measured[name] = await _measure(plan, name, mixes, mean_s)
        plan.printer.scenario(name, measured[name])
        if name in wanted and not plan.rates:
            await _compare_with_closed_loop(plan, every, name, measured[name])
    return measured


async def _measure(
    plan: RunPlan, name: str, mixes: Sequence[Mix], alone_s: float
) -> dict[str, list[Step]]:
    """Climb the ladder of one scenario: URL → steps."""
    pools = [Pool(target, max(1, plan.connections // len(plan.targets))) for target in plan.targets]

    async def measure(number: int, rate: float, seconds: float) -> Step:
        requests = arrivals(mixes[number], rate, seconds, random_seed=round(rate * 10))
        url = plan.targets[number].url
        label = name if len(plan.targets) == 1 else f"{name} at {url}"
        return step_of(
            rate,
            await send(
                pools[number], requests, lambda tally: plan.printer.step(label, rate, tally)
            ),
        )

    ladder = rate_ladder(alone_s, plan.steps, plan.seconds)
    if plan.rates:
        ladder = Ladder(plan.rates, plan.seconds)
    try:
        climbed = await run_ladder(ladder, len(plan.targets), measure)
        if not plan.rates:
            climbed = [
                await find_knee(ladder, steps, partial(measure, number))
                for number, steps in enumerate(climbed)
            ]
    finally:
        for pool in pools:
            pool.close()
    return {target.url: steps for target, steps in zip(plan.targets, climbed, strict=True)}


async def _compare_with_closed_loop(
    plan: RunPlan, every: Sequence[dict[str, Scenario]], name: str, by_url: dict[str, list[Step]]
) -> None:
    """Report the rate of a closed loop; the knee should be close to it."""
    for target, own in zip(plan.targets, every, strict=True):
        tally = await drive(own[name], target, CLOSED_CONNECTIONS, plan.seconds)
        peak = len(tally.latencies_s) / tally.elapsed_s
        bend = knee(by_url[target.url])
        place = f"; the knee is at {bend.rate / peak:.2f} of it" if bend and peak else ""
        plan.printer.sentence(
            f"  closed loop of {CLOSED_CONNECTIONS} connections: {peak:,.1f} right answers/s{place}"
        )


async def _ask_alone(
    plan: RunPlan, every: Sequence[dict[str, Scenario]], name: str
) -> float | None:
    """Seconds of a lone request at the slowest target; None, and a sentence, if one does not serve it."""
    slowest_s = 0.0
    for target, own in zip(plan.targets, every, strict=True):
        answer, seconds = await _time_alone(own[name], target)
        if answer.status != 200:
            plan.printer.sentence(f"{name}: left out, {target.url} {_why_not(answer)}")
            return None
        slowest_s = max(slowest_s, seconds)
    return slowest_s


async def _time_alone(scenario: Scenario, target: Target) -> tuple[Answer, float]:
    """The last of a few answers before there is any load, and their median time."""
    connection, request = Connection(target.host, target.port), request_bytes(scenario, target)
    times = []
    try:
        for _ in range(ASKED_ALONE):
            started = time.perf_counter()
            answer = await connection.ask(request, TIMEOUT_S)
            times.append(time.perf_counter() - started)
            scenario.is_right(answer.body)  # reference for later answers
            if answer.status != 200:
                break
    except OSError as error:
        raise OSError(f"{target.url} does not answer ({error}); is the service running?") from None
    finally:
        connection.close()
    return answer, median(times)


def _why_not(answer: Answer) -> str:
    if answer.status == 404:
        return "serves no model for it"
    return f"answered {refusal_kind(answer)}"
