"""An app around FakeEngine, ready to be called in-process."""

import contextlib
import io

import pytest
from PIL import Image

from tests.fake_text import FakeTextEngine, write_text_version
from tests.fakes import FakeEngine, write_version
from tests.service.apps import in_process, on_a_socket, patient


@pytest.fixture
def png():
    """Encode a 28×28 black image with so many lit pixels in its first rows: FakeEngine's digit."""

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
            values = patient(models, **settings)
            return await stack.enter_async_context(in_process(values, engine, wait=wait))

        yield factory


@pytest.fixture
async def client(start):
    return await start()


@pytest.fixture(scope="module")
async def shared_client(tmp_path_factory):
    """The same for all tests of a file that ask for it: they leave the app as it was."""
    models = tmp_path_factory.mktemp("models")
    write_version(models)
    write_version(models, "digits-course")
    async with in_process(patient(models), FakeEngine()) as client:
        yield client


@pytest.fixture
def no_estimates(monkeypatch):
    """Every long request is taken in, however long it seems to take: its deadline passes in the middle."""
    monkeypatch.setattr("service.scheduling.job_queue.JobQueue.check", lambda *_: None)


@pytest.fixture
def quick_leaving(monkeypatch):
    """The work for a client that left is given up at once: it is not waited for a half-closed connection."""
    monkeypatch.setattr("service.asgi.protocol.LEAVING_SECONDS", 0.05)


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
            values = patient(models, **settings)
            client = await stack.enter_async_context(in_process(values, text_engine))
            text_engine.runs.clear()
            return client

        yield factory


@pytest.fixture
async def texts(start_texts):
    return await start_texts()


@pytest.fixture(scope="module")
async def shared_texts(tmp_path_factory):
    """The same for all tests of a file that ask for it: they leave the app as it was."""
    models = tmp_path_factory.mktemp("models")
    write_text_version(models)
    async with in_process(patient(models), FakeTextEngine()) as client:
        yield client


@pytest.fixture
async def serve_texts(tmp_path, text_engine):
    """The same on a real socket, so that clients can really leave; `client.server` is the server."""
    async with contextlib.AsyncExitStack() as stack:

        async def factory(**settings):
            write_text_version(tmp_path)
            values = patient(tmp_path, port=0, **settings)
            client = await stack.enter_async_context(on_a_socket(values, text_engine))
            text_engine.runs.clear()
            return client

        yield factory
