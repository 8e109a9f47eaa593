"""`python -m clients.benchmark.memory`: the memory of the service with one worker and with two.

It starts `python -m service` on the models of VITRINE_MODELS, waits until every model is ready, classifies some digits,
and adds up the proportional set size (PSS: shared memory is divided among the processes that share it) of its
processes. TensorFlow's process is listed separately. Linux only.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

from clients.benchmark import servers
from clients.benchmark.digits import drive_connections
from clients.load.scenario import scenarios
from clients.load.target import Target

HOST = "tensorflow_host"
CONNECTIONS, SECONDS = 32, 2
TENSORFLOW_S = 120.0
HEAD = "| workers | start to all models ready, s | service, MiB (PSS) | TensorFlow's process, MiB | together |"


class Memory(NamedTuple):
    """Of one service, in MiB."""

    workers: int
    ready_s: float
    service: float
    tensorflow: float

    def row(self) -> str:
        """A row of the table."""
        both = self.service + self.tensorflow
        figures = f"{self.service:,.0f} | {self.tensorflow:,.0f} | {both:,.0f}"
        return f"| {self.workers} | {self.ready_s:.1f} | {figures} |"


def main(arguments: list[str]) -> int:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="default: 1 2")
    options = parser.parse_args(arguments)
    try:
        measured = [measure(workers) for workers in options.workers]
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("\n".join([HEAD, "|---" * 5 + "|", *(one.row() for one in measured)]))
    return 0


def measure(workers: int) -> Memory:
    """Start a service of `workers` workers, ask it, and add up."""
    target = servers.free_target()
    environ = {key: value for key, value in os.environ.items() if key not in servers.NOT_PASSED_ON}
    environ |= {"VITRINE_PORT": str(target.port), "VITRINE_WORKERS": str(workers)}
    command = [sys.executable, "-m", "service"]
    started = time.monotonic()
    with (
        servers.standard_error() as errors,
        servers.running(command, environ, subprocess.DEVNULL, errors) as process,
    ):
        servers.wait_until_ready(process, target, errors)
        ready_s = time.monotonic() - started
        _wait_for_all_signatures(target)
        drive_connections(scenarios()["digit"], target, CONNECTIONS, SECONDS)
        each = {pid: servers.pss_of(pid) for pid in servers.processes_below(process.pid)}
        hosts = [pid for pid in each if HOST in _command(pid)]
        tensorflow = sum(each[pid] for pid in hosts)
        return Memory(workers, ready_s, sum(each.values()) - tensorflow, tensorflow)


def _wait_for_all_signatures(target: Target) -> None:
    """The service is ready before TensorFlow's process is: wait for that too, if anything needs it."""
    give_up = time.monotonic() + TENSORFLOW_S
    names = list(_get(target, "/v1/models")["models"])
    while time.monotonic() < give_up:
        if not any("unready" in json.dumps(_get(target, f"/v1/models/{name}")) for name in names):
            return
        time.sleep(0.2)


def _get(target: Target, path: str) -> Any:
    url = f"http://{target.authority}{path}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
