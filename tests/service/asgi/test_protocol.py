"""Raw connections: what anybody may send, and what becomes of it."""

import asyncio
import json
import signal

import pytest

from service.asgi.request_reading import HEADS_PIECE
from service.settings import Settings
from tests.service.asgi.echo_server import CLOSE, counted, port_of, serving_echo, status_of, talk
from tests.waiting import until

pytestmark = pytest.mark.anyio
GET = b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
async def server():
    async with serving_echo(Settings(port=0, drain_seconds=0.2, receive_seconds=60)) as server:
        yield server


@pytest.mark.parametrize(
    "header", [b"X: " + b"x" * 100_000, b"X: y\r\n" * 20_000], ids=["one", "many"]
)
async def test_oversized_headers_are_refused(server, header):
    answer = await talk(server, b"GET / HTTP/1.1\r\nHost: x\r\n" + header)

    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "content",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"NOT HTTP AT ALL\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    ],
    ids=["tls", "words", "smuggling", "negative-length"],
)
async def test_what_is_no_http_gets_the_one_error_shape(server, content):
    answer = await talk(server, content)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert set(json.loads(answer.partition(b"\r\n\r\n")[2])) == {"error", "code", "request_id"}


async def test_pipelined_requests_are_all_answered(server):
    answer = await talk(server, GET + GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))

    assert answer.count(b'{"length": 0}') == 2


async def test_on_sigterm_it_first_says_not_ready_and_still_answers(server):
    server.handle_exit(signal.SIGTERM, None)
    assert server._lifecycle.is_draining
    assert not server.should_exit
    answer = await talk(server, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert b'{"length": 0}' in answer
    await until(lambda: server.should_exit)


async def test_ctrl_c_does_not_wait(server):
    server.handle_exit(signal.SIGINT, None)

    assert server.should_exit


H2C = (
    b"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close, Upgrade, HTTP2-Settings\r\n"
    b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
)
SMUGGLED = b"GET /wait/0.1 HTTP/1.1\r\nHost: x\r\n\r\n"


def problem_of(answer):
    return json.loads(answer.rpartition(b"\r\n\r\n")[2])


@pytest.mark.parametrize("pieces", [1, 2, 3])
async def test_an_offer_to_upgrade_is_declined_and_the_body_read(server, pieces):
    content = H2C + b"Content-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED
    cut = len(content) - len(SMUGGLED)
    parts = {1: [content], 2: [content[:cut], content[cut:]]}.get(
        pieces, [content[:cut], content[cut : cut + 9], content[cut + 9 :]]
    )
    answer = await talk(server, *parts)

    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.endswith(b'{"length": %d}' % len(SMUGGLED))


async def test_a_chunked_body_behind_an_offer_to_upgrade_is_read(server):
    content = H2C + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"

    assert (await talk(server, content)).endswith(b'{"length": 5}')


async def test_a_request_behind_a_declined_upgrade_is_answered_too(server):
    offer = H2C.replace(b"close, ", b"") + b"Content-Length: 2\r\n\r\nab"
    answer = await talk(server, offer + b"GET /echo HTTP/1.1\r\n" + CLOSE)

    assert answer.count(b"HTTP/1.1 200 ") == 2


@pytest.mark.parametrize("path", [b"/wait/0.1", b"/large"])
@pytest.mark.parametrize(
    ("behind", "status"),
    [
        (b"\x00\x01 garbage\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000, 431),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
    ],
    ids=["garbage", "long-header", "no-host"],
)
async def test_what_comes_behind_a_running_answer_waits_for_its_end(server, path, behind, status):
    answer = await talk(server, b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n" + behind)
    head, _, rest = answer.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])

    assert status_of(head) == 200
    assert status_of(rest[length:]) == status
    assert problem_of(rest[length:])["request_id"]


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: x\r\n\r\n",
        b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ids=["no-host", "two-hosts", "bad-host", "0.9", "2.0", "connect", "coding", "chunked-1.0"],
)
async def test_a_head_that_could_be_understood_differently_is_refused(server, head):
    answer = await talk(server, head)

    assert status_of(answer) == 400
    assert set(problem_of(answer)) == {"error", "code", "request_id"}
    assert counted(server, 400)


async def test_http_1_0_needs_no_host(server):
    assert status_of(await talk(server, b"GET /echo HTTP/1.0\r\n\r\n")) == 200


