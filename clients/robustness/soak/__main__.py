"""`python -m clients.robustness.soak`: tests the service with hostile requests, faults and long use.

Each goal runs in steps, with a new server for each. Results are stored in a folder, one
file per goal, so an interrupted run resumes. A plain FastAPI app runs a part
of the same work. Goals: docs/reliability.md.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from clients.load import markdown
from clients.load.server_process import stop_on_sigterm
from clients.robustness.soak.all_goals import GOALS, SHOWN_BY_TESTS
from clients.robustness.soak.goals import Goal, Serve, Step, Tally, added
from clients.robustness.soak.server_process import plain_app, vitrine

HEAD = ("goal", "what", "run", "Vitrine", "reached", "plain FastAPI app")


def main(arguments: Sequence[str] | None = None) -> int:
    """Work off the goals and print the table; the exit status says whether all are reached."""
    options = _parser().parse_args(arguments)
    options.state.mkdir(parents=True, exist_ok=True)
    chosen = [goal for goal in GOALS if not options.only or goal.key in options.only.split(",")]
    sizes = {goal: goal.short if options.short else goal.full for goal in chosen}
    chosen = [goal for goal in chosen if sizes[goal]]
    for goal in [] if options.table else chosen:
        size = sizes[goal]
        _work_off(goal, size, vitrine, options)
        _work_off(goal, min(size, goal.plain), plain_app, options)
    found = {goal: _read(options.state, goal, vitrine) for goal in chosen}
    rows = [
        _row(goal, tally, _read(options.state, goal, plain_app)) for goal, tally in found.items()
    ]
    for key, tests in SHOWN_BY_TESTS.items():
        if not options.only or key in options.only.split(","):
            rows.append([key, f"pytest {tests}", "", "", "", "–"])
    print("\n".join(markdown.table(HEAD, rows)))
    return 0 if all(_is_reached(goal, tally) for goal, tally in found.items()) else 1


def _is_reached(goal: Goal, tally: Tally) -> bool:
    return bool(tally) and tally["wrong"] == 0 and goal.is_reached(tally)


def _row(goal: Goal, tally: Tally, plain: Tally) -> list[str]:
    if not tally:
        return [goal.key, goal.title, f"0 of {goal.full:,} {goal.unit}", "", "no", ""]
    run = f"{tally['done']:,.0f} of {goal.full:,} {goal.unit} in {tally['seconds']:,.0f} s"
    comparison = f"{plain['done']:,.0f} {goal.unit}: {goal.describe(plain)}" if plain else "–"
    word = "yes" if _is_reached(goal, tally) else "no"
    return [goal.key, goal.title, run, goal.describe(tally), word, comparison]


def _file(state: Path, goal: Goal, serve: Serve) -> Path:
    return state / f"{goal.key}-{serve.__name__}.json"


def _read(state: Path, goal: Goal, serve: Serve) -> Tally:
    file = _file(state, goal, serve)
    return dict(json.loads(file.read_text())) if file.exists() else {}


def _work_off(goal: Goal, size: int, serve: Serve, options: argparse.Namespace) -> None:
    tally = _read(options.state, goal, serve)
    at_start, began = int(tally.get("done", 0)), time.monotonic()

    def show(before: int, more: int = 0) -> None:
        """One line: the progress and the remaining time."""
        done = before + more
        left = (time.monotonic() - began) / max(1, done - at_start) * (size - done)
        name = f"{goal.key} {serve.__name__}"
        print(f"{name}: {done:,} of {size:,} {goal.unit}, {left:.0f} s left", file=sys.stderr)

    while (done := int(tally.get("done", 0))) < size:
        step = Step(
            options.models,
            done,
            min(goal.step, size - done),
            serve,
            partial(show, done),
        )
        started = time.monotonic()
        found = goal.run(step)
        tally = added(tally, {**found, "seconds": time.monotonic() - started})
        _file(options.state, goal, serve).write_text(json.dumps(tally))
        show(int(tally["done"]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m clients.robustness.soak", description=__doc__)
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder of models")
    parser.add_argument("--state", type=Path, default=Path("soak"), help="folder for results")
    parser.add_argument("--only", help="goals, separated by commas")
    parser.add_argument("--short", action="store_true", help="a minute instead of hours")
    parser.add_argument("--table", action="store_true", help="only print the stored results")
    return parser


if __name__ == "__main__":
    stop_on_sigterm()
    sys.exit(main())
