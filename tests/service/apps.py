"""An app around an engine, called in-process or on a real socket."""

import asyncio
import contextlib
from unittest import mock

import httpx
from asgi_lifespan import LifespanManager

from service.app import create_app
from service.asgi.server import make_server
from service.asgi.state import Lifecycle
from service.settings import Settings
from tests.fakes import every


def patient(models, **settings):
    """Settings whose deadline is not missed on a busy machine, nor expected to be.

    A process that stands still in the run of a fake, which takes microseconds, expects thousands of times
    the usual for as long as it remembers that.
    """
    return Settings(models=models, **{"timeout_ms": 3_600_000, **settings})


@contextlib.asynccontextmanager
async def in_process(settings, engine, *, wait=True, load_engines=None):
    """A client of an app that needs no socket; with `wait`, of one that is ready."""
    app = create_app(settings, load_engines or every(engine))
    async with LifespanManager(app) as manager:
        transport = httpx.ASGITransport(manager.app)
        client = httpx.AsyncClient(transport=transport, base_url="http://vitrine")
        if wait:
            await _until_ready(client)
        yield client


@contextlib.asynccontextmanager
async def on_a_socket(settings, engine):
    """A client that can really leave, of an app that is ready; `client.server` is the server."""
    lifecycle = Lifecycle()
    app = create_app(settings, every(engine), lifecycle)
    async with run_server(make_server(app, settings, lifecycle)) as server:
        url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        async with httpx.AsyncClient(
            base_url=url, trust_env=False, timeout=120, verify=False
        ) as client:
            client.server = server
            await _until_ready(client)
            yield client


@contextlib.asynccontextmanager
async def run_server(server):
    """Run the server until the block ends, and look at its `should_exit` more often than uvicorn does."""

    async def main_loop():
        while not await server.on_tick(0):
            await asyncio.sleep(0.01)

    server.install_signal_handlers, server.main_loop = lambda: None, main_loop
    running = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.005)
    yield server
    server.should_exit = True
    with mock.patch("service.asgi.server.ACCEPT_SECONDS", 0):  # nobody else connects
        await running


async def _until_ready(client):
    while (await client.get("/v2/health/ready")).status_code != 200:
        await asyncio.sleep(0.005)
