"""`python -m clients.benchmark.memory`: the memory of the service with one worker and with two.

It starts `python -m service` on the models of VITRINE_MODELS, waits until every model is ready, classifies some digits,
and adds up the proportional set size (PSS: shared memory is divided among the processes that share it) of its
processes. TensorFlow's process is listed separately. Linux only.
"""

import argparse
import sys
import time
from typing import NamedTuple

from clients.load import markdown
from clients.load.connection import ask
from clients.load.measurement import measure_closed_loop
from clients.load.scenario import scenarios
from clients.load.server_process import Server, pss_mib, service, stop_on_sigterm

HOST = "tensorflow_host"
CONNECTIONS, SECONDS = 32, 2
TENSORFLOW_S = 120.0
HEAD = (
    "workers", "start to all models ready, s", "service, MiB (PSS)", "TensorFlow's process, MiB", "together",
)  # fmt: skip


class Memory(NamedTuple):
    """Of one service, in MiB."""

    workers: int
    ready_s: float
    service: float
    tensorflow: float

    def cells(self) -> list[str]:
        """A row of the table."""
        mib = (self.service, self.tensorflow, self.service + self.tensorflow)
        return [str(self.workers), f"{self.ready_s:.1f}", *(f"{one:,.0f}" for one in mib)]


def main(arguments: list[str]) -> int:
    """Measure and print a Markdown table."""
    argparse.ArgumentParser(description=__doc__).parse_args(arguments)
    try:
        measured = [measure(workers) for workers in (1, 2)]
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("\n".join(markdown.table(HEAD, [one.cells() for one in measured])))
    return 0


def measure(workers: int) -> Memory:
    """Start a service of `workers` workers, ask it, and add up."""
    with service(workers=str(workers)) as server:
        _wait_for_all_signatures(server)
        measure_closed_loop(scenarios()["digit"], server.target, CONNECTIONS, SECONDS)
        each = [(HOST in " ".join(one.cmdline()), pss_mib(one)) for one in server.processes]
    tensorflow = sum(mib for is_host, mib in each if is_host)
    return Memory(workers, server.ready_s, sum(mib for _, mib in each) - tensorflow, tensorflow)


def _wait_for_all_signatures(server: Server) -> None:
    """The service is ready before TensorFlow's process is: wait for that too, if anything needs it."""
    give_up = time.monotonic() + TENSORFLOW_S
    names = ask(server.port, "GET", "/v1/models").json()["models"]
    while time.monotonic() < give_up:
        cards = [ask(server.port, "GET", f"/v1/models/{name}").body for name in names]
        if not any(b"unready" in card for card in cards):
            return
        time.sleep(0.2)


if __name__ == "__main__":
    stop_on_sigterm()
    sys.exit(main(sys.argv[1:]))
