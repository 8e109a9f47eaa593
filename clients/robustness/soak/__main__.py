"""`python -m clients.robustness.soak`: how the service stands hostile requests and slow clients, for long.

Each goal is worked off in steps, with a service of its own each; what is done is kept in a file, so that
a run that was ended goes on from there.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from clients.robustness.soak.goals import Goal, Step, Tally, added
from clients.robustness.soak.hostile_requests import BROKEN, JSON_BODIES, RAW_HTTP
from clients.robustness.soak.slow_clients import SLOW

GOALS = (JSON_BODIES, RAW_HTTP, SLOW, BROKEN)


def main(arguments: Sequence[str] | None = None) -> int:
    """Work off the goals and print the table; the exit status says whether all are reached."""
    options = _parser().parse_args(arguments)
    state: dict[str, Tally] = (
        json.loads(options.state.read_text()) if options.state.exists() else {}
    )
    chosen = [goal for goal in GOALS if not options.only or goal.key in options.only.split(",")]
    for goal in chosen:
        _work_off(goal, options, state)
    print("| goal | what | run | found | reached |\n|---|---|---|---|---|")
    for goal in chosen:
        tally = state[goal.key]
        word = "yes" if goal.is_reached(tally) else "no"
        run = f"{tally['done']:,.0f} of {goal.full:,} {goal.unit}"
        print(f"| {goal.key} | {goal.title} | {run} | {goal.describe(tally)} | {word} |")
    return 0 if all(goal.is_reached(state[goal.key]) for goal in chosen) else 1


def _work_off(goal: Goal, options: argparse.Namespace, state: dict[str, Tally]) -> None:
    target = goal.short if options.short else goal.full
    began, at_start = time.monotonic(), state.get(goal.key, {}).get("done", 0)
    while (done := int(state.get(goal.key, {}).get("done", 0))) < target:
        step = Step(options.models, done, min(goal.step, target - done))
        state[goal.key] = added(state.get(goal.key, {}), goal.run(step))
        options.state.write_text(json.dumps(state))
        now = state[goal.key]["done"]
        left = (time.monotonic() - began) / (now - at_start) * (target - now)
        print(
            f"{goal.key}: {now:,.0f} of {target:,} {goal.unit}, {left:.0f} s left", file=sys.stderr
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m clients.robustness.soak", description=__doc__)
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder of models")
    parser.add_argument(
        "--state", type=Path, default=Path("soak.json"), help="what is done already"
    )
    parser.add_argument("--only", help="goals, separated by commas")
    parser.add_argument("--short", action="store_true", help="a minute instead of hours")
    return parser


if __name__ == "__main__":
    sys.exit(main())
