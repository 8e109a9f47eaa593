"""Clients that leave: what they asked for does not run, and what they held is free."""

import asyncio
import gc

import pytest
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from tests.fakes import FakeEngine, write_version
from tests.service.apps import on_a_socket, patient
from tests.waiting import until_waiting

pytestmark = pytest.mark.anyio
CLASSIFY = "/v1/digits/classify"


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture
async def served(tmp_path, engine, quick_leaving):
    write_version(tmp_path)
    async with on_a_socket(patient(tmp_path, port=0), engine) as client:
        engine.batch_sizes.clear()
        yield client


async def send(client, body):
    """Send a whole request on a connection of its own; gives the connection."""
    _, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
    head = f"POST {CLASSIFY} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    return writer


async def test_an_answered_request_is_no_garbage_for_the_collector(no_garbage, served, png):
    gc.disable()
    try:
        for _ in range(30):
            assert (await served.post(CLASSIFY, content=png())).status_code == 200
        assert (await served.post(CLASSIFY, content=b"no image")).status_code == 415
        left = [one for one in gc.get_objects() if isinstance(one, RequestResponseCycle)]
    finally:
        gc.enable()
    assert len(left) < 5  # the last one of each connection is still at hand


async def test_requests_whose_clients_left_do_not_run(served, engine, png):
    engine.gate.clear()
    first = asyncio.create_task(served.post(CLASSIFY, content=png()))
    await until_waiting(served, 1)
    writers = [await send(served, png()) for _ in range(20)]
    await until_waiting(served, 21)
    for writer in writers:
        writer.transport.abort()
    await until_waiting(served, 1)
    engine.gate.set()
    assert (await first).status_code == 200
    last = await served.post(CLASSIFY, content=png())

    assert last.status_code == 200
    assert engine.batch_sizes == [1, 1]


async def test_a_large_request_whose_client_left_gives_way_to_the_next(served, engine, png):
    engine.gate.clear()
    files = [("f", (f"{n}.png", png(n))) for n in range(1, 65)]
    large = asyncio.create_task(served.post(CLASSIFY, files=files))
    await until_waiting(served, 1)
    large.cancel()
    await until_waiting(served, 0)
    engine.gate.set()
    answer = await served.post(CLASSIFY, content=png())

    assert answer.status_code == 200
    assert engine.batch_sizes == [8, 1]
