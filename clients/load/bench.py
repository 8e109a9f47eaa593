"""`python -m clients.load.bench`: how much of a FastAPI service's speed is left when a model is in it.

One run, on this machine, measures three things in turn, round by round:

- the **service** (`python -m service`, with its models),
- the **baseline** (`clients.load.decode_only`): a plain FastAPI endpoint that decodes the picture and
  makes the answer up; what no service in Python with this stack will exceed by much on one core,
- the **raw model** (`clients.load.raw_model`): a call of the SavedModel with nothing around it.

How to read it. Machines are noisy: the same server differs by 1.1 to 1.7 × between rounds. So only the
ratios count, each taken within one round, where both servers saw the same noise; the table gives their
median, smallest and largest. Where the range is wide, something else ran: repeat. `--calibrate` puts
the baseline at both ends: how far from 1.00 its ratios stray is what a difference must exceed.
A cell with answers that are not 2xx, or with socket errors, has no meaningful rate. Driver and servers
share the cores, as those of the peers did; with wrk missing, our own asyncio driver takes its place,
which costs more of them, so compare only runs of the same driver. wrk's percentiles are of a closed
loop: they say how fast answers come at so many connections, not at so many requests per second.
Goals: see `comparison`. Texts and samples are measured by our own driver, see `text_bench` and `sample_bench`. Everything measured is in OUTPUT/latest.json.
"""

import argparse
import asyncio
import contextlib
import datetime
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from clients.load import comparison, sample_bench, servers, text_bench, wrk
from clients.load.__main__ import run_async
from clients.load.closed_loop import drive
from clients.load.comparison import RawCall, Row
from clients.load.connection import Connection, Disconnected
from clients.load.machine import describe_machine
from clients.load.measurement import Measurement, measurement_of
from clients.load.raw_model import newest_version
from clients.load.sample_bench import SampleRow
from clients.load.scenario import Scenario, request_bytes, scenarios
from clients.load.target import Target
from clients.load.text_bench import TextRow

PICTURES = {"28×28": "digit", "280×280": "drawing"}
CONNECTIONS = (1, 32, 128)
WARM_UP_S = 1

Driver = Callable[[Scenario, Target, int, int], Measurement]  # connections, seconds