@pytest.mark.parametrize("size", [33_000, 60_000, 500_000])
async def test_headers_over_the_limit_are_refused_even_in_one_packet(server, size):
    head = b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * size + b"\r\n\r\n"
    answer = await talk(server, head)

    assert status_of(answer) == 431
    assert problem_of(answer)["code"] == "headers_too_large"
    assert counted(server, 431)


@pytest.mark.parametrize(
    "trailers", [b"X: y\r\n" * 10_000, b"X: " + b"y" * 100_000], ids=["many", "long"]
)
async def test_endless_trailers_are_refused(server, trailers):
    head = (
        b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"
    )
    answer = await talk(server, head + trailers)

    assert status_of(answer) == 431
    assert problem_of(answer)["code"] == "headers_too_large"


async def test_a_body_in_a_thousand_chunks_and_a_few_trailers_is_read(server):
    head = b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + CLOSE
    answer = await talk(server, head + b"1\r\nx\r\n" * 100_000 + b"0\r\nA: b\r\n\r\n")

    assert answer.endswith(b'{"length": 100000}')


async def test_a_broken_chunk_is_answered_with_the_reason(server):
    head = b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = await talk(server, head + b"5\r\nhel", b"loXXX")

    assert status_of(answer) == 400
    assert problem_of(answer)["code"] == "invalid_request"


async def test_of_many_pipelined_requests_few_are_begun_before_the_first_is_answered(server):
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
    count = 30_000 // len(GET)
    writer.write(b"POST /late HTTP/1.1\r\nHost: x\r\n\r\n" + GET * count)
    writer.write_eof()
    await until(lambda: server.server_state.tasks)
    (connection,) = server.server_state.connections
    await until(lambda: connection._unparsed)

    assert len(connection.pipeline) <= HEADS_PIECE // len(GET) + 1

    server.echo.late.set()
    answer = await asyncio.wait_for(reader.read(), 120)
    writer.close()
    assert answer.count(b'{"length": 0}') == 1 + count


async def test_many_pipelined_requests_are_answered_in_order(server):
    requests = b"".join(
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (n % 7, b"x" * (n % 7))
        for n in range(3000)
    )
    answer = await talk(server, requests + b"GET /echo HTTP/1.1\r\n" + CLOSE)
    lengths = [int(part.split(b"}")[0]) for part in answer.split(b'"length": ')[1:]]

    assert lengths == [*(n % 7 for n in range(3000)), 0]


async def test_who_sends_fin_still_gets_a_short_answer(server):
    request = b"POST /wait/0.1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"
    answer = await talk(server, request, half_close=True)

    assert answer.endswith(b'{"length": 2}')


@pytest.mark.usefixtures("quick_leaving")
async def test_long_work_for_who_left_is_given_up_and_counted(server):
    assert await talk(server, b"GET /wait/300 HTTP/1.1\r\nHost: x\r\n\r\n", half_close=True) == b""
    while not counted(server, 499):
        await asyncio.sleep(0.01)

    assert server.echo.left == ["/wait/300"]


async def test_a_stream_for_who_left_is_given_up_and_counted(server):
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
    writer.write(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
    assert await reader.read(1)
    writer.close()
    while not counted(server, 499):
        await asyncio.sleep(0.01)

    assert server.echo.left == ["/stream"]
    assert not counted(server, 200)


async def test_over_the_bytes_in_flight_a_request_is_told_to_come_back(server):
    server.state["bytes_in_flight"].limit = 100
    body = b"x" * 101
    request = b"POST /echo HTTP/1.1\r\nContent-Length: 101\r\n" + CLOSE + body
    answer = await talk(server, request)

    assert status_of(answer) == 429
    assert b"retry-after: 1" in answer.lower()
    assert server.state["bytes_in_flight"].held == 0


async def test_a_refused_expectation_is_not_followed_by_a_misread_request(server):
    head = (
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\nExpect: 100-continue\r\n\r\n"
    )
    answer = await talk(server, head, b"GET /echo HTTP/1.1\r\n" + CLOSE)

    assert status_of(answer) == 413
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"\r\nconnection: close\r\n" in answer


async def test_a_body_that_nobody_reads_yet_stays_with_its_sender(server):
    size = 40_000_000
    _, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
    writer.write(b"POST /late HTTP/1.1\r\nContent-Length: %d\r\n" % size + CLOSE + bytes(size))
    received = []

    def is_still():
        bodies = [len(one.cycle.body) for one in server.server_state.connections if one.cycle]
        received.append(sum(bodies))
        return received[-1] > 0 and received[-20:] == [received[-1]] * 20

    await until(is_still)
    writer.transport.abort()
    server.echo.late.set()

    assert received[-1] < 1_000_000
