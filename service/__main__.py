"""`vitrine serve` (`python -m service`): settings from the environment → create_app → uvicorn."""

import argparse
import os
import socket
import sys
from functools import partial
from typing import TYPE_CHECKING

from service.settings import Settings, SettingsError, from_environ, settings_table

if TYPE_CHECKING:  # imported when the service starts, not for --help
    from service.app import Inherited
    from service.processes.connection_counts import ConnectionCounts
    from service.processes.peers import Peers
    from service.runtime.preloading import PreloadedEngines


def main(arguments: list[str], prog: str = "python -m service") -> int:
    """Serve until a signal; return the exit status."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Serve the models below VITRINE_MODELS over HTTP. Settings are environment variables:",
        epilog=settings_table(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--lan",
        action="store_true",
        help="listen on all addresses and print the link for other machines on this network",
    )
    options = parser.parse_args(arguments)
    try:
        settings = from_environ(os.environ)
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.lan:
        settings = settings.model_copy(update={"host": "0.0.0.0"})  # noqa: S104 - as asked for
    return _serve(settings, is_shown=options.lan)


def _serve(settings: Settings, *, is_shown: bool) -> int:
    # The arrays are small, so more threads would not help, and a fork has only one thread.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from service import logs
    from service.native_memory import keep_little_free_memory
    from service.processes.processors import available_processors

    logs.configure(settings.log_level)
    keep_little_free_memory()
    can_fork = hasattr(os, "fork")
    count = settings.workers
    if count == "auto":
        count = available_processors() if can_fork else 1
    if count > 1 and not can_fork:
        print("error: VITRINE_WORKERS must be 1 on systems without fork", file=sys.stderr)
        return 2
    return _run(settings, count, is_shown)


def _run(settings: Settings, count: int, is_shown: bool) -> int:
    from uvicorn.config import STARTUP_FAILURE

    from service import startup
    from service.app import Inherited  # before any fork: the modules are shared too
    from service.asgi.bytes_in_flight import default_limit
    from service.processes.connection_counts import ConnectionCounts
    from service.processes.peers import Peers
    from service.processes.tensorflow_client import TensorFlowClient
    from service.runtime.preloading import PreloadedEngines

    try:
        listening = _listen(settings)
    except OSError as error:
        print(
            "error: VITRINE_HOST and VITRINE_PORT must be an address to listen on, got "
            f"{settings.host} and {settings.port}: {error.strerror}; VITRINE_PORT=0 takes a free port",
            file=sys.stderr,
        )
        return STARTUP_FAILURE
    port, scheme = listening.getsockname()[1], "https" if settings.tls_cert else "http"
    url = startup.address(settings.host, port, settings.root_path, scheme)
    if is_shown:
        from service.lan import announce_lan

        announce_lan(settings, port, partial(print, flush=True))
    print(f"Starting on {url} with the models of {settings.models}", flush=True)
    tensorflow = TensorFlowClient()  # before any fork, so that all workers share one host process
    inherited = Inherited(tensorflow, PreloadedEngines())
    counts = ConnectionCounts(count) if count > 1 else None
    run_worker = partial(_run_worker, _for_one(settings, count, default_limit()), inherited, counts)
    say = partial(print, flush=True)
    if count == 1:
        startup.announce(url, say)
        return run_worker(listening, Peers())
    from service.asgi.server import GRACE_SECONDS
    from service.processes.supervisor import Supervisor

    stop_seconds = settings.drain_seconds + GRACE_SECONDS + 5
    supervisor = Supervisor(count, listening, run_worker, stop_seconds)
    _preload(settings, inherited.preloaded)
    supervisor.on_started = partial(startup.announce, url, say)
    try:
        return supervisor.run()
    finally:
        tensorflow.close()


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.set_inheritable(True)
    try:
        listening.bind((settings.host, settings.port))
    except OSError:
        listening.close()
        raise
    return listening


def _for_one(settings: Settings, count: int, default_bytes: int) -> Settings:
    """One worker's equal share of the bytes in flight."""
    limit = settings.max_bytes_in_flight or default_bytes
    return settings.model_copy(update={"max_bytes_in_flight": limit // count})


def _preload(settings: Settings, preloaded: "PreloadedEngines") -> None:
    """Import modules and load graphs before the fork, so that all workers share them."""
    import gc

    from service.native_memory import give_back_free_memory
    from service.runtime.serving_files import ServingFiles

    files = ServingFiles(settings.models, settings.serving_dir)
    preloaded.preload(settings.models, files, settings.engine)
    gc.collect()
    give_back_free_memory()
    gc.freeze()  # otherwise the first garbage collection in a worker would write to every object


def _run_worker(
    settings: Settings,
    inherited: "Inherited",
    counts: "ConnectionCounts | None",
    listening: socket.socket,
    peers: "Peers",
) -> int:
    import gc

    from uvicorn.config import STARTUP_FAILURE

    from service.app import create_app
    from service.asgi.server import make_server
    from service.asgi.state import Lifecycle
    from service.native_memory import keep_memory_of_requests
    from service.processes.peers import RETIRE

    def exclude_models() -> None:
        """Exclude the loaded models from garbage collection: with eleven models a collection blocks for 60 ms."""
        gc.collect()
        gc.freeze()
        keep_memory_of_requests()

    lifecycle = Lifecycle(exclude_models)
    app = create_app(settings, lifecycle=lifecycle, peers=peers, inherited=inherited)
    server = make_server(app, settings, lifecycle, counts)
    peers.on(RETIRE, server.retire)
    server.run(sockets=[listening])
    return 0 if server.started else STARTUP_FAILURE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
