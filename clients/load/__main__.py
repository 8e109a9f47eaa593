"""`python -m clients.load`: raise the request rate step by step until a running service is overloaded.

It is an open loop (see `open_loop`): requests are sent when they are due, so the percentiles are those that
users would see at that rate. For each scenario it prints a table of steps, with errors by kind, batch
sizes and the service's own Server-Timing (medians, ms), and the knee. `-o FOLDER` also writes
FOLDER/load.json and FOLDER/load.png. With several `--url` the services alternate at each rate and are
compared. The API key is VITRINE_API_KEY. The last steps overload the service on purpose: test only your own.
"""

import argparse
import datetime
import json
import os
import sys
from pathlib import Path
from typing import Any

from clients.load import classroom
from clients.load.event_loop import run_async
from clients.load.ladder import knee, max_goodput
from clients.load.ladder_run import RunPlan, measure_all
from clients.load.machine import describe_machine
from clients.load.report import Printer
from clients.load.scenario import MIX, scenarios
from clients.load.step_summary import Step, as_record
from clients.load.target import Target, parse_target

DEFAULT_URL = "http://127.0.0.1:8000"
MOST_RATE = 100_000.0
STEPS = 12  # rates, each 1.5 × the one before
CONNECTIONS = 800  # at most, all URLs together
Measured = dict[str, dict[str, list[Step]]]  # scenario → URL → steps


def main(arguments: list[str], prog: str = "python -m clients.load") -> int:
    """Measure each chosen scenario in turn; status 1 if one could not be run or was answered wrongly."""
    options = _parser(prog).parse_args(arguments)
    urls = options.url or [os.environ.get("VITRINE_URL", DEFAULT_URL)]
    try:
        key = os.environ.get("VITRINE_API_KEY", "")
        targets = [parse_target(url, options.allow_remote, key) for url in dict.fromkeys(urls)]
        if options.scenario == ["class"]:
            return _measure_class(targets[0], options)
        plan = RunPlan(targets, options.seconds, STEPS, options.rates, CONNECTIONS, Printer())
        measured = run_async(measure_all(plan, options.scenario or [*MIX, "mix"]))
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if options.output is not None and measured:
        write(options.output, measured)
    missing = set(options.scenario or ()) - measured.keys()
    return 1 if missing or not measured or _is_wrong(measured) else 0


def _measure_class(target: Target, options: argparse.Namespace) -> int:
    rows = run_async(classroom.measure(target, options.seconds))
    print("\n".join(classroom.table(rows)))
    if options.output is not None:
        options.output.mkdir(parents=True, exist_ok=True)
        (options.output / "class.png").write_bytes(classroom.draw(rows))
        print(f"written: {options.output / 'class.png'}")
    return 0


def write(folder: Path, measured: Measured) -> None:
    """FOLDER/load.json and FOLDER/load.png."""
    from clients.load import chart  # Matplotlib, for this alone

    record = {
        "ended": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": describe_machine(),
        "scenarios": {
            name: {url: _summary(steps) for url, steps in by_url.items()}
            for name, by_url in measured.items()
        },
    }
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / "load.json").write_text(text + "\n", encoding="utf-8")
    (folder / "load.png").write_bytes(chart.draw(measured))
    print(f"written: {folder / 'load.json'}, {folder / 'load.png'}")


def _summary(steps: list[Step]) -> dict[str, Any]:
    bend = knee(steps)
    return {
        "knee_per_s": None if bend is None else bend.rate,
        "most_right_per_s": max_goodput(steps),
        "steps": [as_record(step) for step in steps],
    }


def _is_wrong(measured: Measured) -> bool:
    every = [steps for by_url in measured.values() for steps in by_url.values()]
    return any(
        not max_goodput(steps) or any(step.errors.get("wrong answer") for step in steps)
        for steps in every
    )


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    url_help = f"base URL, may be given again to compare (VITRINE_URL, else {DEFAULT_URL})"
    add("--url", action="append", help=url_help)
    add(
        "--scenario",
        action="append",
        choices=(*scenarios(), "mix", "class"),
        help="what to ask, may be given again (default: each but drawing in turn); class, alone: a table "
        "of what 30, 60 and 120 students feel",
    )
    add("--rates", type=_rates, help="such as 10,50,100 a second (default: found by itself)")
    add("--seconds", type=_seconds, default=3.0, help="per step, 0.1 to 60 (default 3)")
    add("-o", "--output", type=Path, help="folder for load.json and load.png, or class.png")
    add(
        "--allow-remote",
        action="store_true",
        help="allow a service on another machine (only your own)",
    )
    return parser


def _seconds(text: str) -> float:
    return _number(text, 0.1, 60.0, "seconds")


def _rates(text: str) -> tuple[float, ...]:
    return tuple(sorted(_number(part, 0.1, MOST_RATE, "a rate") for part in text.split(",")))


def _number(text: str, least: float, most: float, what: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"{text!r}: {what} must be from {least:g} to {most:,g}")
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
