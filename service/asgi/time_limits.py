"""Time limits of a connection: for receiving requests, sending answers, and closing.

uvicorn has none of them.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.asgi.bytes_in_flight import Held
from service.asgi.state import State

ENDING_SECONDS = 0.0005  # of a turn of the event loop, for connections that have to be ended
READING_SECONDS = 0.01  # so that sockets are looked at once between two timers
STANDSTILL_SECONDS = 0.5  # a later timer was stopped with its process, and perhaps the clients

log = logging.getLogger("vitrine.connection")


class TimedProtocol(HttpToolsProtocol):
    """A connection with a limit for every wait."""

    state: State
    _held: Held  # what is written and not read yet
    _is_reading_head = True
    _has_begun = False  # a request, of which not everything is here
    _is_expecting = False  # a request, or the rest of one
    _idle_since: float | None = None  # with nothing to answer
    _is_expiring = False  # idle for long enough, unless a request is there already
    _began = 0.0  # its first byte, or when it could first have come
    _last_read = 0.0
    _receiving: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None
    _ending: asyncio.TimerHandle | None = None
    on_lost: Callable[[], None] | None = None  # called once the connection is over

    def connection_made(self, transport: Any) -> None:
        """Start the timer of the first request."""
        super().connection_made(transport)
        self.state = cast(State, self.app_state)
        self._held = self.state["bytes_in_flight"].hold()
        self._expect_request()
        self._limit_receiving()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all timers."""
        for timer in (self._receiving, self._reading, self._ending, self.timeout_keep_alive_task):
            if timer:
                timer.cancel()
        self._receiving = self._reading = None
        self._held.release()
        super().connection_lost(exc)
        if self.on_lost:
            self.on_lost()

    def time_out(self) -> None:
        """Handle a request that did not arrive in time."""
        raise NotImplementedError

    def _expect_request(self) -> None:
        self._began = self._last_read = self.loop.time()
        self._is_expecting = True

    def _limit_receiving(self) -> None:
        """Skip the timer for a request that arrived complete."""
        self._receiving = self.loop.call_at(self._receive_limit, self._check_receiving)

    def _stop_receiving(self) -> None:
        self._is_expecting = False
        if self._receiving:
            self._receiving.cancel()
            self._receiving = None

    @property
    def _receive_limit(self) -> float:
        """The time limit for the whole head, or for the next bytes of the body."""
        settings = self.state["settings"]
        if self._is_reading_head:
            return self._began + settings.receive_seconds
        total = self._began + settings.receive_total_seconds
        return min(self._last_read + settings.receive_seconds, total)

    def _check_receiving(self) -> None:
        now = self.loop.time()
        if self.flow.read_paused:  # by us: it is not the client who makes it wait
            self._began, self._last_read = self._began + now - self._last_read, now
        if now < self._receive_limit:
            self._receiving = self.loop.call_at(self._receive_limit, self._check_receiving)
        else:
            self._receiving = self.loop.call_later(READING_SECONDS, self._end_receiving)

    def _end_receiving(self) -> None:
        """End it in its turn, unless the rest has arrived by then."""
        timer = self._receiving

        def end() -> None:
            if self._receiving is not timer:
                return
            if self.loop.time() < self._receive_limit:
                self._limit_receiving()
                return
            self._receiving, self._is_expecting = None, False
            self.time_out()

        self.state["endings"].call_later(end)

    def pause_writing(self) -> None:
        """Count the unread bytes, and start the timer for the reader."""
        super().pause_writing()
        size = self.transport.get_write_buffer_size()
        self._held.note(size)
        limit = self.loop.time() + self.state["settings"].receive_total_seconds
        self._await_reader(size, limit)

    def resume_writing(self) -> None:
        """Stop the timer: the answer has been read, or nearly."""
        if self._reading:
            self._reading.cancel()
            self._reading = None
        self._held.release()
        super().resume_writing()

    def _await_reader(self, size: int, limit: float) -> None:
        seconds = self.state["settings"].receive_seconds
        self._reading = self.loop.call_later(seconds, self._check_reader, size, limit)

    def _check_reader(self, size: int, limit: float) -> None:
        left = self.transport.get_write_buffer_size()
        if left < size and self.loop.time() < limit:
            self._await_reader(left, limit)
            return
        timer = self._reading

        def cut_off() -> None:
            if self._reading is timer:
                log.info("cut off, its answer was not read", extra={"bytes": left})
                self.transport.abort()

        self.state["endings"].call_later(cut_off)

    def _keep_alive(self) -> None:
        """Start the keep-alive timer, which is reused for many requests."""
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._limit_idling(self.timeout_keep_alive)

    def _limit_idling(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )

    def _unset_keepalive_if_required(self) -> None:
        self._idle_since, self._is_expiring = None, False

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that was idle too long, even if the last answer is never read."""
        timer, self.timeout_keep_alive_task = self.timeout_keep_alive_task, None
        if self._idle_since is None:
            return
        now = self.loop.time()
        if timer and now - timer.when() > STANDSTILL_SECONDS:  # it was not the client who was idle
            self._idle_since, self._is_expiring = now, False
        left = self._idle_since + self.timeout_keep_alive - now
        if left > 0:
            self._limit_idling(left)
        elif self._is_expiring:
            self._close()
        else:
            self._is_expiring = True
            self._limit_idling(READING_SECONDS)

    def _close(self) -> None:
        """Send the remaining data for a limited time, then close."""
        self._stop_receiving()
        self.transport.close()
        self._end_later(self.state["settings"].receive_seconds, self.transport.abort)

    def _end_later(self, seconds: float, end: Callable[[], None]) -> None:
        if self._ending:
            self._ending.cancel()
        self._ending = self.loop.call_later(seconds, end)
