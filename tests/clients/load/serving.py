"""A tiny server for tests of the load generators: answers each request as a function says."""

import asyncio
import contextlib
import json

from clients.load.scenario import request_bytes, scenarios
from clients.load.target import Target

SEVEN = json.dumps({"predictions": [{"digit": 7, "probabilities": [0.1] * 10}]}).encode()
DIGIT = scenarios()["digit"]


def answer_bytes(status, body, *headers):
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextlib.asynccontextmanager
async def serving_digits(answer):
    """`await answer(number)` gives the bytes for the digit request of that number, from 0 on."""
    writers, numbers = [], iter(range(1_000_000))

    async def talk(reader, writer):
        writers.append(writer)
        length = len(request_bytes(DIGIT, target))
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readexactly(length):
                writer.write(await answer(next(numbers)))

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    target = Target("127.0.0.1", server.sockets[0].getsockname()[1], "")
    try:
        yield target
    finally:
        server.close()
        for writer in writers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
