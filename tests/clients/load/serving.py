"""A tiny server for tests of the load generators: answers each request as a function says."""

import asyncio
import contextlib
import json

from clients.load.scenario import scenarios
from clients.load.target import Target

SEVEN = json.dumps({"predictions": [{"digit": 7, "probabilities": [0.1] * 10}]}).encode()
DIGIT = scenarios()["digit"]


def answer_bytes(status, body, *headers):
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextlib.asynccontextmanager
async def serving(talk):
    """A server whose connections are `await talk(reader, writer)`."""
    writers = []

    async def connected(reader, writer):
        writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await talk(reader, writer)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield Target(*server.sockets[0].getsockname()[:2], "")
    finally:
        server.close()
        for writer in writers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


async def read_head(reader):
    """The head of the next request, whose body is read, too."""
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split()[0]))
    return head


@contextlib.asynccontextmanager
async def serving_digits(answer):
    """`await answer(number)` gives the bytes for the request of that number, from 0 on."""
    numbers = iter(range(1_000_000))

    async def talk(reader, writer):
        while await read_head(reader):
            writer.write(await answer(next(numbers)))

    async with serving(talk) as target:
        yield target
