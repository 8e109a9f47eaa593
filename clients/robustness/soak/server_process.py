"""A server in a separate process, the service or a plain app, and its resource usage from the kernel (Linux)."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from clients.robustness.soak.connection import ask

READY_SECONDS = 180
STOP_SECONDS = 40


class ServerProcess:
    """A running server: its process, its port, and the memory, threads and files that it has."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, models: Path) -> None:
        self.process = process
        self.port = port
        self.models = models

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
    """Run a server until the block ends; it is ready when the block begins."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("VITRINE_")}
    process = subprocess.Popen(  # noqa: S603 our own command
        command,
        env={**inherited, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    server = ServerProcess(process, port, models)
    try:
        _wait(server)
        yield server
    finally:
        if process.poll() is None:
            server.stop()


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
