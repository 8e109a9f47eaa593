"""A server with a small application on a real socket, and raw bytes sent to it."""

import asyncio
import contextlib

from starlette.requests import Request
from starlette.responses import Response

from service.asgi.application import keys_of
from service.asgi.bytes_in_flight import BytesInFlight
from service.asgi.direct import DirectRoutes
from service.asgi.early_refusal import EarlyRefusals
from service.asgi.loop_turns import LoopTurns
from service.asgi.middleware import Gate, RequestContext
from service.asgi.request_log import RequestLog
from service.asgi.requests import read_body
from service.asgi.server import make_server
from service.asgi.state import Lifecycle
from service.asgi.time_limits import ENDING_SECONDS
from service.metrics import Metrics, render
from tests.service.apps import run_server

CLOSE = b"Host: x\r\nConnection: close\r\n\r\n"


class Echo:
    """Answers with the length of the body, at /wait/N after N seconds; /stream never ends, /large has 20 MB.

    /late reads the body once `late` is set.
    """

    def __init__(self):
        self.left = []  # paths whose work was given up
        self.late = asyncio.Event()

    async def __call__(self, scope, receive, send):
        path = scope["path"]
        try:
            if path == "/stream":
                await self.stream(send)
            if path == "/late":
                await self.late.wait()
            body = await read_body(Request(scope, receive), 2**20)
            if path.startswith("/wait/"):
                await asyncio.sleep(float(path.removeprefix("/wait/")))
        except asyncio.CancelledError:
            self.left.append(path)
            raise
        content = b"x" * 20_000_000 if path == "/large" else b'{"length": %d}' % len(body)
        await Response(content, media_type="application/json")(scope, receive, send)

    async def stream(self, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"more", "more_body": True})
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def serving_echo(settings, direct=None):
    """The running server; `server.state` is what its requests see, `server.echo` the application."""
    metrics, bytes_in_flight, lifecycle = Metrics(), BytesInFlight(2**30), Lifecycle()
    echo = Echo()
    app = RequestContext(Gate(echo, keys_of(settings)), RequestLog(metrics), bytes_in_flight)
    state = {
        "settings": settings,
        "metrics": metrics,
        "lifecycle": lifecycle,
        "bytes_in_flight": bytes_in_flight,
        "endings": LoopTurns(ENDING_SECONDS),
        "direct": DirectRoutes(direct or {}),
        "refusals": EarlyRefusals(metrics, answers_other_origins=False),
    }

    async def with_state(scope, receive, send):
        if scope["type"] == "http":
            await app(scope, receive, send)
            return
        scope["state"].update(state)
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    server = make_server(with_state, settings, lifecycle)
    server.state, server.echo = state, echo
    async with run_server(server):
        yield server


def port_of(server):
    return server.servers[0].sockets[0].getsockname()[1]


async def talk(server, *parts, pause=0.05, drip=None, half_close=False):
    """Send the parts, `pause` seconds apart (one byte each `drip` seconds if given), and perhaps FIN.

    Returns what came until the end.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))

    async def send():
        if drip is None:
            for number, part in enumerate(parts):
                await asyncio.sleep(pause * bool(number))
                writer.write(part)
            if half_close:
                writer.write_eof()
            return
        for byte in b"".join(parts):
            writer.write(bytes([byte]))
            await asyncio.sleep(drip)

    sending = asyncio.create_task(send())
    try:
        return await asyncio.wait_for(reader.read(), 120)
    except ConnectionError:
        return b""
    finally:
        sending.cancel()
        writer.close()


def status_of(answer):
    return int(answer.split(b" ", 2)[1])


def counted(server, status):
    rendered = render(server.state["metrics"].snapshot()).decode()
    return [line for line in rendered.splitlines() if f'status="{status}"' in line]
