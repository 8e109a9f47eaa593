"""One HTTP/1.1 connection: uvicorn's, made safe for what anybody may send.

uvicorn has no limit on headers and trailers, takes an offer to upgrade for the end of HTTP, writes
refusals into the middle of a running answer, and lets the work for a client that left go on.

What is wrong with the body of a request is raised where the body is read, and answered like any
other error; what is wrong with a head, which has no request yet, is answered here.
"""

import asyncio
import logging
import secrets
from typing import Any, cast
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from service.asgi.cycle import RequestCycle
from service.asgi.early_refusal import RefusedCycle
from service.asgi.request_head import check_head, head_without_upgrade
from service.asgi.responses import error_answer
from service.asgi.time_limits import READING_SECONDS, TimedProtocol
from service.errors import HeadersTooLarge, MalformedRequest, RequestTimeout, VitrineError

MAX_HEADER_BYTES = 32 * 1024  # of a head and its trailers together
CLOSING_SECONDS = 1.0  # for a request on its way to a connection that is to be closed
LEAVING_SECONDS = 1.0  # who sent the last byte may still wait for an answer, so long
PIECE = 32 * 1024  # bytes that are parsed in one go
PARSING_SECONDS = 0.01  # then others get their turn

log = logging.getLogger("vitrine.connection")


class TimeoutHttpProtocol(TimedProtocol):
    """A connection that waits for whole requests, but not for ever."""

    cycle: RequestCycle
    _answering: RequestCycle | None = None
    _task: asyncio.Task[None] | None = None
    _fault: VitrineError | None = None  # of what was read last; nothing after it is read
    _unparsed = b""
    _head_bytes = 0
    _bytes_without_event = 0
    _is_upgrade_offered = False
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
        """Parse what was received, a piece at a time."""
        self._unset_keepalive_if_required()
        if self._fault or self.transport.is_closing():
            return
        refusals = self.state["refusals"]
        if not refusals.is_empty and self._refuse_unparsed(data):
            return
        self._last_read = self.loop.time()
        if not self._is_expecting and self._is_reading_head:
            self._expect_request()
        if self._unparsed or self.pipeline or len(data) > PIECE:
            self._unparsed += data
            self._parse()
            return
        before = self.cycle
        self._feed(data)
        if self.cycle is not before and isinstance(self.cycle, RefusedCycle):
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

    def _parse(self) -> None:
        """Parse until a request has to wait for the one before it, or others for this connection."""
        if self.parser is None:
            return  # the connection is lost
        started, position, content = self.loop.time(), 0, self._unparsed
        while position < len(content) and not self.pipeline and not self._fault:
            if self.loop.time() - started > PARSING_SECONDS:
                self.loop.call_soon(self._parse)
                break
            piece = content[position : position + PIECE]
            position += len(piece)
            self._feed(piece)
        self._unparsed = b"" if self._fault else content[position:]
        if self._unparsed:
            self.flow.pause_reading()
        elif not self._fault and not self._is_body_waiting:
            self.flow.resume_reading()

    @property
    def _is_body_waiting(self) -> bool:
        """Whether the application has to take what was received before more is read."""
        if self.cycle is None or self.cycle.response_complete:
            return False
        return len(self.cycle.body) > HIGH_WATER_LIMIT

    def _feed(self, piece: bytes) -> None:
        self._bytes_without_event += len(piece)
        try:
            self.parser.feed_data(piece)
            if self._bytes_without_event > MAX_HEADER_BYTES:
                raise _too_large()
        except httptools.HttpParserUpgrade as offer:
            self._decline_upgrade(piece[offer.args[0] :])
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(cause if isinstance(cause, VitrineError) else MalformedRequest())
        except VitrineError as error:
            self._refuse(error)
        if self._is_expecting and self._receiving is None:
            self._limit_receiving()

    def _decline_upgrade(self, rest: bytes) -> None:
        """Read the request again as if no other protocol had been offered."""
        head = head_without_upgrade(self.parser.get_method(), self.url, self.headers)
        self._is_upgrade_offered = False
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._feed(head)
        if rest and not self._fault:
            self._feed(rest)

    def on_message_begin(self) -> None:
        """Start counting anew."""
        self._head_bytes, self._has_begun = 0, True
        if not self._is_expecting:
            self._expect_request()
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_url(self, url: bytes) -> None:
        """Count it."""
        self._count(len(url))
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count it: a header, or a trailer behind the body, which nobody reads."""
        self._count(len(name) + len(value) + 4)
        if self._is_reading_head:
            self.headers.append((name.lower(), value))

    def _count(self, size: int) -> None:
        self._bytes_without_event = 0
        self._head_bytes += size
        if self._head_bytes > MAX_HEADER_BYTES:
            raise _too_large()

    def on_headers_complete(self) -> None:
        """Check the head, and start the request."""
        parser, method, version = (
            self.parser,
            self.parser.get_method(),
            self.parser.get_http_version(),
        )
        self.expect_100_continue = check_head(method, version, self.headers)
        if parser.should_upgrade():
            self._is_upgrade_offered = True
            return
        self._is_reading_head = False
        keep_alive = version != "1.0" and parser.should_keep_alive()
        if not self._refuse_early(method, keep_alive):
            self._begin(method, version, keep_alive)

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

    def _begin(self, method: bytes, version: str, keep_alive: bool) -> None:
        self.scope = self._scope_of(method, version)
        earlier, self.cycle = self.cycle, self._cycle_of(keep_alive)
        if earlier is None or earlier.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def _scope_of(self, method: bytes, version: str) -> Any:
        """What the application learns of a request."""
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        return {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": version,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "method": method.decode("ascii"),
            "root_path": self.root_path,
            "path": self.root_path + (unquote(path) if "%" in path else path),
            "raw_path": self.root_path.encode("ascii") + url.path,
            "query_string": url.query or b"",
            "headers": self.headers,
            "state": self.app_state.copy(),
        }

    def _cycle_of(self, keep_alive: bool) -> RequestCycle:
        return RequestCycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=keep_alive,
            on_response=self.on_response_complete,
        )

    def on_body(self, body: bytes) -> None:
        """Pass it on."""
        self._bytes_without_event = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole: its time limit is the service's business now."""
        if self._is_upgrade_offered:
            return
        self._bytes_without_event = 0
        self._is_reading_head, self._has_begun = True, False
        self._stop_receiving()
        super().on_message_complete()
        self.cycle.more_body = False  # uvicorn leaves it when the answer was earlier
        if self.cycle.response_complete and not self.transport.is_closing():
            self._end_early_answered()

    def _end_early_answered(self) -> None:
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
            self._refuse(RequestTimeout())
        elif not self._is_answering:
            self._close()

    def _refuse(self, fault: VitrineError) -> None:
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


def _too_large() -> HeadersTooLarge:
    return HeadersTooLarge(f"the headers must have at most {MAX_HEADER_BYTES:,} bytes, got more")
