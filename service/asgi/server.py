"""uvicorn, made safe for the open: deadlines for receiving, a cap on headers, a stop that loses nothing.

uvicorn has no time limit for a request that never comes whole, and with httptools no limit on the
size of headers; at a stop it closes connections on which a request may be on its way.
"""

import asyncio
import logging
import signal
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from service.asgi.state import Lifecycle
from service.settings import Settings

RECEIVE_SECONDS = 10.0
MAX_HEADER_BYTES = 32 * 1024
CLOSING_SECONDS = 1.0
GRACE_SECONDS = 25  # for requests in flight; an orchestrator's 30 s less the drain
REFUSAL = '{{"error":"{}","code":"{}","request_id":""}}'

log = logging.getLogger("vitrine.server")


class PatientProtocol(HttpToolsProtocol):
    """A connection that waits for whole requests, but not for ever."""

    receive_seconds = RECEIVE_SECONDS
    _timer: asyncio.TimerHandle | None = None
    _reading_headers = True
    _header_bytes = 0
    _whole_requests = 0
    _is_draining = False

    def connection_made(self, transport: Any) -> None:
        """Start the clock of the first request."""
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count header bytes; start the clock with the first byte of a next request."""
        if self._timer is None and self._reading_headers:
            self._arm()
        whole = self._whole_requests
        super().data_received(data)
        if self._reading_headers and self._whole_requests == whole:
            self._header_bytes += len(data)
            if self._header_bytes > MAX_HEADER_BYTES:
                self._refuse(
                    "431 Request Header Fields Too Large",
                    "headers_too_large",
                    f"The headers have more than {MAX_HEADER_BYTES} bytes.",
                )

    def on_headers_complete(self) -> None:
        """From here on the body counts."""
        self._reading_headers, self._header_bytes = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole: its time limit is the service's business now."""
        self._disarm()
        self._reading_headers, self._header_bytes = True, 0
        self._whole_requests += 1
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, in the service's error shape."""
        self._refuse("400 Bad Request", "invalid_request", "This is not a valid HTTP request.")

    def shutdown(self) -> None:
        """Give a request that is on its way a moment before an idle connection is closed."""
        busy = self.cycle is not None and not self.cycle.response_complete
        if busy or self.transport.is_closing():
            super().shutdown()
            return
        self._is_draining = True
        self.loop.call_later(CLOSING_SECONDS, self._close_if_idle)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if self._is_draining:
            cycle.keep_alive = False
        super()._start_asgi_task(cycle, app)

    def _close_if_idle(self) -> None:
        if (self.cycle is None or self.cycle.response_complete) and not self.transport.is_closing():
            self.transport.close()

    def _arm(self) -> None:
        self._timer = self.loop.call_later(self.receive_seconds, self._expire)

    def _disarm(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        busy = self.cycle is not None and not self.cycle.response_complete
        if busy and self._reading_headers:
            self.cycle.keep_alive = False  # half a next request behind one that is being answered
        elif busy and self.cycle.response_started:
            self.transport.close()
        else:
            self._refuse(
                "408 Request Timeout",
                "request_timeout",
                f"The request was not whole after {self.receive_seconds:g} s.",
            )

    def _refuse(self, status: str, code: str, message: str) -> None:
        if self.transport.is_closing():
            return
        body = REFUSAL.format(message, code).encode()
        head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\n"
        self.transport.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        self.transport.close()


class DrainingServer(uvicorn.Server):
    """On SIGTERM: say "not ready", go on answering for a while, then stop; on a second signal stop now."""

    def __init__(self, config: uvicorn.Config, lifecycle: Lifecycle, drain_seconds: float) -> None:
        super().__init__(config)
        self._lifecycle = lifecycle
        self._drain_seconds = drain_seconds

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

    def _stop(self) -> None:
        self.should_exit = True


def make_server(app: Any, settings: Settings, lifecycle: Lifecycle) -> DrainingServer:
    """Configure uvicorn; `run()` of the result blocks until a signal."""
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=PatientProtocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        root_path=settings.root_path,
        proxy_headers=bool(settings.forwarded_allow_ips),
        forwarded_allow_ips=settings.forwarded_allow_ips,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return DrainingServer(config, lifecycle, settings.drain_seconds)
