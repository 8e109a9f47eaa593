"""A server in a separate process, the service or a plain app, and its resource usage from the kernel (Linux)."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from clients.robustness.soak.connection import ask

READY_SECONDS = 180
STOP_SECONDS = 40
TAIL_BYTES = 8000


class ServerProcess:
    """A running server: its process, its port, and the memory, threads and files that it has."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, models: Path) -> None:
        self.process = process
        self.port = port
        self.models = models
        self.was_stopped = False

    @property
    def megabytes(self) -> float:
        """Resident memory of the serving process."""
        return self._status("VmRSS") / 1024

    @property
    def peak_megabytes(self) -> float:
        """The most that it ever was."""
        return self._status("VmHWM") / 1024

    @property
    def threads(self) -> int:
        """Threads of the serving process."""
        return self._status("Threads")

    @property
    def files(self) -> int:
        """Open files and sockets."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def is_ready(self) -> bool:
        """Whether it runs and says that it is ready."""
        with contextlib.suppress(OSError):
            return ask(self.port, "GET", "/v2/health/ready").status == 200
        return False

    def stop(self) -> int:
        """SIGTERM; the exit status, -9 if it had to be killed."""
        self.was_stopped = True
        self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(STOP_SECONDS)
        self.process.kill()
        return self.process.wait()

    def _status(self, name: str) -> int:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


@contextlib.contextmanager
def vitrine(models: Path, **settings: str) -> Iterator[ServerProcess]:
    """A service of these models; settings without VITRINE_, in lower case."""
    port = free_port()
    environment = {f"VITRINE_{name.upper()}": value for name, value in settings.items()}
    environment |= {"VITRINE_MODELS": str(models), "VITRINE_PORT": str(port)}
    with _running([sys.executable, "-m", "service"], port, models, environment) as service:
        yield service


@contextlib.contextmanager
def plain_app(models: Path, **settings: str) -> Iterator[ServerProcess]:
    """The plain app, which has no settings, with the digit model's own graph."""
    port = free_port()
    command = [sys.executable, "-m", "clients.robustness.soak.plain_app", str(models), str(port)]
    with _running(command, port, models, {}) as server:
        yield server


@contextlib.contextmanager
def _running(
    command: list[str], port: int, models: Path, environment: dict[str, str]
) -> Iterator[ServerProcess]:
    """Run a server until the block ends; it is ready when the block begins.

    RuntimeError if it ended by itself, with its exit status and what it wrote last.
    """
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("VITRINE_")}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 our own command
            command,
            env={**inherited, "PYTHONFAULTHANDLER": "1", **environment},
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        server = ServerProcess(process, port, models)
        try:
            _wait(server)
            yield server
        finally:
            status = process.poll()
            if status is None:
                server.stop()
            elif not server.was_stopped:
                raise RuntimeError(f"the server ended by itself: {_ending(status)}\n{_tail(log)}")


def _ending(status: int) -> str:
    """An exit status in words; below 0 it is the signal that killed the process."""
    return f"exit status {status}" if status >= 0 else f"signal {signal.Signals(-status).name}"


def _tail(log: IO[bytes]) -> str:
    """What was written last: with a fatal signal every thread's stack."""
    log.seek(max(0, log.seek(0, os.SEEK_END) - TAIL_BYTES))
    return log.read().decode(errors="replace")


def free_port() -> int:
    """A free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def copy_models(source: Path, target: Path, *names: str) -> Path:
    """The newest version of each model, in a folder that may be changed; return that folder."""
    for name in names:
        versions = [v for v in (source / name).iterdir() if v.name.isdigit()]
        newest = max(versions, key=lambda version: int(version.name))
        shutil.copytree(newest, target / name / newest.name)
    return target


def _wait(server: ServerProcess) -> None:
    for _ in range(READY_SECONDS * 10):
        if server.process.poll() is not None:
            status = server.process.returncode
            raise RuntimeError(f"the server exited with status {status} during start-up")
        if server.is_ready():
            return
        time.sleep(0.1)
    raise RuntimeError(f"the server was not ready within {READY_SECONDS} s")
