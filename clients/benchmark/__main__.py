"""`python -m clients.benchmark`: the speed of the service relative to an endpoint without a model.

One run measures three things in turn, round by round, on this machine:

- the **service** (`python -m service`, with its models),
- the **baseline** (`clients.benchmark.decode_only_server`): a plain FastAPI endpoint that decodes the image and
  returns a made-up answer. A Python service with this stack can hardly be much faster on one core;
- the **raw model** (`clients.benchmark.raw_model`): a call of the SavedModel alone.

Interpretation. The same server differs by 1.1 to 1.7 × between rounds, so only ratios are meaningful. Each is
computed within one round, in which both servers had the same noise; the table has their median, minimum
and maximum. A wide range means that other programs were running: repeat the run. A cell with answers other than 2xx, or with socket errors, has no meaningful rate. Load generator and servers
share the cores. The percentiles are those of a closed loop: they hold for that number of
connections, not for a rate of requests. Text, samples and photos:
see `text`, `samples` and `photos`. All measurements are in OUTPUT/latest.json.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from clients.benchmark import digits, peers, photos, report, samples
from clients.benchmark import text as text_bench
from clients.load.machine import describe_machine
from clients.load.server_process import stop_on_sigterm

# Each part measures, and makes a table and a verdict of its rows.
PARTS: dict[str, ModuleType] = {
    "images": digits,
    "text": text_bench,
    "samples": samples,
    "photos": photos,
    "peers": peers,
}


def main(arguments: list[str], prog: str = "python -m clients.benchmark") -> int:
    """Measure, print, write; status 1 if something did not start or answered wrongly."""
    options = _parser(prog).parse_args(arguments)
    stop_on_sigterm()
    about = {
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": describe_machine(),
        "seconds": options.seconds,
        "rounds": options.rounds,
    }
    try:
        measured = {name: _measure(name, options) for name in PARTS if options.only in (None, name)}
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    measured = {name: rows for name, rows in measured.items() if rows}
    _show(about["machine"], measured)
    write_record(options.output, about, measured)
    if "peers" in measured:
        peers.write_chart(measured["peers"], options.output / "peers.png")
        print(f"written: {options.output / 'peers.png'}")
    return 0


def _measure(name: str, options: argparse.Namespace) -> list[Any]:
    models = Path(os.environ.get("VITRINE_MODELS", "models"))
    more = (options.peers,) if name == "peers" else ()
    rows: list[Any] = PARTS[name].measure(models, options.rounds, options.seconds, _say, *more)
    return rows


def _show(machine: dict[str, Any], measured: dict[str, list[Any]]) -> None:
    print("\n" + "\n".join(f"{key}: {value}" for key, value in machine.items()) + "\n")
    for name, rows in measured.items():
        print("\n".join([*PARTS[name].table(rows), ""]))
    for name, rows in measured.items():
        for goal in PARTS[name].goals(rows):
            print(f"{goal.text}: {'met' if goal.is_met else 'missed'}")


def write_record(output: Path, about: dict[str, Any], measured: dict[str, list[Any]]) -> None:
    """Write OUTPUT/latest.json: the machine, and the measurements and goals of each part."""
    parts = {name: report.record(rows, PARTS[name].goals(rows)) for name, rows in measured.items()}
    output.mkdir(parents=True, exist_ok=True)
    path = output / "latest.json"
    path.write_text(
        json.dumps(about | parts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    print(f"\nwritten: {path}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--seconds", type=_positive, default=2, help="per cell and server (default 2)"
    )
    parser.add_argument("--rounds", type=_positive, default=5, help="default 5: some 150 s in all")
    parser.add_argument("--output", type=Path, default=Path("bench"), help="folder (default bench)")
    parser.add_argument("--only", choices=tuple(PARTS), help="run only these parts")
    parser.add_argument(
        "--peers",
        metavar="PYTHON",
        action="append",
        default=[],
        help="interpreter that has mosec, litserve, ray[serve], bentoml or mlserver; may be given again",
    )
    return parser


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, got {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
