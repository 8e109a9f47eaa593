"""An app around FakeEngine, ready to be called in-process."""

import asyncio
import contextlib
import io

import httpx
import pytest
from asgi_lifespan import LifespanManager
from PIL import Image

from service.app import create_app
from service.routes.state import Lifecycle
from service.server import make_server
from service.settings import Settings
from tests.fake_text import FakeTextEngine, write_text_version
from tests.fakes import FakeEngine, write_version


@pytest.fixture
def png():
    """Encode a 28×28 black picture with so many lit pixels in its first rows: FakeEngine's digit."""

    def make(lit=7, size=(28, 28), image_format="PNG"):
        image = Image.new("L", size)
        image.putdata([255] * lit + [0] * (size[0] * size[1] - lit))
        buffer = io.BytesIO()
        image.save(buffer, image_format)
        return buffer.getvalue()

    return make


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture
async def start(tmp_path, engine):
    """Start an app with settings of the test's own; give a client that is ready."""
    async with contextlib.AsyncExitStack() as stack:

        async def factory(*, wait=True, **settings):
            models = settings.pop("models", tmp_path)
            if not any(models.iterdir()):
                write_version(models)
                write_version(models, "digits-course")
            app = create_app(Settings(models=models, **settings), lambda _: engine)
            return await stack.enter_async_context(_in_process(app, wait=wait))

        yield factory


@pytest.fixture
async def client(start):
    return await start()


@pytest.fixture
def text_engine():
    return FakeTextEngine()


@pytest.fixture
async def start_texts(tmp_path, text_engine):
    """The same around the text model of fake_text."""
    async with contextlib.AsyncExitStack() as stack:

        async def factory(**settings):
            models = settings.pop("models", tmp_path)
            if not any(models.iterdir()):
                write_text_version(models)
            app = create_app(Settings(models=models, **settings), lambda _: text_engine)
            client = await stack.enter_async_context(_in_process(app))
            text_engine.runs.clear()
            return client

        yield factory


@pytest.fixture
async def texts(start_texts):
    return await start_texts()


@pytest.fixture
async def serve_texts(tmp_path, text_engine):
    """The same on a real socket, so that clients can really leave; `client.server` is the server."""
    async with contextlib.AsyncExitStack() as stack:

        async def factory(**settings):
            write_text_version(tmp_path)
            values = Settings(models=tmp_path, port=0, **settings)
            lifecycle = Lifecycle()
            app = create_app(values, lambda _: text_engine, lifecycle)
            server = await stack.enter_async_context(_serving(make_server(app, values, lifecycle)))
            url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
            client = httpx.AsyncClient(base_url=url, trust_env=False, timeout=20)
            client.server = server
            await stack.enter_async_context(client)
            await _until_ready(client)
            text_engine.runs.clear()
            return client

        yield factory


@contextlib.asynccontextmanager
async def _in_process(app, *, wait=True):
    async with LifespanManager(app) as manager:
        transport = httpx.ASGITransport(manager.app)
        client = httpx.AsyncClient(transport=transport, base_url="http://vitrine")
        if wait:
            await _until_ready(client)
        yield client


@contextlib.asynccontextmanager
async def _serving(server):
    server.install_signal_handlers = lambda: None
    running = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.005)
    yield server
    server.should_exit = True
    await running


async def _until_ready(client):
    while (await client.get("/v2/health/ready")).status_code != 200:
        await asyncio.sleep(0.005)
