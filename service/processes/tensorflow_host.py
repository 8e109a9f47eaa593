"""The process that runs SavedModels with TensorFlow for all workers of a service.

`python -m service.processes.tensorflow_host ADDRESS [PIPE]` reads its authentication key from standard
input and listens at ADDRESS. Each connection represents one loaded version. The first message is the
version's directory; each further one is `(signature, inputs)`, answered with `(True, outputs)` or
`(False, "reason")`. Each version runs on its own thread. The process exits when its last client has
disconnected, and at once when all other holders of PIPE, a readable descriptor, have closed it. A service
that stops while TensorFlow is still being imported therefore leaves no process behind.
"""

import os
import signal
import sys
import threading
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from typing import Any

from service.engine import Arrays, Engine
from service.tensorflow_engine import load_tensorflow

NICENESS = 10  # low priority, because runs here are long and requests are answered elsewhere
LINGER_SECONDS = 5.0  # time without clients; a reload closes one connection and opens another


class Host:
    """Counts clients, and exits the process when there are none."""

    def __init__(self) -> None:
        self._clients = 0
        self._lock = threading.Lock()
        self._import_lock = threading.Lock()
        self._end_soon()

    def serve(self, connection: Connection) -> None:
        """Answer one client until it closes its connection."""
        with self._lock:
            self._clients += 1
        try:
            self._answer(connection)
        except (EOFError, OSError):
            pass  # the client has disconnected
        finally:
            with self._lock:
                self._clients -= 1
            self._end_soon()

    def _answer(self, connection: Connection) -> None:
        directory = connection.recv()
        try:
            engine = self._load(directory)
        except Exception as error:  # noqa: BLE001 - TensorFlow raises what it likes
            connection.send(_failure(error))
            return
        connection.send((True, None))
        while True:
            signature, inputs = connection.recv()
            connection.send(_run(engine, signature, inputs))

    def _load(self, directory: str) -> Engine:
        with self._import_lock:  # the first client imports TensorFlow and sets its threads
            return load_tensorflow(Path(directory))

    def _end_soon(self) -> None:
        timer = threading.Timer(LINGER_SECONDS, self._end_if_alone)
        timer.daemon = True
        timer.start()

    def _end_if_alone(self) -> None:
        with self._lock:
            if not self._clients:
                os._exit(0)


def _run(engine: Engine, signature: str, inputs: Arrays) -> tuple[bool, Any]:
    try:
        return True, engine.run(signature, inputs)
    except Exception as error:  # noqa: BLE001 - the model's failure is the client's to report
        return _failure(error)


def _failure(error: Exception) -> tuple[bool, str]:
    return False, f"{type(error).__name__}: {error}"[:500]


def main(address: str, pipe: int | None = None) -> None:
    """Listen until the last client has disconnected."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the service
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    if pipe is not None:
        threading.Thread(target=_end_with, args=(pipe,), daemon=True).start()
    key = bytes.fromhex(sys.stdin.readline())
    host = Host()
    with Listener(address, authkey=key) as listener:
        while True:
            try:
                connection = listener.accept()
            except Exception:  # noqa: BLE001, S112 - a client that left or has another key
                continue
            threading.Thread(target=host.serve, args=(connection,), daemon=True).start()


def _end_with(pipe: int) -> None:
    os.read(pipe, 1)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
