"""Starts the processes of a benchmark on free loopback ports, and always stops them, by process id."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from clients.load.connection import Connection, Disconnected
from clients.load.target import Target

READY = "GET /v2/health/ready HTTP/1.1\r\nHost: {authority}\r\n\r\n"
READY_S = 300.0  # eleven models on a busy machine
STOP_S = 60.0  # servers that drain longer are killed
NOT_PASSED_ON = ("VITRINE_URL", "VITRINE_API_KEYS")  # of the user's shell; the load sends no key


@contextlib.contextmanager
def service(module: str = "service", **settings: str) -> Iterator[Target]:
    """The service itself, with the VITRINE_ settings of this shell and these, but its own port."""
    target = free_target()
    environ = {key: value for key, value in os.environ.items() if key not in NOT_PASSED_ON}
    environ |= {
        "VITRINE_HOST": target.host,
        "VITRINE_PORT": str(target.port),
        "VITRINE_LOG_LEVEL": "warning",
        **settings,
    }
    with _ready([sys.executable, "-m", module], environ, target):
        yield target


@contextlib.contextmanager
def baseline() -> Iterator[Target]:
    """A service without a model, see `decode_only_server`."""
    target = free_target()
    command = [sys.executable, "-m", "clients.benchmark.decode_only_server", str(target.port)]
    with _ready(command, os.environ, target):
        yield target


@contextlib.contextmanager
def running(
    command: list[str], environ: Mapping[str, str], stdout: int, errors: IO[bytes]
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process for as long as the block lasts; stopped by SIGTERM, or by SIGKILL after a minute.

    What it leaves behind is killed: LitServe dies of SIGTERM without its five processes.
    """
    process = subprocess.Popen(
        command,
        env=environ,
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=errors,
        start_new_session=True,  # a process group, with all that it starts
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        if sys.platform != "win32":
            with contextlib.suppress(ProcessLookupError):  # nothing is left
                os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def on_demand(command: list[str], what: str) -> Iterator[Callable[[], dict[str, Any]]]:
    """A process that measures once for each line it reads; the yielded function is one turn."""
    with (
        tempfile.TemporaryFile() as errors,
        running(command, os.environ, subprocess.PIPE, errors) as process,
    ):

        def turn() -> dict[str, Any]:
            assert process.stdin is not None
            assert process.stdout is not None
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(b"\n")
                process.stdin.flush()
            line = process.stdout.readline()
            if not line:
                raise OSError(f"{what} could not be timed: {last_words(errors)}")
            measured: dict[str, Any] = json.loads(line)
            return measured

        yield turn


@contextlib.contextmanager
def standard_error() -> Iterator[IO[bytes]]:
    """A file for a process' standard error."""
    with tempfile.TemporaryFile() as errors:
        yield errors


def last_words(errors: IO[bytes]) -> str:
    """The last lines of a process' standard error."""
    errors.seek(0)
    return errors.read().decode(errors="replace").strip()[-500:]


@contextlib.contextmanager
def _ready(command: list[str], environ: Mapping[str, str], target: Target) -> Iterator[None]:
    with (
        tempfile.TemporaryFile() as errors,
        running(command, environ, subprocess.DEVNULL, errors) as process,
    ):
        wait_until_ready(process, target, errors)
        yield


def wait_until_ready(process: "subprocess.Popen[bytes]", target: Target, errors: IO[bytes]) -> None:
    """Return when a started server says that it is ready; OSError if it ends or takes too long."""
    give_up = time.monotonic() + READY_S
    while not asyncio.run(_is_ready(target)):
        if process.poll() is not None:
            raise OSError(f"the server exited during start-up: {last_words(errors)}")
        if time.monotonic() > give_up:
            raise OSError(f"the server was not ready in {READY_S:.0f} s: {last_words(errors)}")
        time.sleep(0.05)


async def _is_ready(target: Target) -> bool:
    connection = Connection(target.host, target.port)
    try:
        answer = await connection.ask(READY.format(authority=target.authority).encode(), 2.0)
    except (OSError, Disconnected):
        return False
    finally:
        connection.close()
    return answer.status == 200


def pss_mib(pid: int) -> float:
    """Memory of a process and all below it; 0 where Linux does not say."""
    return sum(map(pss_of, processes_below(pid)))


def processes_below(pid: int) -> list[int]:
    """The process itself and all that it started, and they in turn."""
    below: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            below.setdefault(parent, []).append(int(stat.parent.name))
    found, pending = [], [pid]
    while pending:
        found.append(pending.pop())
        pending += below.get(found[-1], [])
    return found


def pss_of(pid: int) -> float:
    """PSS of one process in MiB (shared memory divided among its users); 0 if unknown."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return int(rollup.partition("\nPss:")[2].split()[0]) / 1024


def processor_seconds(pid: int) -> float:
    """Processor time that a process and all below it have used so far; 0 where Linux does not say."""
    ticks = 0
    for one in processes_below(pid):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])  # in user mode, in the kernel
    return ticks / os.sysconf("SC_CLK_TCK") if ticks else 0.0


def free_target() -> Target:
    """A loopback port that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return Target("127.0.0.1", listener.getsockname()[1], "")
