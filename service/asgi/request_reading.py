"""The reading half of an HTTP/1.1 connection: from received bytes to heads and bodies, with limits.

uvicorn has no limit on headers and trailers, and takes an offer to upgrade for the end of HTTP.
"""

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT

from service.asgi.cycle import RequestCycle
from service.asgi.request_head import check_head, head_without_upgrade
from service.asgi.time_limits import TimedProtocol
from service.errors import HeadersTooLarge, MalformedRequest, VitrineError

MAX_HEADER_BYTES = 32 * 1024  # of a head and its trailers together
PIECE = 32 * 1024  # bytes of a body that are parsed in one go
HEADS_PIECE = 2048  # that may hold heads: each of those behind the first takes 15 µs, and is queued
PARSING_SECONDS = 0.01  # then others get their turn


class ReadingProtocol(TimedProtocol):
    """A connection that parses requests; a subclass answers them."""

    cycle: RequestCycle
    _fault: VitrineError | None = None  # of what was read last; nothing after it is read
    _unparsed = b""
    _head_bytes = 0
    _bytes_without_event = 0
    _is_upgrade_offered = False

    def begin(self, method: bytes, version: str, keep_alive: bool) -> None:
        """Handle a request whose head is there."""
        raise NotImplementedError

    def refuse(self, fault: VitrineError) -> None:
        """Handle an error after which nothing more is read."""
        raise NotImplementedError

    def end_early_answered(self) -> None:
        """Handle the end of a request that was answered before its body was read."""
        raise NotImplementedError

    def read(self, data: bytes) -> bool:
        """Parse what was received, a piece at a time; whether all of it was parsed at once."""
        self._last_read = self.loop.time()
        if not self._is_expecting and self._is_reading_head:
            self._expect_request()
        if self._unparsed or self.pipeline or len(data) > PIECE:
            self._unparsed += data
            self._parse()
            return False
        self._feed(data[:HEADS_PIECE])
        rest = data[HEADS_PIECE:]
        if not rest or self._fault:
            return True
        if self.pipeline or self._is_reading_head:
            self._unparsed = rest
            self._parse()
            return False
        self._feed(rest)
        return True

    def _parse(self) -> None:
        """Parse until a request has to wait for the one before it, or others for this connection."""
        if self.parser is None:
            return  # the connection is lost
        started, position, content = self.loop.time(), 0, self._unparsed
        while position < len(content) and not self.pipeline and not self._fault:
            if self.loop.time() - started > PARSING_SECONDS:
                self.loop.call_soon(self._parse)
                break
            size = HEADS_PIECE if self._is_reading_head else PIECE
            piece = content[position : position + size]
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
            self.refuse(cause if isinstance(cause, VitrineError) else MalformedRequest())
        except VitrineError as error:
            self.refuse(error)
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
        self.begin(method, version, keep_alive)

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
            self.end_early_answered()


def _too_large() -> HeadersTooLarge:
    return HeadersTooLarge(f"the headers must have at most {MAX_HEADER_BYTES:,} bytes, got more")
