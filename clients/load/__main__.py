"""`python -m clients.load`: load a running service on a few connections and say what came back.

Latencies and rates are those of right answers. It is a closed loop (see `closed_loop`), so its
percentiles say how fast the service is at this many connections, not how it copes with a rate.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

from clients.load.closed_loop import Tally, drive
from clients.load.connection import Answer, Connection, Disconnected
from clients.load.report import progress_line, report_lines, stream_lines
from clients.load.scenario import Scenario, request_bytes, scenarios
from clients.load.streams import StreamTally, drive_streams
from clients.load.target import Target, parse_target

Result = TypeVar("Result")
DEFAULT_URL = "http://127.0.0.1:8000"


def main(arguments: list[str]) -> int:
    """Load each chosen scenario in turn; status 1 if one could not be run or was answered wrongly."""
    options = _parser().parse_args(arguments)
    every = scenarios()
    chosen = [every[name] for name in options.scenario or every]
    try:
        target = parse_target(options.url, options.allow_remote)
        if not options.scenario:
            chosen = [one for one in chosen if run_async(_is_served(one, target))]
        tallies = [
            _load(scenario, target, options.connections, options.seconds) for scenario in chosen
        ]
    except (ValueError, OSError, Disconnected) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    is_right = all(t.latencies_s and not t.errors["wrong answer"] for t in tallies)
    return 0 if is_right else 1


def run_async(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run on uvloop where there is one: the driver must not be the bottleneck."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(coroutine)


def _load(scenario: Scenario, target: Target, connections: int, seconds: float) -> Tally:
    def show(tally: Tally) -> None:
        end = "\r" if sys.stderr.isatty() else "\n"
        print(progress_line(scenario.name, tally), end=end, file=sys.stderr, flush=True)

    async def run() -> Tally:
        await _ask_alone(scenario, target)
        if scenario.name == "stream":
            return await drive_streams(scenario, target, connections, seconds, show)
        return await drive(scenario, target, connections, seconds, show)

    tally = run_async(run())
    lines = report_lines(scenario.name, connections, tally)
    if isinstance(tally, StreamTally):
        lines += stream_lines(tally)
    print("\n".join(lines), flush=True)
    return tally


async def _is_served(scenario: Scenario, target: Target) -> bool:
    """Whether the service has a model for it; if not, say so."""
    answer = await _ask_alone(scenario, target)
    if answer.status == 404:
        print(f"{scenario.name}: left out, the service has no such model", flush=True)
    return answer.status != 404


async def _ask_alone(scenario: Scenario, target: Target) -> Answer:
    """The answer before there is any load, with which a check may compare the others."""
    connection = Connection(target.host, target.port)
    try:
        answer = await connection.ask(request_bytes(scenario, target))
    except OSError as error:
        raise OSError(f"{target.url} does not answer ({error}); is the service running?") from None
    finally:
        connection.close()
    scenario.is_right(answer.body)
    return answer


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:  # not on Windows
        return None
    return uvloop.new_event_loop


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m clients.load", description=__doc__)
    url = os.environ.get("VITRINE_URL", DEFAULT_URL)
    parser.add_argument("--url", default=url, help=f"base URL (VITRINE_URL, else {DEFAULT_URL})")
    parser.add_argument(
        "--scenario",
        action="append",
        choices=tuple(scenarios()),
        help="what to ask, may be given again (default: each in turn)",
    )
    parser.add_argument("--connections", type=_count, default=32, help="at a time (default 32)")
    parser.add_argument("--seconds", type=float, default=5.0, help="per scenario (default 5)")
    parser.add_argument("--allow-remote", action="store_true", help="load another machine; yours")
    return parser


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text} is no number from 1 to 10,000")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
