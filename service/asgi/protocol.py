"""One HTTP/1.1 connection: uvicorn's, made safe for what anybody may send.

uvicorn writes refusals into the middle of a running answer, and lets the work for a client that left go on.

What is wrong with the body of a request is raised where the body is read, and answered like any
other error; what is wrong with a head, which has no request yet, is answered here.
"""

import asyncio
import logging
import secrets
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from service.asgi.cycle import RequestCycle, make_cycle, make_scope
from service.asgi.early_refusal import RefusedCycle
from service.asgi.request_reading import ReadingProtocol
from service.asgi.responses import error_answer
from service.asgi.time_limits import READING_SECONDS
from service.errors import RequestTimeout, VitrineError

CLOSING_SECONDS = 1.0  # for a request on its way to a connection that is to be closed
LEAVING_SECONDS = 1.0  # who sent the last byte may still wait for an answer, so long

log = logging.getLogger("vitrine.connection")


class TimeoutHttpProtocol(ReadingProtocol):
    """A connection that waits for whole requests, but not for ever."""

    _answering: RequestCycle | None = None
    _task: asyncio.Task[None] | None = None
    _is_half_closed = False
    _is_draining = False

    def connection_lost(self, exc: Exception | None) -> None:
        """Give up whatever is being done for it."""
        self.pipeline.clear()
        self._forget()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio takes it, uvicorn has no use
        """Finish short work: who sent the last byte and who left look alike until something is written."""
        if not self._is_answering or self.cycle.more_body:
            return False
        if self._answering and self._answering.response_started:  # a stream
            return False
        self._is_half_closed = True
        self._end_later(LEAVING_SECONDS, self._give_up)
        return True

    def shutdown(self) -> None:
        """Give a request that is on its way a moment before an idle connection is closed."""
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
        if self._is_answering and self._answering and self._task:
            self._answering.disconnected = True
            self._answering.message_event.set()
            self._task.cancel()

    @property
    def _is_answering(self) -> bool:
        return self._answering is not None and not self._answering.response_complete

    def data_received(self, data: bytes) -> None:
        """Read it, unless it is refused by its bytes alone."""
        self._unset_keepalive_if_required()
        if self._fault or self.transport.is_closing():
            return
        refusals = self.state["refusals"]
        if not refusals.is_empty and self._refuse_unparsed(data):
            return
        before = self.cycle
        is_whole = self.read(data)
        if is_whole and self.cycle is not before and _is_refused(self.cycle):
            refusals.remember(data)

    def _refuse_unparsed(self, data: bytes) -> bool:
        """Answer a whole request with the head of one that was just refused, between two others."""
        if self._has_begun or self._unparsed or not self._may_refuse:
            return False
        answer = self.state["refusals"].answer_again(data, self._more_lines)
        if answer is None:
            return False
        self._stop_receiving()
        self.transport.write(answer)
        self._keep_alive()
        return True

    @property
    def _may_refuse(self) -> bool:
        """Whether a refusal can be written now, and the connection stays open."""
        is_draining = self._is_draining or self.state["lifecycle"].is_draining
        return not (self._is_answering or self.flow.write_paused or is_draining)

    @property
    def _more_lines(self) -> bytes:
        return b"".join(b"%s: %s\r\n" % header for header in self.server_state.default_headers)

    def _refuse_early(self, method: bytes, keep_alive: bool) -> bool:
        """Answer a request whose queue has just refused others like it; its body is read and dropped."""
        refusals = self.state["refusals"]
        if refusals.is_empty or not self._may_refuse:
            return False
        more = self._more_lines + (b"" if keep_alive else b"connection: close\r\n")
        answer = refusals.answer(method, self.url, self.headers, more)
        if answer is None:
            return False
        self.cycle = cast(RequestCycle, RefusedCycle(keep_alive))
        self.transport.write(answer)
        return True

    def begin(self, method: bytes, version: str, keep_alive: bool) -> None:
        """Start the request, or queue it behind the one before it."""
        if self._refuse_early(method, keep_alive):
            return
        self.scope = make_scope(self, method, version)
        earlier, self.cycle = self.cycle, make_cycle(self, keep_alive)
        if earlier is None or earlier.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def end_early_answered(self) -> None:
        """The body of what was answered before has been dropped: wait for the next request, or close."""
        if not self.cycle.keep_alive:
            self._close()
            return
        self._keep_alive()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        if self._is_draining or self.state["lifecycle"].is_draining:
            cycle.keep_alive = False
        self._answering = cycle
        self._task = task = self.loop.create_task(cycle.run_asgi(app))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

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


def _is_refused(cycle: RequestCycle | RefusedCycle) -> bool:
    """Whether others with the same bytes can be refused on a connection that stays open."""
    return isinstance(cycle, RefusedCycle) and cycle.keep_alive
