"""Starts programs and servers for a measurement on free loopback ports, and always stops them, by process id."""

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
from typing import Any, Self

import psutil

from clients.load.connection import ask
from clients.load.target import Target

READY_S = 300.0  # eleven models on a busy machine
STOP_S = 60.0  # servers that drain longer are killed
LAST_BYTES = 8000  # of standard error; with a fatal signal every thread's stack
NOT_PASSED_ON = ("VITRINE_URL", "VITRINE_API_KEYS")  # of the user's shell; the load sends no key


class Program:
    """A program that runs for a `with` block, and what it uses.

    OSError at the end of the block if it ended by itself, with its exit status and what it wrote last.
    """

    def __init__(
        self, command: list[str], environ: Mapping[str, str], stdout: int = subprocess.DEVNULL
    ) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 closed when the block ends
        self._was_stopped = False
        self.popen = subprocess.Popen(
            command,
            env={"PYTHONFAULTHANDLER": "1", **environ},
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=self._errors,
            start_new_session=True,  # a process group, with all that it starts
        )
        self._process = psutil.Process(self.popen.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        status = self.popen.poll()
        with self._errors:
            if self._was_stopped:
                return
            self.stop()
            if status is not None:
                command = " ".join(map(str, self.popen.args))  # type: ignore[arg-type]
                raise OSError(f"{command} ended by itself: {_ending(status)}\n{self._last_words()}")

    def stop(self) -> int:
        """SIGTERM, or SIGKILL after a minute; the exit status.

        What it leaves behind is killed: LitServe dies of SIGTERM without its five processes.
        """
        self._was_stopped = True
        self.popen.terminate()
        try:
            self.popen.communicate(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.communicate()
        if sys.platform != "win32":
            with contextlib.suppress(ProcessLookupError):  # nothing is left
                os.killpg(self.popen.pid, signal.SIGKILL)
        return self.popen.returncode

    @property
    def megabytes(self) -> float:
        """Resident memory of the process itself."""
        return float(self._process.memory_info().rss) / 2**20

    @property
    def peak_megabytes(self) -> float:
        """The most that it ever was, or since `forget_peak` (Linux)."""
        status = Path(f"/proc/{self.popen.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def forget_peak(self) -> None:
        """Count the most memory from now on (Linux)."""
        Path(f"/proc/{self.popen.pid}/clear_refs").write_text("5")

    @property
    def threads(self) -> int:
        """Threads of the process itself."""
        return int(self._process.num_threads())

    @property
    def files(self) -> int:
        """Its open files and sockets."""
        return int(self._process.num_fds())

    @property
    def processes(self) -> list[psutil.Process]:
        """The process itself and all that it started, and they in turn."""
        return [self._process, *self._process.children(recursive=True)]

    @property
    def pss_mib(self) -> float:
        """Memory of all its processes."""
        return sum(map(pss_mib, self.processes))

    @property
    def processor_seconds(self) -> float:
        """Processor time that all its processes have used so far."""
        seconds = 0.0
        for process in self.processes:
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                seconds += times.user + times.system
        return seconds

    def _last_words(self) -> str:
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - LAST_BYTES))
        return self._errors.read().decode(errors="replace").strip()


class Server(Program):
    """A server at a target; in a `with` block it is ready when the block begins."""

    def __init__(
        self,
        command: list[str],
        environ: Mapping[str, str],
        target: Target,
        is_ready: Callable[[], bool] | None = None,
    ) -> None:
        self.target = target
        self.ready_s = 0.0  # seconds from the start until it was ready
        self._is_ready = is_ready or self.is_ready
        super().__init__(command, environ)

    def __enter__(self) -> Self:
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    @property
    def port(self) -> int:
        """Where it answers."""
        return self.target.port

    def is_ready(self) -> bool:
        """Whether it says that it is ready."""
        with contextlib.suppress(OSError):
            return ask(self.port, "GET", "/v2/health/ready").status == 200
        return False

    def _wait(self) -> None:
        started = time.monotonic()
        while not self._is_ready():
            self.ready_s = time.monotonic() - started
            if self.popen.poll() is not None:
                raise OSError("the server exited during start-up")
            if self.ready_s > READY_S:
                raise OSError(f"the server was not ready in {READY_S:.0f} s: {self._last_words()}")
            time.sleep(0.05)
        self.ready_s = time.monotonic() - started


def service(
    module: str = "service", environ: Mapping[str, str] | None = None, /, **settings: str
) -> Server:
    """The service itself on a free port, with the VITRINE_ settings of `environ` and these.

    environ: by default this shell's.
    settings: their names without VITRINE_, in lower case.
    """
    target = free_target()
    given = {"log_level": "warning", **settings, "host": target.host, "port": str(target.port)}
    named = {f"VITRINE_{name.upper()}": value for name, value in given.items()}
    return Server([sys.executable, "-m", module], passed_on(environ) | named, target)


def stop_on_sigterm() -> None:
    """Let SIGTERM end the `with` blocks of this process, which stop what they have started."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def passed_on(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a started server."""
    found = os.environ if environ is None else environ
    return {key: value for key, value in found.items() if key not in NOT_PASSED_ON}


@contextlib.contextmanager
def on_demand(command: list[str]) -> Iterator[Callable[[], dict[str, Any]]]:
    """A process that measures once for each line it reads; the yielded function is one turn."""
    with Program(command, os.environ, subprocess.PIPE) as program:
        stdin, stdout = program.popen.stdin, program.popen.stdout
        assert stdin is not None
        assert stdout is not None

        def turn() -> dict[str, Any]:
            with contextlib.suppress(BrokenPipeError):
                stdin.write(b"\n")
                stdin.flush()
            line = stdout.readline()
            if not line:
                program.popen.wait(STOP_S)
                raise OSError("nothing was measured")
            measured: dict[str, Any] = json.loads(line)
            return measured

        yield turn


def pss_mib(process: psutil.Process) -> float:
    """PSS of one process (shared memory divided among its users); 0 if it has gone, or off Linux."""
    try:
        return float(getattr(process.memory_full_info(), "pss", 0)) / 2**20
    except psutil.Error:
        return 0.0


def free_target() -> Target:
    """A loopback port that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return Target("127.0.0.1", listener.getsockname()[1], "")


def _ending(status: int) -> str:
    """An exit status in words; below 0 it is the signal that killed the process."""
    return f"exit status {status}" if status >= 0 else f"signal {signal.Signals(-status).name}"
