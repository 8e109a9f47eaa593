"""A direct route gets whole requests with a known head; the connection behaves as for any other request."""

import asyncio

import pytest

from service.asgi.direct import MOST_HEAD_BYTES, DirectRoutes
from service.asgi.responses import RawResponse
from service.settings import Settings
from tests.service.asgi.echo_server import port_of, serving_echo

pytestmark = pytest.mark.anyio
HEAD = b"POST /direct HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"
OTHER = b"POST /other HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx"
LAST = OTHER.replace(b"Host: x", b"Host: x\r\nConnection: close")


class Holding:
    """Takes every request, and does what the test says."""

    def __init__(self):
        self.requests, self.is_willing, self.left = [], True, 0

    def begin(self, request):
        if self.is_willing:
            request.on_gone = self.leave
            self.requests.append(request)
        return self.is_willing

    def leave(self):
        self.left += 1

    async def taken(self):
        while not self.requests:
            await asyncio.sleep(0.005)
        return self.requests.pop()


@pytest.fixture
def route():
    return Holding()


@pytest.fixture
async def server(route, tmp_path):
    settings = Settings(models=tmp_path, port=0)
    async with serving_echo(settings, {b"/direct": route}) as server:
        yield server


class Client:
    """A connection whose head is known already."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    def send(self, content):
        self.writer.write(content)

    async def answer(self):
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 120)
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        return head, await asyncio.wait_for(self.reader.readexactly(length), 120)


@pytest.fixture
async def client(server):
    client = Client(*await asyncio.open_connection("127.0.0.1", port_of(server)))
    client.send(HEAD + b"ab")
    _, body = await client.answer()
    assert body == b'{"length": 2}'  # the application's
    yield client
    client.writer.close()


def respond(request, body=b"direct"):
    request.respond(RawResponse(body, {"X-Model": "m/1"}, "text/plain"))


async def test_the_second_request_with_the_same_head_is_answered_directly(route, client):
    client.send(HEAD + b"cd")
    request = await route.taken()
    assert request.body == b"cd"
    respond(request)

    head, body = await client.answer()
    assert body == b"direct"
    lines = set(head.split(b"\r\n"))
    assert lines > {b"HTTP/1.1 200 OK", b"x-model: m/1", b"content-type: text/plain"}
    assert b"x-request-id: " + request.request_id.encode() in lines


async def test_what_a_route_does_not_take_is_the_application_s(route, client):
    route.is_willing = False
    client.send(HEAD + b"cd")

    assert (await client.answer())[1] == b'{"length": 2}'


async def test_a_request_that_is_handed_over_is_answered_by_the_application(route, client):
    client.send(HEAD + b"cd")
    (await route.taken()).hand_over()

    assert (await client.answer())[1] == b'{"length": 2}'
    client.send(HEAD + b"ef")
    respond(await route.taken())
    assert (await client.answer())[1] == b"direct"


@pytest.mark.parametrize("is_handed_over", [False, True])
async def test_a_pipelined_request_waits_for_the_direct_one(route, client, is_handed_over):
    client.send(HEAD + b"cd")
    request = await route.taken()
    client.send(OTHER + LAST)
    await asyncio.sleep(0.05)
    if is_handed_over:
        request.hand_over()
    else:
        respond(request, b'{"length": 2}')

    bodies = [(await client.answer())[1] for _ in range(3)]
    assert bodies == [b'{"length": 2}', b'{"length": 1}', b'{"length": 1}']
    assert await client.reader.read() == b""


async def test_a_body_in_two_parts_is_the_application_s(route, client):
    client.send(HEAD + b"c")
    await asyncio.sleep(0.05)
    client.send(b"d")

    assert (await client.answer())[1] == b'{"length": 2}'
    assert not route.requests


async def test_a_client_that_leaves_is_told_of(route, client):
    client.send(HEAD + b"cd")
    request = await route.taken()
    client.writer.transport.abort()
    while not route.left:
        await asyncio.sleep(0.005)

    assert (route.left, request.disconnected) == (1, True)


async def test_a_client_that_sent_its_last_byte_still_gets_its_answer(route, client):
    client.send(HEAD + b"cd")
    client.writer.write_eof()
    request = await route.taken()
    await asyncio.sleep(0.05)
    respond(request)

    assert (await client.answer())[1] == b"direct"
    assert await client.reader.read() == b""


async def test_a_server_that_stops_closes_the_connection_behind_the_answer(route, client, server):
    client.send(HEAD + b"cd")
    request = await route.taken()
    for connection in list(server.server_state.connections):
        connection.shutdown()
    respond(request)

    assert b"connection: close" in (await client.answer())[0]
    assert await client.reader.read() == b""


async def test_nothing_is_taken_while_the_server_drains(route, client, server):
    server.state["lifecycle"].is_draining = True
    client.send(HEAD + b"cd")

    head, body = await client.answer()
    assert (b"connection: close" in head, body) == (True, b'{"length": 2}')


@pytest.mark.parametrize(
    "data",
    [
        HEAD.replace(b"Host", b"X-Other: 5\r\nHost") + b"ab",
        HEAD.replace(b"Host", b"Origin: http://x\r\nHost") + b"ab",
        HEAD.replace(b"Host", b"X-Request-ID: mine\r\nHost") + b"ab",
        HEAD.replace(b"/direct", b"/other") + b"ab",
        HEAD.replace(b"POST", b"PUT") + b"ab",
        HEAD.replace(b"Host: x", b"Host: " + b"x" * MOST_HEAD_BYTES) + b"ab",
        HEAD.replace(b"Host: x\r\n", b"Host: x\n") + b"ab",
        HEAD + b"a",
        HEAD + b"abc",
        HEAD + b"ab" + OTHER,
    ],
    ids=lambda data: repr(data[:40]),
)
def test_only_the_head_of_a_plain_whole_request_is_remembered(data):
    routes = DirectRoutes({b"/direct": Holding()})
    lines = data.partition(b"\r\n\r\n")[0].splitlines()
    headers = [tuple(line.lower().split(b": ", 1)) for line in lines[1:]]
    routes.remember(data, lines[0].split(b" ")[1], headers)

    assert routes.find(data) is None


def test_many_heads_do_not_fill_the_memory():
    routes = DirectRoutes({b"/direct": Holding()})
    for number in range(2000):
        data = HEAD.replace(b"Host: x", b"Host: %d" % number) + b"ab"
        routes.remember(data, b"/direct", [(b"content-length", b"2")])

    assert routes.find(data)
    assert len(routes._heads) <= 512
