"""An app around FakeEngine, ready to be called in-process."""

import asyncio
import io

import httpx
import pytest
from asgi_lifespan import LifespanManager
from PIL import Image

from service.app import create_app
from service.settings import Settings
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
    managers = []

    async def factory(*, wait=True, **settings):
        models = settings.pop("models", tmp_path)
        if not any(models.iterdir()):
            write_version(models)
            write_version(models, "digits-course")
        app = create_app(Settings(models=models, **settings), lambda _: engine)
        manager = LifespanManager(app)
        await manager.__aenter__()
        managers.append(manager)
        transport = httpx.ASGITransport(manager.app)
        client = httpx.AsyncClient(transport=transport, base_url="http://vitrine")
        while wait and (await client.get("/v2/health/ready")).status_code != 200:
            await asyncio.sleep(0.005)
        return client

    yield factory
    for manager in managers:
        await manager.__aexit__()


@pytest.fixture
async def client(start):
    return await start()
