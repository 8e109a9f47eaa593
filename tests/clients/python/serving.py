"""The real app around the fake engines, on a loopback socket of a thread of its own."""

import asyncio
import contextlib
import threading
import time

from service.app import create_app
from service.asgi.server import make_server
from service.asgi.state import Lifecycle
from tests.fake_gan import FakeGanEngine, write_gan_version
from tests.fake_images import fake_engine, write_clothes_version, write_photo_version
from tests.fake_text import FakeTextEngine, write_text_version
from tests.fake_vae import FakeVaeEngine, write_vae_version
from tests.fakes import FakeEngine, every, write_version
from tests.service.apps import patient
from vitrine_client import Vitrine

ENGINES = {"digits": FakeEngine, "text": FakeTextEngine, "vae": FakeVaeEngine}


class Serving:
    """A running service: its address, and the engines it loaded, by the names of their models."""

    def __init__(self):
        self.url = ""
        self.engines = {}

    def load(self, directory, manifest):
        """The engines that fit a version directory."""
        name = directory.parent.name
        kind = next((kind for start, kind in ENGINES.items() if name.startswith(start)), None)
        if name == "gan":
            kind = FakeGanEngine
        self.engines[name] = kind() if kind else fake_engine(name)
        return every(self.engines[name])(directory, manifest)


def write_all_models(folder):
    """One version of each task's models; two of `digits`."""
    write_version(folder)
    write_version(folder, version=2)
    (folder / "digits" / "serving.json").write_text('{"versions": "all"}')
    write_text_version(folder)
    for name in ("vae", "vae-2d"):
        write_vae_version(folder, name)
    write_gan_version(folder)
    write_photo_version(folder)
    for name in ("fashion-dense", "fashion-svm"):
        write_clothes_version(folder, name)


def until_ready(running):
    """Wait until every model of a running service answers."""
    with Vitrine(running.url) as vitrine:
        while not vitrine.health.ready().ready:
            time.sleep(0.01)


@contextlib.contextmanager
def serving(folder, **settings):
    """Serve a folder of fake models until the block ends."""
    running, started = Serving(), threading.Event()
    values, lifecycle = patient(folder, port=0, **settings), Lifecycle()
    server = make_server(create_app(values, running.load, lifecycle), values, lifecycle)
    server.install_signal_handlers = lambda: None

    async def serve():
        task = asyncio.create_task(server._serve())
        while not server.started:
            await asyncio.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        running.url = f"http://127.0.0.1:{port}"
        started.set()
        await task

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert started.wait(300)
        yield running
    finally:
        server.should_exit = True
        thread.join()
