"""A service of the tiny model whose versions change while clients send requests."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from clients.load.connection import Answer
from clients.load.images import digit_png
from clients.load.server_process import Server
from clients.robustness.soak.connection import Connection
from clients.robustness.soak.goals import Step
from clients.robustness.soak.ledger import Ledger
from clients.robustness.soak.tiny_model import remove_version, write_version

WAIT_SECONDS = 60


@dataclass
class Versions:
    """The models folder, the service that watches it, and the newest version that is ready."""

    models: Path
    server: Server
    newest: int = 1

    def replace(self) -> None:
        """Count the next version as ready, and take the one before it away."""
        self.newest += 1
        remove_version(self.models, self.newest - 1)


@contextlib.asynccontextmanager
async def versions_under_load(
    step: Step, ledger: Ledger, clients: int, pause: float = 0
) -> AsyncIterator[Versions]:
    """Start with version 1; `clients` ask for digits, `pause` seconds apart, until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        models, done = Path(folder) / "models", False
        write_version(models, 1)
        with step.serve(models, poll_seconds="0.2") as server:
            versions = Versions(models, server)

            async def ask_all_the_time() -> None:
                connection = Connection(server.port)
                while not done:
                    at_least = versions.newest
                    answer = await ledger.note(
                        connection, "POST", "/v1/digits/classify", digit_png()
                    )
                    if answer:
                        ledger.errors += _wrong_version(answer, at_least)
                    await asyncio.sleep(pause)
                connection.close()

            tasks = [asyncio.create_task(ask_all_the_time()) for _ in range(clients)]
            yield versions
            done = True
            await asyncio.gather(*tasks)


def refusals(ledger: Ledger) -> list[str]:
    """All that was not answered with 200."""
    return [f"{count} × {status}" for status, count in ledger.statuses.items() if status != 200]


def _wrong_version(answer: Answer, at_least: int) -> list[str]:
    """Errors in the version reported by an answer of the tiny model."""
    if answer.status != 200:
        return []  # counted by its status
    body = answer.json()
    reported, proved = body["model"]["version"], body["predictions"][0]["outlier_score"]
    if reported != proved:
        return [f"version {reported} reported, {proved} computed"]
    return [f"version {reported} after {at_least} was there"] if reported < at_least else []


async def version_is_ready(port: int, version: int) -> bool:
    """Wait until it is; False: it is not within a minute."""
    connection, until = Connection(port), time.monotonic() + WAIT_SECONDS
    try:
        while time.monotonic() < until:
            path = f"/v2/models/digits/versions/{version}/ready"
            if (await connection.send("GET", path)).status == 200:
                return True
            await asyncio.sleep(0.02)
    finally:
        connection.close()
    return False
