"""The client of the TensorFlow process, which starts with the first version that needs it.

All processes that hold the same `TensorFlowClient`, including forked workers, use the same host process.
"""

import contextlib
import logging
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import Any

import numpy as np

from service.engine import Arrays, CannotRun, EngineName
from service.errors import NotReady

log = logging.getLogger("vitrine.tensorflow")
START_SECONDS = 180.0  # until the host listens; TensorFlow itself is imported later


class TensorFlowClient:
    """The host's address, and how to start it. Create it before forking."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.gettempdir()) / f"vitrine-{secrets.token_hex(8)}"
        self._owner = os.getpid()
        pipe = rf"\\.\pipe\{self._folder.name}"
        self._address = str(self._folder / "host") if os.name == "posix" else pipe
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        # Nothing is written: the host reads its end when the last process that holds it has exited.
        self._alive = os.pipe() if os.name == "posix" else ()

    def load(self, directory: Path) -> "RemoteEngine":
        """An engine for a version, which loads in the background; `run` raises NotReady meanwhile."""
        return RemoteEngine(self, directory)

    def connect(self) -> Connection:
        """A new connection to the host, which is started if it is not running."""
        self._folder.mkdir(0o700, exist_ok=True)
        with self._lock, self._only_process():
            with contextlib.suppress(OSError):
                return Client(self._address, authkey=self._key)
            return self._start()

    def close(self) -> None:
        """Remove the socket's folder; the host exits after its last client or the last worker."""
        if os.getpid() == self._owner:
            shutil.rmtree(self._folder, ignore_errors=True)
            for descriptor in self._alive:
                os.close(descriptor)
            self._alive = ()

    def _start(self) -> Connection:
        Path(self._address).unlink(missing_ok=True)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, "-m", "service.processes.tensorflow_host", self._address]
        kept = self._alive[:1]
        process = subprocess.Popen(  # noqa: S603 - our own module
            [*command, *map(str, kept)],
            stdin=subprocess.PIPE,
            env=environment,
            text=True,
            pass_fds=kept,
        )
        assert process.stdin
        with contextlib.suppress(OSError), process.stdin as stream:
            stream.write(self._key.hex() + "\n")
        threading.Thread(target=process.wait, daemon=True).start()  # avoids a zombie process
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                return Client(self._address, authkey=self._key)
            time.sleep(0.02)
        raise CannotRun(f"the TensorFlow process did not start (status {process.poll()})")

    @contextlib.contextmanager
    def _only_process(self) -> Iterator[None]:
        """Keep other processes from starting a host at the same time."""
        if sys.platform == "win32":
            yield
            return
        import fcntl

        with (self._folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


class RemoteEngine:
    """A version loaded in the host; one call at a time."""

    name: EngineName = "tensorflow"
    is_thread_free = False  # the caller waits for another process

    def __init__(self, client: TensorFlowClient, directory: Path) -> None:
        self._client = client
        self._directory = directory
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._error = ""
        self._begin()

    def run(self, signature: str, inputs: Arrays) -> dict[str, np.ndarray]:
        """Run a signature in the host; NotReady until it is up, CannotRun if it could not load."""
        if self._error:
            raise CannotRun(self._error)
        with self._lock:
            if self._connection is None:
                raise NotReady("the TensorFlow process is starting: try again later")
            try:
                done, result = _ask(self._connection, (signature, dict(inputs)))
            except (EOFError, OSError):
                self._connection = None
                self._begin()
                raise NotReady("the TensorFlow process is restarting: try again later") from None
        if not done:
            raise RuntimeError(result)
        return dict(result)

    def _begin(self) -> None:
        threading.Thread(target=self._connect, name="tensorflow-client", daemon=True).start()

    def _connect(self) -> None:
        try:
            connection = self._client.connect()
            done, reason = _ask(connection, str(self._directory.resolve()))
        except Exception as error:  # noqa: BLE001 - whatever it is, the signature cannot run
            done, reason = False, f"{type(error).__name__}: {error}"
        if done:
            self._connection = connection
            return
        log.warning("not loaded", extra={"model": str(self._directory), "error": reason})
        if "No module named 'tensorflow'" in reason:
            self._error = "TensorFlow is not installed here; requirements/service.lock has it"
        else:
            self._error = "TensorFlow cannot load it; the log has the cause"


def _ask(connection: Connection, message: Any) -> tuple[bool, Any]:
    connection.send(message)
    done, result = connection.recv()
    return done, result
