"""The answering half of an HTTP/1.1 connection: a request is refused by its bytes, answered directly, or by the application."""

import logging
import time
from typing import Any, cast

from service.asgi.cycle import CLOSE, RefusedCycle, RequestCycle, make_cycle, make_scope
from service.asgi.direct import DirectRequest
from service.asgi.early_refusal import EarlyRefusals
from service.asgi.refusal import Refusal
from service.asgi.request_head import new_request_id, request_id_of
from service.asgi.request_reading import ReadingProtocol

REFUSED_UNPARSED = RefusedCycle(keep_alive=True, more_body=False)

log = logging.getLogger("vitrine.request")


class AnsweringProtocol(ReadingProtocol):
    """A connection that answers requests in their order; a subclass says when it ends."""

    _pending_refusal: Refusal | None = None  # is sent after a delay, or before anything else
    _refused_at = 0.0
    _answering: RequestCycle | None = None
    _is_draining = False

    @property
    def _is_answering(self) -> bool:
        return self._answering is not None and not self._answering.response_complete

    def data_received(self, data: bytes) -> None:
        """Read it, unless it is refused by its bytes alone."""
        self._unset_keepalive_if_required()
        if self._fault or self.transport.is_closing():
            return
        if self._pending_refusal and not self.cycle.more_body:  # the client does not wait for it
            self.send_refusal_now()
            self._unset_keepalive_if_required()
        refusals = self.state["refusals"]
        if not refusals.is_empty and self._refuse_unparsed(refusals, data):
            return
        if self._answer_directly(data):
            refusals.count_probe()
            return
        before = self.cycle
        if not self.read(data) or self.cycle is before:
            return
        if _is_refused(self.cycle):
            refusals.remember(data)
        elif self.cycle.keep_alive and not self.cycle.more_body:
            self.state["direct"].remember(data, self.url, self.headers)

    def on_message_begin(self) -> None:
        """Send the refusal of the request before this one, after which the connection is not idle."""
        self.send_refusal_now()
        self._unset_keepalive_if_required()
        super().on_message_begin()

    def _answer_directly(self, data: bytes) -> bool:
        """Begin to answer a whole request with a known head, between two others."""
        if not self._is_between_requests:
            return False
        found = self.state["direct"].find(data)
        if found is None:
            return False
        request = DirectRequest(self, *found)
        if not request.head.route.begin(request):
            return False
        self._stop_receiving()
        self.cycle = self._answering = request
        return True

    def hand_over(self, request: DirectRequest) -> None:
        """Let the application answer it."""
        head = request.head
        scope = make_scope(self, b"POST", "1.1", head.url, list(head.headers))
        scope["started"] = request.started
        cycle = make_cycle(self, scope, keep_alive=request.keep_alive)
        cycle.body, cycle.more_body = bytearray(request.body), False
        cycle.message_event.set()
        if self.cycle is request:  # else there are others behind it
            self.cycle = cycle
        self._start_asgi_task(cycle, self.app)

    def _refuse_unparsed(self, refusals: EarlyRefusals, data: bytes) -> bool:
        """Refuse a whole request with the head of one that was just refused, between two others."""
        refusal = refusals.match_bytes(data) if self._is_between_requests else None
        if refusal is None:
            return False
        self._stop_receiving()
        self._refuse_later(refusal, REFUSED_UNPARSED)
        return True

    def _refuse_later(self, refusal: Refusal, cycle: RefusedCycle) -> None:
        self.cycle = cast(RequestCycle, cycle)
        self._pending_refusal, self._refused_at = refusal, time.monotonic()
        self.state["refusals"].delayed.add(self)

    def send_refusal(self) -> Refusal | None:
        """Send the pending refusal, if any, and return it, to be counted.

        Then wait for the next request, unless the body of this one is still read.
        """
        refusal, self._pending_refusal = self._pending_refusal, None
        if refusal:
            cycle = cast(RefusedCycle, self.cycle)
            more = self._more_lines if cycle.keep_alive else self._more_lines + CLOSE
            self.transport.write(refusal.render(cycle.request_id or new_request_id(), more))
            if not cycle.more_body:
                self.end_early_answered()
        return refusal

    def send_refusal_now(self) -> None:
        """Send and count the pending refusal, if any, since something else is to be sent or the connection ends."""
        if refusal := self.send_refusal():
            refusal.count(1, time.monotonic() - self._refused_at)

    @property
    def _is_between_requests(self) -> bool:
        """Whether the next bytes begin a request that can be answered at once."""
        return not (self._has_begun or self._unparsed) and self._is_free

    @property
    def _is_free(self) -> bool:
        """Whether an answer can be written now, and the connection stays open."""
        is_draining = self._is_draining or self.state["lifecycle"].is_draining
        return not (self._is_answering or self.flow.write_paused or is_draining)

    @property
    def _more_lines(self) -> bytes:
        """The lines of the headers that every answer has."""
        headers = self.server_state.default_headers  # uvicorn makes a new list once a second
        return b"".join([b"%b: %b\r\n" % header for header in headers])

    def _refuse_early(self, method: bytes, keep_alive: bool) -> bool:
        """Refuse a request whose queue has just refused others like it; its body is read and dropped."""
        refusals = self.state["refusals"]
        if refusals.is_empty or not self._is_free:
            return False
        refusal = refusals.match(method, self.url, self.headers)
        if refusal is None:
            return False
        request_id = request_id_of(self.headers)
        if log.isEnabledFor(logging.DEBUG):
            fields = {"method": method.decode(), "target": self.url.decode("latin-1")}
            log.debug("refused early", extra={**fields, "status": 429, "request_id": request_id})
        cycle = RefusedCycle(request_id, keep_alive=keep_alive, more_body=True)
        self._refuse_later(refusal, cycle)
        return True

    def begin(self, method: bytes, version: str, keep_alive: bool) -> None:
        """Start the request, or queue it behind the one before it."""
        if self._refuse_early(method, keep_alive):
            return
        self.scope = make_scope(self, method, version, self.url, self.headers)
        earlier = self.cycle
        self.cycle = make_cycle(
            self, self.scope, keep_alive=keep_alive, expects_continue=self.expect_100_continue
        )
        if earlier is None or earlier.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def end_early_answered(self) -> None:
        """Wait for the next request behind a refused one, or close."""
        if self._pending_refusal:
            return
        if self.cycle.keep_alive:
            self._keep_alive()
        else:
            self._close()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        if self._is_draining or self.state["lifecycle"].is_draining:
            cycle.keep_alive = False
        self._answering = cycle
        cycle.task = task = self.loop.create_task(cycle.run_asgi(app))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


def _is_refused(cycle: RequestCycle | RefusedCycle) -> bool:
    """Whether others with the same bytes can be refused on a connection that stays open."""
    return isinstance(cycle, RefusedCycle) and cycle.keep_alive