def main(arguments: list[str]) -> int:
    """Measure, print, write; status 1 if something did not start or answered wrongly."""
    options = _parser().parse_args(arguments)
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(143)
    )  # so that `finally` stops what we started
    started, machine = datetime.datetime.now(datetime.UTC), describe_machine()
    try:
        with _driver(options.driver) as (driver_name, driver):
            rows, raw = _measure(driver, options) if _has("pictures", options) else ([], [])
        text = _measure_text(options) if _has("text", options) else []
        samples = _measure_samples(options) if _has("samples", options) else []
    except (OSError, ValueError, Disconnected, subprocess.SubprocessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    about = {
        "started": started.isoformat(timespec="seconds"),
        "machine": machine | {"driver": driver_name},
        "seconds": options.seconds,
        "rounds": options.rounds,
        "calibration": options.calibrate,
    }
    _show(about, rows, raw, text, samples)
    parts = {"text": text_bench.summary(text), "samples": sample_bench.summary(samples)}
    write_record(options.output, about | parts, rows, raw)
    return 0


def _has(part: str, options: argparse.Namespace) -> bool:
    return options.only in (None, part) and (part == "pictures" or not options.calibrate)


def _measure_samples(options: argparse.Namespace) -> list[SampleRow]:
    return sample_bench.measure(_models(), options.rounds, options.seconds, _say)


def _measure_text(options: argparse.Namespace) -> list[TextRow]:
    return text_bench.measure(options.rounds, options.seconds, _say)


def _measure(driver: Driver, options: argparse.Namespace) -> tuple[list[Row], list[RawCall]]:
    with contextlib.ExitStack() as stack:
        if not options.calibrate:
            newest_version(_models())  # or a sentence, before the service waits for a model in vain
        first = servers.baseline() if options.calibrate else servers.service()
        targets = {
            "service": stack.enter_context(first),
            "baseline": stack.enter_context(servers.baseline()),
        }
        time_raw_model = None if options.calibrate else stack.enter_context(_raw_model())
        for target in targets.values():
            _warm_up(driver, target)
        rows: list[Row] = []
        raw: list[RawCall] = []
        for number in range(options.rounds):
            if time_raw_model is not None:
                raw.append(time_raw_model(number))
            rows += one_round(driver, targets, number, options.seconds)
    return rows, raw


def one_round(
    driver: Driver, targets: dict[str, Target], number: int, seconds: int
) -> Iterator[Row]:
    """Every cell once: service, then at once baseline."""
    every = scenarios()
    for connections in CONNECTIONS:
        for picture, name in PICTURES.items():
            for server, target in targets.items():
                measured = driver(every[name], target, connections, seconds)
                _say(
                    f"round {number + 1}  {picture:>7}  {connections:>3} connections  {server:<8}"
                    f"  {measured.requests_per_s:7,.0f} requests/s  p50 {measured.p50_ms:.2f} ms"
                )
                yield Row(number, server, picture, connections, measured)


def _warm_up(driver: Driver, target: Target) -> None:
    """Every picture once, its answer checked, and then under load for a moment."""
    every = scenarios()
    for name in PICTURES.values():
        asyncio.run(_check_answer(every[name], target))
        driver(every[name], target, 32, WARM_UP_S)


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
def _raw_model() -> Iterator[Callable[[int], RawCall]]:
    """The raw model, which sleeps unless it is its turn; the yielded function is one turn."""
    command = [sys.executable, "-m", "clients.load.raw_model", str(_models()), "--on-demand"]
    with servers.on_demand(command, "the raw model") as turn:
        yield lambda number: RawCall(number, **turn())


def _models() -> Path:
    return Path(os.environ.get("VITRINE_MODELS", "models"))


@contextlib.contextmanager
def _driver(wanted: str) -> Iterator[tuple[str, Driver]]:
    """Wrk where it is installed, else our own connections; with its name for the record."""
    program = None if wanted == "asyncio" else wrk.find_wrk()
    if program is None:
        if wanted == "wrk":
            raise OSError("wrk is not installed; leave --driver away to measure without it")
        yield "asyncio (clients.load)", _drive_ourselves
        return
    with tempfile.TemporaryDirectory() as folder:

        def run(scenario: Scenario, target: Target, connections: int, seconds: int) -> Measurement:
            script = wrk.write_script(scenario, Path(folder))
            url = wrk.scenario_url(scenario, target)
            return wrk.run_wrk(program, script, url, connections, seconds)

        yield wrk.wrk_version(program), run


def _drive_ourselves(
    scenario: Scenario, target: Target, connections: int, seconds: int
) -> Measurement:
    return measurement_of(run_async(drive(scenario, target, connections, seconds)))


def _show(
    about: dict[str, Any],
    rows: list[Row],
    raw: list[RawCall],
    text: list[TextRow],
    samples: list[SampleRow],
) -> None:
    print("\n" + "\n".join(f"{key}: {value}" for key, value in about["machine"].items()) + "\n")
    if rows:
        print("\n".join([*comparison.table(rows), "", *comparison.raw_lines(raw), ""]))
    if text:
        print("\n".join([*text_bench.table(text), ""]))
    if samples:
        print("\n".join([*sample_bench.table(samples), ""]))
    verdict = [
        *(comparison.goals(rows, raw) if rows else []),
        *text_bench.goals(text),
        *sample_bench.goals(samples),
    ]
    for goal in verdict:
        print(f"{goal.text}: {'met' if goal.is_met else 'missed'}")


def write_record(output: Path, about: dict[str, Any], rows: list[Row], raw: list[RawCall]) -> None:
    """Write OUTPUT/latest.json: where it ran, every measurement, and what they say together."""
    record = about | {
        "measurements": [
            {key: value for key, value in row._asdict().items() if key != "measured"}
            | {key: _finite(value) for key, value in row.measured._asdict().items()}
            for row in rows
        ],
        "raw_model": [one._asdict() for one in raw],
        "summary": comparison.summary(rows, raw),
    }
    output.mkdir(parents=True, exist_ok=True)
    path = output / "latest.json"
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"\nwritten: {path}")


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m clients.load.bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--seconds", type=_positive, default=2, help="per cell and server (default 2)"
    )
    parser.add_argument("--rounds", type=_positive, default=5, help="default 5: some 150 s in all")
    parser.add_argument("--output", type=Path, default=Path("bench"), help="folder (default bench)")
    parser.add_argument("--driver", choices=("wrk", "asyncio"), help="default: wrk if installed")
    parser.add_argument(
        "--only", choices=("pictures", "text", "samples"), help="leave the others out"
    )
    parser.add_argument("--calibrate", action="store_true", help="the baseline at both ends")
    return parser


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no whole number from 1 on")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
