"""A service of two workers around NumberedEngine: `python -m tests.service.processes.fake_service MODELS`.

It says its port on the first line; `sesame` is the admin key. Of the workers that load a version,
one takes the file `wait` from MODELS, if there is one, and waits until `waiting` is gone; one takes
`fail`, and fails.
"""

import contextlib
import sys
import time
from functools import partial
from pathlib import Path

import uvicorn

from service.app import create_app
from service.asgi.server import make_server
from service.asgi.state import Lifecycle
from service.processes.connection_counts import ConnectionCounts
from service.processes.peers import RETIRE
from service.processes.supervisor import Supervisor
from tests.fakes import NumberedEngine, every
from tests.service.apps import patient


def load_engines(directory, manifest):
    models = directory.parents[1]
    with contextlib.suppress(FileNotFoundError):
        (models / "fail").unlink()
        raise RuntimeError("as asked")
    with contextlib.suppress(FileNotFoundError):
        (models / "wait").rename(models / "waiting")
        while (models / "waiting").exists():
            time.sleep(0.01)
    return every(NumberedEngine(int(directory.name)))(directory, manifest)


def run_worker(settings, counts, listening, peers):
    lifecycle = Lifecycle()
    app = create_app(settings, load_engines, lifecycle, peers)
    server = make_server(app, settings, lifecycle, counts)
    peers.on(RETIRE, server.retire)
    server.run(sockets=[listening])
    return 0


if __name__ == "__main__":
    settings = patient(Path(sys.argv[1]), port=0, drain_seconds=0, admin_key="sesame")
    listening = uvicorn.Config("", host=settings.host, port=0, log_config=None).bind_socket()
    print(listening.getsockname()[1], flush=True)
    run = partial(run_worker, settings, ConnectionCounts(2))
    sys.exit(Supervisor(2, listening, run, 20.0).run())
