"""One HTTP/1.1 keep-alive connection on a bare asyncio transport: request bytes in, answer out.

httptools, the parser of uvicorn, parses the answers (content-length, chunked, until close). Without
URLs, statistics or redirects; one request at a time.
"""

import asyncio
import http.client
import json
import time
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import httptools

ONCE_S = 60.0  # for a request on a connection of its own
MOST_IDLE_S = 3.0  # servers close them after 5 s, and a request sent in that moment is lost


class Disconnected(ConnectionError):
    """The server closed the connection, or sent something that is not HTTP, before an answer was whole."""


class Answer(NamedTuple):
    """Status, headers (names in lower case) and body of one answer."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes
    begun_at: float = 0.0  # of the performance counter, when the body's first bytes came; 0: none

    def json(self) -> Any:
        """The body's value."""
        return json.loads(self.body)


def ask(port: int, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
    """One request to a port of this machine on a connection of its own, waited for."""
    once = http.client.HTTPConnection("127.0.0.1", port, timeout=ONCE_S)
    try:
        once.request(method, path, body, headers)
        response = once.getresponse()
        found = {name.lower().encode(): value.encode() for name, value in response.getheaders()}
        return Answer(response.status, found, response.read())
    except http.client.HTTPException as error:
        raise Disconnected(f"the server sent something that is not HTTP: {error!r}") from error
    finally:
        once.close()


class Connection:
    """A connection to host:port that opens itself, and opens anew after the server closed it, or would soon."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._protocol: _AnswerReader | None = None
        self._used_at = 0.0

    async def open(self) -> None:
        """Connect, unless there is an open connection that was not idle for long; OSError if that fails."""
        if time.monotonic() - self._used_at > MOST_IDLE_S:
            self.close()
        if self._protocol is None or not self._protocol.is_open:
            loop = asyncio.get_running_loop()
            _, protocol = await loop.create_connection(_AnswerReader, self._host, self._port)
            self._protocol, self._used_at = protocol, time.monotonic()

    async def ask(
        self,
        request: bytes,
        timeout_s: float | None = 10.0,
        ask_again: Callable[[Answer], bool] = lambda answer: False,
    ) -> Answer:
        """Send one request and wait for its answer.

        ask_again: given the answer, whether to send the request once more; then the next answer is waited for.
            Without a task switch or a timer for each, which cost as much as reading an answer.

        Raises:
            OSError: no connection could be opened.
            Disconnected: the connection broke before the answer was whole.
            TimeoutError: not everything was answered after `timeout_s`; None: the caller has a timer.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self.open()
                assert self._protocol is not None
                answer = await self._protocol.exchange(request, ask_again)
                self._used_at = time.monotonic()
                return answer
        except BaseException:
            self.close()  # a late answer must not be taken for that of the next request
            raise

    def close(self) -> None:
        """Close it at once; a later `ask` opens a new one."""
        if self._protocol is not None:
            self._protocol.abort()
            self._protocol = None


class _AnswerReader(asyncio.Protocol):
    """Feeds received bytes to the parser, whose callbacks are the `on_…` methods."""

    def __init__(self) -> None:
        self.is_open = False
        self._transport: asyncio.Transport
        self._parser = httptools.HttpResponseParser(self)
        self._waiter: asyncio.Future[Answer] | None = None
        self._begun = False
        self._body_at = 0.0
        self._until_close = False
        self._headers: dict[bytes, bytes] = {}
        self._chunks: list[bytes] = []
        self._request = b""
        self._ask_again: Callable[[Answer], bool] = lambda answer: False

    async def exchange(self, request: bytes, ask_again: Callable[[Answer], bool]) -> Answer:
        """Write one request, wait for the parser to complete the answer."""
        if not self.is_open:
            raise Disconnected("the server closed the connection before a request")
        self._begun = False
        self._request, self._ask_again = request, ask_again
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiter

    def abort(self) -> None:
        self.is_open = False
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not inherit from it
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(f"the server sent something that is not HTTP: {error}")
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._until_close and exc is None:
            self._finish()
        elif self._begun:
            self._fail("the server closed the connection within an answer")
        else:
            self._fail("the server closed the connection before an answer")

    def on_message_begin(self) -> None:
        self._begun = True
        self._body_at = 0.0
        self._until_close = False
        self._headers = {}
        self._chunks = []

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        framed = b"content-length" in self._headers or b"transfer-encoding" in self._headers
        self._until_close = not framed

    def on_body(self, body: bytes) -> None:
        self._body_at = self._body_at or time.perf_counter()
        self._chunks.append(body)

    def on_message_complete(self) -> None:
        if not self._parser.should_keep_alive():
            self.abort()
        self._finish()

    def _finish(self) -> None:
        self._until_close = False
        if self._waiter is None or self._waiter.done():
            return
        body = b"".join(self._chunks)
        answer = Answer(self._parser.get_status_code(), self._headers, body, self._body_at)
        if self._ask_again(answer) and self.is_open:
            self._begun = False
            self._transport.write(self._request)
        else:
            self._waiter.set_result(answer)

    def _fail(self, reason: str) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(Disconnected(reason))
