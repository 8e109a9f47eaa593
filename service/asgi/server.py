"""The server: uvicorn's, with time limits for connections, and a stop without lost requests."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from types import FrameType
from typing import Any

import uvicorn

from service.asgi.acceptor import Acceptor
from service.asgi.listener import refuse_connections
from service.asgi.protocol import TimeoutHttpProtocol
from service.asgi.state import Lifecycle
from service.asgi.time_limits import READING_SECONDS
from service.processes.connection_counts import ConnectionCounts
from service.settings import Settings

STARTUP_FAILURE = 3  # uvicorn's exit status when the application does not start
GRACE_SECONDS = 25  # for requests in flight; an orchestrator's 30 s less the drain
ACCEPT_SECONDS = 0.2  # for connections that were under way when no more were let in

log = logging.getLogger("vitrine.server")


class DrainingServer(uvicorn.Server):
    """On SIGTERM: report "not ready", answer for a while longer, then stop; stop at once on a second signal."""

    def __init__(
        self,
        config: uvicorn.Config,
        lifecycle: Lifecycle,
        drain_seconds: float,
        counts: ConnectionCounts | None = None,
    ) -> None:
        """counts: of the workers that share the sockets; None: a single process."""
        super().__init__(config)
        self._counts = counts
        self._lifecycle = lifecycle
        self._drain_seconds = drain_seconds
        self._shares_listeners = False
        self.servers: list[Any] = []

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called by the signal. SIGINT (Ctrl-C) does not drain, since a person waits.

        uvicorn's own would raise the signal again after a clean stop, so that the exit status is
        never 0.
        """
        was_draining, self._lifecycle.is_draining = self._lifecycle.is_draining, True
        if sig == signal.SIGTERM and self._drain_seconds and not was_draining:
            log.info("draining", extra={"seconds": self._drain_seconds})
            asyncio.get_running_loop().call_later(self._drain_seconds, self._stop)
        elif self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        else:
            self._stop()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start accepting, with connections shared between workers."""
        if self._counts is None or not sockets:
            await super().startup(sockets)
            if sys.platform != "win32":  # whose event loop has no readers
                self._replace_acceptors()
            return
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
        self._counts.join()
        for listener in sockets:
            listener.listen(self.config.backlog)
        self.servers = [
            Acceptor(each, self._make_protocol, self.config.ssl, self._counts) for each in sockets
        ]
        self._log_started_message(sockets)
        self.started = True

    def _replace_acceptors(self) -> None:
        """Replace the event loop's servers by acceptors on the same sockets."""
        listeners = [
            socket.socket(fileno=os.dup(each.fileno()))
            for server in self.servers
            for each in server.sockets
        ]
        for server in self.servers:
            server.close()
        self.servers = [
            Acceptor(each, self._make_protocol, self.config.ssl, ConnectionCounts())
            for each in listeners
        ]

    def _make_protocol(self) -> TimeoutHttpProtocol:
        return TimeoutHttpProtocol(self.config, self.server_state, self.lifespan.state)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept pending connections before the listening sockets close, unless other workers share them."""
        if not self._shares_listeners:
            for listener in (each for server in self.servers for each in server.sockets):
                with contextlib.suppress(OSError):  # a kernel without filters
                    refuse_connections(listener)
            await asyncio.sleep(ACCEPT_SECONDS)
            await asyncio.sleep(READING_SECONDS)  # if the process stood still, accept the queue
        await super().shutdown(sockets)

    async def retire(self, _: None) -> None:
        """Stop because another worker has taken over; the others continue to accept on the same sockets."""
        self._shares_listeners = True
        self.should_exit = True

    def _stop(self) -> None:
        self.should_exit = True


def make_server(
    app: Any, settings: Settings, lifecycle: Lifecycle, counts: ConnectionCounts | None = None
) -> DrainingServer:
    """Configure uvicorn; `run()` of the result blocks until a signal."""
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=TimeoutHttpProtocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        proxy_headers=bool(settings.forwarded_allow_ips),
        forwarded_allow_ips=settings.forwarded_allow_ips,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return DrainingServer(config, lifecycle, settings.drain_seconds, counts)
