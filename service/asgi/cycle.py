"""One request of a connection and its answer: uvicorn's cycle, which writes a whole answer at once.

uvicorn's own looks at every header's name and value twice and writes the head by itself.
"""

import asyncio
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from service.asgi.request_head import Header
from service.errors import VitrineError

CLOSE = b"connection: close\r\n"
_WITHOUT_BODY = (204, 304)


class RequestCycle(RequestResponseCycle):
    """A request cycle; `fault`, an error in the rest of the body, is raised when the body is read."""

    fault: VitrineError | None = None
    _head = b""  # is sent with the first piece of the body
    _length: int | None = None  # of the body, as the head states it; None: in chunks
    task: asyncio.Task[None] | None = None  # that answers it

    def give_up(self) -> None:
        """Nobody waits for the answer any more."""
        self.disconnected = True
        self.message_event.set()
        if self.task:
            self.task.cancel()

    def is_gone(self) -> bool:
        """Whether the client has disconnected."""
        return self.disconnected

    async def run_asgi(self, app: Any) -> None:
        """Run the application, and break reference cycles afterwards."""
        scope = self.scope
        scope["is_gone"] = self.is_gone  # type: ignore[typeddict-unknown-key]  # ours
        try:
            await super().run_asgi(app)
        finally:
            self.task = None
            del scope["is_gone"]  # type: ignore[typeddict-item]

    async def receive(self) -> Any:
        """The next part of the body, or its error."""
        message = await super().receive()
        if self.fault and self.more_body:
            raise self.fault
        return message

    async def send(self, message: Any) -> None:
        """Send the head, or a part of the body; RuntimeError if the lengths contradict each other."""
        if self.disconnected:
            return
        if self.flow.write_paused:
            await self.flow.drain()
            if self.disconnected:  # meanwhile
                return
        if self.response_complete:
            raise RuntimeError("the answer is complete already")
        if self.response_started:
            self._send_body(message.get("body", b""), is_last=not message.get("more_body", False))
        else:
            self._begin(message["status"], message["headers"])

    def answer(self, status: int, headers: list[Header], body: bytes) -> None:
        """Write a whole answer to a request that is no HEAD; the headers state the body's length."""
        self.response_started = True
        self._write(self._render(status, headers) + b"\r\n" + body)
        self._complete()

    def _begin(self, status: int, headers: list[Header]) -> None:
        """Create the head; that of a stream is sent at once."""
        if self.waiting_for_100_continue and self.more_body:
            self.keep_alive = False  # the client need not send the body any more
        self.response_started, self.waiting_for_100_continue = True, False
        for name, value in headers:
            if name == b"content-length":
                self._length = int(value)
            elif name == b"connection" and value == b"close":
                self.keep_alive = False
        head = self._render(status, headers)
        if self._length is not None:
            self._head = head + b"\r\n"
            return
        if self.scope["method"] == "HEAD" or status in _WITHOUT_BODY:
            self._length = 0
        else:
            head += b"transfer-encoding: chunked\r\n"
        self.transport.write(head + b"\r\n")

    def _render(self, status: int, headers: list[Header]) -> bytes:
        """The lines of the head, without the empty one; RuntimeError if a header would be two."""
        every = (*self.default_headers, *headers)
        head = STATUS_LINE[status] + b"".join([b"%b: %b\r\n" % header for header in every])
        if head.count(b"\n") != len(every) + 1 or head.count(b"\r") != len(every) + 1:
            raise RuntimeError("a header holds the end of a line")
        return head if self.keep_alive or CLOSE in head else head + CLOSE

    def _send_body(self, body: bytes, *, is_last: bool) -> None:
        if self.scope["method"] == "HEAD":
            body, self._length = b"", 0
        if self._length is None:
            piece = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            self._write(piece + b"0\r\n\r\n" if is_last else piece)
        else:
            self._length -= len(body)
            if self._length < 0 or (is_last and self._length):
                raise RuntimeError("the body has another length than its head states")
            self._write(self._head + body)
            self._head = b""
        if is_last:
            self._complete()

    def _write(self, content: bytes) -> None:
        if content:
            self.transport.write(content)

    def _complete(self) -> None:
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive and not self.fault:  # else the rest of the body is still on its way
            self.transport.close()
        self.on_response()


class RefusedCycle:
    """In the place of a request's cycle: it is refused before its body is read.

    request_id: the request's own; empty: it gets a new one.
    """

    response_started = response_complete = True
    disconnected = False
    message_event = asyncio.Event()  # nobody waits for it

    def __init__(self, request_id: str = "", *, keep_alive: bool, more_body: bool) -> None:
        self.request_id = request_id
        self.keep_alive = keep_alive
        self.more_body = more_body


def make_scope(
    connection: HttpToolsProtocol, method: bytes, version: str, url: bytes, headers: list[Header]
) -> Any:
    """What the application learns of a request with this head."""
    parsed = httptools.parse_url(url)
    path = parsed.path.decode("ascii")
    return {
        "type": "http",
        "asgi": {"version": connection.asgi_version, "spec_version": "2.3"},
        "http_version": version,
        "server": connection.server,
        "client": connection.client,
        "scheme": connection.scheme,
        "method": method.decode("ascii"),
        "root_path": connection.root_path,
        "path": connection.root_path + (unquote(path) if "%" in path else path),
        "raw_path": connection.root_path.encode("ascii") + parsed.path,
        "query_string": parsed.query or b"",
        "headers": headers,
        "state": connection.app_state,
    }


def make_cycle(
    connection: HttpToolsProtocol, scope: Any, *, keep_alive: bool, expects_continue: bool = False
) -> RequestCycle:
    """The cycle of the request with this scope."""
    return RequestCycle(
        scope=scope,
        transport=connection.transport,
        flow=connection.flow,
        logger=connection.logger,
        access_logger=connection.access_logger,
        access_log=False,
        default_headers=connection.server_state.default_headers,
        message_event=asyncio.Event(),
        expect_100_continue=expects_continue,
        keep_alive=keep_alive,
        on_response=connection.on_response_complete,
    )
