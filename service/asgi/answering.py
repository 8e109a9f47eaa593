"""The answering half of an HTTP/1.1 connection: a request is refused by its bytes, answered directly, or by the application."""

from typing import Any, cast

from service.asgi.cycle import RequestCycle, make_cycle, make_scope
from service.asgi.direct import DirectRequest
from service.asgi.early_refusal import RefusedCycle
from service.asgi.request_reading import ReadingProtocol


class AnsweringProtocol(ReadingProtocol):
    """A connection that answers requests in their order; a subclass says when it ends."""

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
        refusals = self.state["refusals"]
        if not refusals.is_empty and self._refuse_unparsed(data):
            return
        if self._answer_directly(data):
            refusals.count_look()
            return
        before = self.cycle
        if not self.read(data) or self.cycle is before:
            return
        if _is_refused(self.cycle):
            refusals.remember(data)
        elif self.cycle.keep_alive and not self.cycle.more_body:
            self.state["direct"].remember(data, self.url, self.headers)

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

    def _refuse_unparsed(self, data: bytes) -> bool:
        """Answer a whole request with the head of one that was just refused, between two others."""
        if not self._is_between_requests:
            return False
        answer = self.state["refusals"].answer_again(data, self._more_lines)
        if answer is None:
            return False
        self._stop_receiving()
        self.transport.write(answer)
        self._keep_alive()
        return True

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
        return b"".join(b"%s: %s\r\n" % header for header in self.server_state.default_headers)

    def _refuse_early(self, method: bytes, keep_alive: bool) -> bool:
        """Answer a request whose queue has just refused others like it; its body is read and dropped."""
        refusals = self.state["refusals"]
        if refusals.is_empty or not self._is_free:
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
        """The body of what was answered before has been dropped: wait for the next request, or close."""
        if not self.cycle.keep_alive:
            self._close()
            return
        self._keep_alive()

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
