"""Requests on their way in: what they may take from others before they are whole."""

import asyncio
import contextlib

import pytest

from service.settings import Settings
from tests.fakes import FakeEngine, write_version
from tests.service.apps import on_a_socket

pytestmark = pytest.mark.anyio
HALF = (
    b"POST /v1/digits/classify HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
    b"Content-Length: 1000\r\n\r\n\x89PNG"
)


@pytest.fixture
async def serve(tmp_path):
    """Start a service of the fake digits on a socket; gives its client."""
    async with contextlib.AsyncExitStack() as stack:

        async def factory(engine=None, **settings):
            write_version(tmp_path)
            values = Settings(models=tmp_path, port=0, **settings)
            return await stack.enter_async_context(on_a_socket(values, engine or FakeEngine()))

        yield factory


async def test_half_requests_hold_no_place_in_the_queue(serve, png):
    client = await serve(queue_size=4)
    halves = [
        await asyncio.open_connection("127.0.0.1", client.base_url.port, limit=2**16)
        for _ in range(8)
    ]
    for _, writer in halves:
        writer.write(HALF)
        await writer.drain()
    await client.get("/v2/health/live")  # the halves, written before, have been read by now
    answer = await client.post("/v1/digits/classify", content=png())
    for _, writer in halves:
        writer.close()

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "path", ["/v1/text/generate", "/v1/text/score", "/v1/completions", "/v1/vae/sample"]
)
async def test_a_route_that_takes_no_image_takes_no_large_body(client, path):
    answer = await client.post(path, content=b'{"seed": "' + b"x" * 2**20 + b'"}')

    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large"
