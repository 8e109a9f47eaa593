"""One HTTP/1.1 connection: uvicorn's, made safe for what anybody may send.

uvicorn writes refusals into the middle of a running answer, and lets the work for a client that left go on.

What is wrong with the body of a request is raised where the body is read, and answered like any
other error; what is wrong with a head, which has no request yet, is answered here.
"""

import logging
import secrets

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from service.asgi.answering import AnsweringProtocol
from service.asgi.responses import error_answer
from service.asgi.time_limits import READING_SECONDS
from service.errors import RequestTimeout, VitrineError

CLOSING_SECONDS = 1.0  # for a request on its way to a connection that is to be closed
LEAVING_SECONDS = 1.0  # a half-closed client may still wait for an answer, so long

log = logging.getLogger("vitrine.connection")


class TimeoutHttpProtocol(AnsweringProtocol):
    """A connection that waits for whole requests, but not for ever."""

    _is_half_closed = False

    def connection_lost(self, exc: Exception | None) -> None:
        """Give up whatever is being done for it."""
        self.pipeline.clear()
        self._pending_refusal = None
        self._forget()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio takes it, uvicorn has no use
        """Finish short work: a client that half-closed and one that left look alike until something is written."""
        self.send_refusal_now()
        if not self._is_answering or self.cycle.more_body:
            return False
        if self._answering and self._answering.response_started:  # a stream
            return False
        self._is_half_closed = True
        self._end_later(LEAVING_SECONDS, self._give_up)
        return True

    def shutdown(self) -> None:
        """Give a request that is on its way a moment before an idle connection is closed."""
        self.send_refusal_now()
        self._is_draining = True
        if self._is_answering or self.transport.is_closing():
            super().shutdown()
        else:
            self.loop.call_later(CLOSING_SECONDS, self._close_after_reading)

    def _close_after_reading(self) -> None:
        """A process that stood still runs its timers before it reads the bytes received meanwhile: read them first."""
        self.loop.call_later(READING_SECONDS, self._close_if_idle)

    def _close_if_idle(self) -> None:
        if not self._is_answering:
            self._close()

    def _give_up(self) -> None:
        self._forget()
        self._close()

    def _forget(self) -> None:
        """Nobody waits for the answer any more."""
        if self._is_answering and self._answering:
            self._answering.give_up()

    def on_response_complete(self) -> None:
        """Continue with the requests queued behind this answer."""
        is_refused_early = self.cycle.more_body and self.expect_100_continue
        self._start_next()
        if self._is_answering:  # the next of the pipeline
            if self._is_half_closed:
                self._end_later(LEAVING_SECONDS, self._give_up)
        elif self.transport.is_closing() or is_refused_early:
            self._close()
        elif self.cycle.fault:
            self._end_writing()
        elif self._fault:
            self._send_fault()
        elif self._is_half_closed and not self._unparsed:
            self._close()
        if self._unparsed and not self.pipeline:
            self.loop.call_soon(self._parse)

    def _start_next(self) -> None:
        """The next of the pipeline, if any."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._keep_alive()

    def time_out(self) -> None:
        """Refuse what has begun; close what has not."""
        if self._has_begun:
            self.refuse(RequestTimeout())
        elif not self._is_answering:
            self._close()

    def refuse(self, fault: VitrineError) -> None:
        """Read nothing more; answer what was received before, then this, then close."""
        self.send_refusal_now()
        self._fault = fault
        self._stop_receiving()
        unfinished = self.cycle if self.cycle and self.cycle.more_body else None
        if unfinished is None:
            if not self._is_answering:
                self._send_fault()
        elif unfinished.response_complete:
            self._close()
        else:  # its own answer says what is wrong
            unfinished.fault, unfinished.keep_alive = fault, False
            unfinished.message_event.set()

    def _send_fault(self) -> None:
        """Answer a head that is none, for which there is no request, and close."""
        if self.transport.is_closing() or self._fault is None:
            return
        request_id = secrets.token_hex(16)
        answer = error_answer(self._fault, request_id)
        headers = [*answer.raw_headers, (b"x-request-id", request_id.encode())]
        lines = b"".join(b"%s: %s\r\n" % header for header in headers)
        head = STATUS_LINE[answer.status_code] + lines + b"connection: close\r\n\r\n"
        self.transport.write(head + bytes(answer.body))
        self.state["metrics"].requests.labels("other", "unmatched", answer.status_code).inc()
        log.info("refused", extra={"status": answer.status_code, "request_id": request_id})
        self._end_writing()

    def _end_writing(self) -> None:
        """Closed at once, what was not read would reset the connection before the answer is read."""
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._end_later(CLOSING_SECONDS, self._close)
