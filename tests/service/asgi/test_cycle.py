"""What an answer looks like on the wire."""

import pytest
from uvicorn.protocols.http.flow_control import FlowControl

from service.asgi.cycle import RequestCycle

pytestmark = pytest.mark.anyio


class Transport:
    def __init__(self):
        self.written, self.is_closed = [], False

    def write(self, content):
        self.written.append(content)

    def close(self):
        self.is_closed = True


@pytest.fixture
def transport():
    return Transport()


def cycle_on(transport, method="GET", *, keep_alive=True):
    return RequestCycle(
        scope={"method": method},
        transport=transport,
        flow=FlowControl(transport),
        logger=None,
        access_logger=None,
        access_log=False,
        default_headers=[(b"date", b"today")],
        message_event=_Event(),
        expect_100_continue=False,
        keep_alive=keep_alive,
        on_response=lambda: None,
    )


class _Event:
    def set(self):
        """Nobody waits."""


def start(*headers, status=200):
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def body(content, *, more=False):
    return {"type": "http.response.body", "body": content, "more_body": more}


async def test_a_whole_answer_is_written_at_once(transport):
    cycle = cycle_on(transport)

    await cycle.send(start((b"content-length", b"2")))
    await cycle.send(body(b"hi"))

    assert transport.written == [b"HTTP/1.1 200 OK\r\ndate: today\r\ncontent-length: 2\r\n\r\nhi"]
    assert cycle.response_complete
    assert not transport.is_closed


async def test_the_head_of_a_stream_does_not_wait_for_its_first_piece(transport):
    cycle = cycle_on(transport)

    await cycle.send(start())
    assert transport.written[0].endswith(b"transfer-encoding: chunked\r\n\r\n")
    for content, more in ((b"ab", True), (b"", True), (b"c", False)):
        await cycle.send(body(content, more=more))

    assert transport.written[1:] == [b"2\r\nab\r\n", b"1\r\nc\r\n0\r\n\r\n"]


async def test_head_has_no_body_and_the_last_answer_closes(transport):
    cycle = cycle_on(transport, "HEAD", keep_alive=False)

    await cycle.send(start((b"content-length", b"2")))
    await cycle.send(body(b"hi"))

    assert b"".join(transport.written).endswith(b"content-length: 2\r\nconnection: close\r\n\r\n")
    assert transport.is_closed


@pytest.mark.parametrize("value", [b"a\r\nx: y", b"a\nb", b"a\rb"])
async def test_a_header_with_a_line_end_is_not_sent(transport, value):
    with pytest.raises(RuntimeError, match="line"):
        await cycle_on(transport).send(start((b"etag", value)))
    assert not transport.written


@pytest.mark.parametrize("content", [b"a", b"abc"])
async def test_a_body_of_another_length_than_stated_is_not_completed(transport, content):
    cycle = cycle_on(transport)
    await cycle.send(start((b"content-length", b"2")))

    with pytest.raises(RuntimeError, match="length"):
        await cycle.send(body(content))
    assert not cycle.response_complete
