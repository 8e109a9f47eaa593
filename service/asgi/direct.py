"""Requests that are answered without the application: a direct route gets the body, and writes the answer.

A task, a scope and the layers of coroutines cost more than classifying a small image. A direct route is
asked if the bytes of the head are those of a request that was read before, so that not even the parser is
needed. It answers what succeeds. Everything else is handed over to the application, as if it had just been
read, which says what is wrong: limits, errors and their forms are written once.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.asgi.cycle import RequestCycle
from service.asgi.request_head import Header, length_of_head, new_request_id
from service.asgi.responses import RawResponse

MOST_HEADS = 512
MOST_HEAD_BYTES = 2048
METHOD = b"POST "
# Every other header may change the answer; a direct route knows of X-Timeout-Ms.
HARMLESS = frozenset(
    b"host content-type content-length user-agent connection accept accept-encoding accept-language"
    b" x-timeout-ms".split()
)


class DirectRoute(Protocol):
    """Answers requests for one path."""

    def begin(self, request: "DirectRequest") -> bool:
        """Begin to answer, on the event loop; False: the application shall do so, and nothing has changed."""


class KnownHead(NamedTuple):
    """A head that the parser has accepted, and what follows from it."""

    route: DirectRoute
    url: bytes
    headers: list[Header]
    query: bytes
    content_type: str
    timeout: str | None  # X-Timeout-Ms
    length: int  # of the body


class DirectRequest(RequestCycle):
    """In the place of a request's cycle: a whole request, on its way without the application."""

    message_event = asyncio.Event()  # nobody waits for it
    more_body = response_started = response_complete = False
    disconnected = False
    keep_alive = True
    is_handed_over = False

    def __init__(self, connection: HttpToolsProtocol, head: KnownHead, body: bytes) -> None:
        self.head = head
        self.body: Any = body
        self.client = connection.client
        self.started = time.monotonic()
        self.request_id = new_request_id()
        self.transport = connection.transport
        self.default_headers = connection.server_state.default_headers
        self.on_response = connection.on_response_complete
        self.on_gone: Callable[[], None] | None = None
        self._hand_over: Callable[[DirectRequest], None] = connection.hand_over  # type: ignore[attr-defined]

    def respond(self, response: RawResponse) -> None:
        """Write the answer."""
        self.on_gone = None
        own_id = (b"x-request-id", self.request_id.encode())
        self.answer(response.status_code, [*response.raw_headers, own_id], bytes(response.body))

    def hand_over(self) -> None:
        """Let the application answer."""
        self.on_gone, self.is_handed_over = None, True
        self._hand_over(self)

    def give_up(self) -> None:
        """Nobody waits for the answer any more."""
        self.disconnected = True
        callback, self.on_gone = self.on_gone, None
        if callback:
            callback()


class DirectRoutes:
    """The direct routes of an app by their paths, and the heads of requests for them."""

    def __init__(self, routes: Mapping[bytes, DirectRoute]) -> None:
        self._routes = routes
        self._heads: dict[bytes, KnownHead] = {}

    def find(self, data: bytes) -> tuple[KnownHead, bytes] | None:
        """The head and the body if these bytes are a whole request with a known head."""
        if not self._heads:
            return None
        end = length_of_head(data)
        head = self._heads.get(data[:end])
        if head is None or len(data) != end + head.length:
            return None
        return head, data[end:]

    def remember(self, data: bytes, url: bytes, headers: list[Header]) -> None:
        """These bytes were one whole request with this target and these headers; the connection stays open."""
        path, _, query = url.partition(b"?")
        route = self._routes.get(path)
        if route is None or not data.startswith(METHOD):
            return
        end = length_of_head(data)
        if not 0 < end <= MOST_HEAD_BYTES:
            return
        given = dict(reversed(headers))
        length = int(given.get(b"content-length", b"0"))
        if not given.keys() <= HARMLESS or len(data) != end + length:
            return
        if data.count(b"\n", 0, end) != data.count(b"\r\n", 0, end):
            return  # for the parser it may have ended earlier
        if len(self._heads) >= MOST_HEADS:
            self._heads.clear()
        content_type = given.get(b"content-type", b"").decode("latin-1")
        limit = given.get(b"x-timeout-ms")
        timeout = None if limit is None else limit.decode("latin-1")
        known = KnownHead(route, url, headers, query, content_type, timeout, length)
        self._heads[data[:end]] = known
