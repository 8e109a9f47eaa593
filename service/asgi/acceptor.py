"""Accepts connections, some in each turn of the event loop, and leaves them to another worker that has clearly fewer.

uvloop's own server accepts one connection a turn (libuv does since 1.45): while each turn has much to
do, the kernel's queue of new connections overflows, and clients wait for their next attempt after 1, 3
and 7 s. asyncio's accepts all that wait: of a burst one worker then gets nearly all.
"""

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import Callable

from service.asgi.listener import waiting_connections
from service.asgi.time_limits import TimedProtocol
from service.processes.connection_counts import ConnectionCounts

PATIENCE_SECONDS = 0.005  # that a connection waits for the worker that has fewer
MOST_IN_A_TURN = 64  # each takes 0.1 ms; then those that are connected already get their turn
SHARE_OF_A_TURN = 0.25  # of the time since the turn before: one connection while turns are short
CROWD = 512  # connections that wait; more could overflow the kernel's queue, where turns are long
UNSENT_BYTES = 2**18  # the kernel keeps of a connection's answers; by itself up to 4 MB, uncounted
EXHAUSTED_SECONDS = 1.0  # after which a process without free descriptors tries again
HANDSHAKE_SECONDS = 60.0

log = logging.getLogger("vitrine.server")


class Acceptor:
    """Replaces an asyncio server: `sockets`, `close` and `wait_closed`. Used on the event loop only."""

    def __init__(
        self,
        listener: socket.socket,
        make_protocol: Callable[[], TimedProtocol],
        tls: ssl.SSLContext | None,
        counts: ConnectionCounts,
    ) -> None:
        self.sockets = [listener]
        self._listener = listener
        self._make_protocol = make_protocol
        self._tls = tls
        self._counts = counts
        self._loop = asyncio.get_running_loop()
        self._has_waited = False
        # Monotonic: when the turn before began, if it left some waiting.
        self._left_some_at: float | None = None
        self._pause: asyncio.TimerHandle | None = None
        self._adopting: set[asyncio.Task[None]] = set()
        listener.setblocking(False)
        self._loop.add_reader(listener, self._accept)

    def close(self) -> None:
        """Stop accepting, and close the listening socket."""
        if self._listener.fileno() >= 0:
            self._loop.remove_reader(self._listener)
            self._listener.close()
        if self._pause:
            self._pause.cancel()
        self._counts.leave()

    async def wait_closed(self) -> None:
        """Return at once: `close` is synchronous."""

    def _accept(self) -> None:
        """Accept pending connections, until another worker has clearly fewer or others get their turn."""
        started, before = time.monotonic(), self._left_some_at
        share = 0.0 if before is None else SHARE_OF_A_TURN * (started - before)
        self._left_some_at = None
        for _ in range(MOST_IN_A_TURN):
            waiting = waiting_connections(self._listener)
            if not self._has_waited and self._counts.is_above_another(waiting):
                self._wait(PATIENCE_SECONDS)
                return
            self._has_waited = False
            try:
                connection, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return  # nothing waits any more
            except OSError as error:
                log.error("cannot accept", extra={"error": error.strerror})
                self._wait(EXHAUSTED_SECONDS)
                return
            self._take(connection)
            if waiting <= CROWD and time.monotonic() > started + share:
                break
        self._left_some_at = None if waiting == 1 else started

    def _take(self, connection: socket.socket) -> None:
        self._counts.add(1)
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNSENT_BYTES)
        task = self._loop.create_task(self._adopt(connection))
        self._adopting.add(task)
        task.add_done_callback(self._adopting.discard)

    def _wait(self, seconds: float) -> None:
        self._loop.remove_reader(self._listener)
        self._pause = self._loop.call_later(seconds, self._go_on)

    def _go_on(self) -> None:
        self._pause, self._has_waited = None, True
        self._loop.add_reader(self._listener, self._accept)

    async def _adopt(self, connection: socket.socket) -> None:
        protocol = self._make_protocol()
        protocol.on_lost = self._forget
        timeout = HANDSHAKE_SECONDS if self._tls else None
        try:
            await self._loop.connect_accepted_socket(
                lambda: protocol, connection, ssl=self._tls, ssl_handshake_timeout=timeout
            )
        except (OSError, TimeoutError):  # the client left, or offered no TLS
            if protocol.transport is None:
                self._counts.add(-1)
            connection.close()

    def _forget(self) -> None:
        self._counts.add(-1)
