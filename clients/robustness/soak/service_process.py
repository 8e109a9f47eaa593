"""A service in a process of its own, and what the kernel says of it (Linux)."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from clients.robustness.soak.connection import ask

READY_SECONDS = 180


class ServiceProcess:
    """A running service: its process, its port, and the memory, threads and files that it has."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self.process = process
        self.port = port

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

    def _status(self, name: str) -> int:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))

    def kill(self, signal_number: int) -> None:
        """Send a signal."""
        os.kill(self.process.pid, signal_number)


@contextlib.contextmanager
def running(command: list[str], port: int, **environment: str) -> Iterator[ServiceProcess]:
    """Run a server until the block ends; it is ready when the block begins."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("VITRINE_")}
    process = subprocess.Popen(  # noqa: S603 our own command
        command,
        env={**inherited, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(process, port)
        yield ServiceProcess(process, port)
    finally:
        process.terminate()
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def vitrine(models: Path, **settings: str) -> Iterator[ServiceProcess]:
    """A service of these models; settings without VITRINE_, in lower case."""
    port = free_port()
    environment = {f"VITRINE_{name.upper()}": value for name, value in settings.items()}
    environment |= {"VITRINE_MODELS": str(models), "VITRINE_PORT": str(port)}
    with running([sys.executable, "-m", "service"], port, **environment) as service:
        yield service


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def copy_models(source: Path, target: Path, *names: str) -> None:
    """The newest version of each model, in a folder that may be changed."""
    for name in names:
        versions = [v for v in (source / name).iterdir() if v.name.isdigit()]
        newest = max(versions, key=lambda version: int(version.name))
        shutil.copytree(newest, target / name / newest.name)


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    for _ in range(READY_SECONDS * 10):
        if process.poll() is not None:
            raise RuntimeError(f"the service ended with status {process.returncode} at its start")
        with contextlib.suppress(OSError):
            if ask(port, "GET", "/v2/health/ready").status == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(f"the service was not ready within {READY_SECONDS} s")
