"""G12: one, two, five and ten times the capacity, the server on one core and its clients on another.

The stub's runs take about 2 ms a row, so that its figures are ratios that hold for other machines.
"""

import asyncio
import tempfile
from pathlib import Path
from typing import NamedTuple

from clients.load.event_loop import run_async
from clients.load.measurement import percentile
from clients.load.overload import DEADLINE_MS, Flood, flood, is_answered, peak_of
from clients.load.scenario import Scenario, has_rows, heavy_scenarios, scenarios
from clients.load.server_process import Server
from clients.load.target import Target
from clients.robustness.soak.cores import on_core
from clients.robustness.soak.goals import Goal, Step, Tally
from clients.robustness.soak.server_process import copy_models
from clients.robustness.soak.tiny_model import write_version

MODELS = {
    "stub": "digits", "digit": "digits", "photo": "labels", "paragraph": "text", "score": "text",
    "projection": "gan", "vae": "vae",
}  # fmt: skip
TIMES = (1, 2, 5, 10)
STUB_PRODUCTS = 14
STARTS = 300  # tries of a first request
# Of each load: many times what one request takes, since the time until the last answer counts.
SECONDS = dict.fromkeys(MODELS, 30.0) | {"stub": 5.0, "digit": 5.0}
NORMAL_SECONDS, REFUSAL_MS, SHARE = 2.0, 50.0, 0.9


class Load(NamedTuple):
    """What was found at a multiple of the peak."""

    times: int
    flood: Flood
    is_normal: bool  # 2 s later

    @property
    def refusal_ms(self) -> float:
        """Of 99 % of the refusals at most."""
        took = sorted(1000 * took for _, took, _ in self.flood.refusals)
        return percentile(took, 0.99) if took else 0.0


async def overload(step: Step) -> Tally:
    """One kind of request at each multiple of its peak."""
    name = list(MODELS)[step.start % len(MODELS)]
    scenario, seconds = _scenario(name), SECONDS[name]
    with tempfile.TemporaryDirectory() as folder:
        models = _models(step.models, Path(folder), name)
        with on_core(0), step.serve(models) as server:
            peak, loads = await asyncio.to_thread(_measure, server, scenario, seconds)
    wrong = [problem for load in loads for problem in _problems(load)]
    shares = {load.times: load.flood.goodput() / peak for load in loads}
    cells = [
        f"{load.times} × (sent {load.flood.asked / load.flood.seconds / peak:.1f} ×): "
        f"{100 * shares[load.times]:.0f} %, refused in {load.refusal_ms:.0f} ms"
        for load in loads
    ]
    print(f"    {name}, peak {peak:,.1f}/s; {'; '.join(cells)}", flush=True)
    return {
        "wrong": step.note([f"{name}: {problem}" for problem in wrong]),
        f"{name}_peak": peak,
        **{f"{name}_{times}": share for times, share in shares.items()},
        "most_refusal_ms": max(load.refusal_ms for load in loads),
    }


def _scenario(name: str) -> Scenario:
    every = scenarios() | heavy_scenarios()
    if name == "stub":
        return every["digit"]._replace(is_right=has_rows("predictions", 1))
    return every[name]


def _models(source: Path, target: Path, name: str) -> Path:
    if name != "stub":
        return copy_models(source, target, MODELS[name])
    return write_version(target / "models", 1, products=STUB_PRODUCTS).parents[1]


def _measure(server: Server, scenario: Scenario, seconds: float) -> tuple[float, list[Load]]:
    with on_core(-1):
        return run_async(_loads(server, scenario, seconds))


async def _loads(server: Server, scenario: Scenario, seconds: float) -> tuple[float, list[Load]]:
    target = Target("127.0.0.1", server.port, "")
    for _ in range(STARTS):
        if await is_answered(scenario, target):
            break
        await asyncio.sleep(0.2)  # TensorFlow's process still starts
    peak, _ = await peak_of(scenario, target, seconds / 2)
    loads = []
    for times in TIMES:
        found = await flood(scenario, target, times * peak, seconds)
        await asyncio.sleep(NORMAL_SECONDS)
        is_normal = await is_answered(scenario, target) and server.is_ready()
        loads.append(Load(times, found, is_normal))
    return peak, loads


def _problems(load: Load) -> list[str]:
    found = [f"{count} {kind} at {load.times} ×" for kind, count in load.flood.failed.items()]
    if not load.is_normal:
        found.append(f"not normal {NORMAL_SECONDS:.0f} s after {load.times} ×")
    return found


def _least(tally: Tally) -> dict[str, float]:
    """The least share of the peak of each kind."""
    names = [name for name in MODELS if f"{name}_peak" in tally]
    return {name: min(tally[f"{name}_{times}"] for times in TIMES) for name in names}


def _describe(tally: Tally) -> str:
    shares = ", ".join(f"{name} {100 * share:.0f} %" for name, share in _least(tally).items())
    refused = f"99 % of the refusals within {tally['most_refusal_ms']:.0f} ms"
    return f"{tally['wrong']:.0f} wrong; at least {shares} of the peak; {refused}"


def _is_reached(tally: Tally) -> bool:
    return min(_least(tally).values()) >= SHARE and tally["most_refusal_ms"] <= REFUSAL_MS


OVERLOAD = Goal(
    "G12", f"1 to {TIMES[-1]} times what can be answered, with a deadline of {DEADLINE_MS / 1000:.0f} s: 90 % of the peak goes on",
    "kinds", len(MODELS), 1, 1, 0, overload, _describe, _is_reached,
)  # fmt: skip
