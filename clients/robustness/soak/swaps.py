"""G7: versions come and go under load; every answer says, and proves, which version it is from."""

import asyncio
import tempfile
import time
from pathlib import Path

from clients.robustness.soak.connection import Answer, Connection
from clients.robustness.soak.goals import Goal, Step, Tally
from clients.robustness.soak.ledger import Ledger
from clients.robustness.soak.samples import digit
from clients.robustness.soak.tiny_model import remove_version, write_version

CLIENTS = 8
SETTLED = 20  # swaps after which memory is flat
WAIT_SECONDS = 60


async def swap(step: Step) -> Tally:
    """A new version, wait until it is there, take the old one away; so many times."""
    ledger, newest, done = step.ledger(), 1, False
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder) / "models"
        write_version(models, 1)
        with step.serve(models, poll_seconds="0.2") as server:

            async def ask_all_the_time() -> None:
                connection = Connection(server.port)
                while not done:
                    at_least = newest
                    answer = await ledger.note(connection, "POST", "/v1/digits/classify", digit())
                    if answer:
                        ledger.errors += wrong_version(answer, at_least)
                await connection.close()

            asking = [asyncio.create_task(ask_all_the_time()) for _ in range(CLIENTS)]
            settled, threads = server.megabytes, server.threads
            for number in range(step.count):
                write_version(models, newest + 1)
                if not await version_is_ready(server.port, newest + 1):
                    ledger.errors.append(f"version {newest + 1} did not become ready")
                newest += 1
                remove_version(models, newest - 1)
                if number + 1 == min(SETTLED, step.count // 2):
                    settled, threads = server.megabytes, server.threads
                step.progress(number + 1)
            grown, more_threads = server.megabytes - settled, server.threads - threads
            done = True
            await asyncio.gather(*asking)
    return {
        **ledger.tally(),
        "wrong": step.note(ledger.problems + refusals(ledger)),
        "most_mb_per_swap": grown / max(1, step.count - SETTLED),
        "most_more_threads": more_threads,
    }


def refusals(ledger: Ledger) -> list[str]:
    """All that was not answered with 200."""
    return [f"{count} × {status}" for status, count in ledger.statuses.items() if status != 200]


def wrong_version(answer: Answer, at_least: int) -> list[str]:
    """What an answer of the tiny model says wrongly of its version."""
    if answer.status != 200:
        return []  # counted by its status
    body = answer.json()
    said, proved = body["model"]["version"], body["predictions"][0]["outlier_score"]
    if said != proved:
        return [f"version {said} said, {proved} computed"]
    return [f"version {said} after {at_least} was there"] if said < at_least else []


async def version_is_ready(port: int, version: int) -> bool:
    """Wait until it is; False: it is not within a minute."""
    connection, until = Connection(port), time.monotonic() + WAIT_SECONDS
    try:
        while time.monotonic() < until:
            path = f"/v2/models/digits/versions/{version}/ready"
            if (await connection.ask("GET", path)).status == 200:
                return True
            await asyncio.sleep(0.02)
    finally:
        await connection.close()
    return False


SWAPS = Goal(
    "G7", f"versions swapped under {CLIENTS} clients: none fails, none is of an older version", "swaps",
    200, 5, 200, 0, swap,
    lambda tally: f"{tally['wrong']:.0f} of {tally['answered']:,.0f} requests failed or wrong, longest "
    f"{tally['most_ms']:.0f} ms; after {SETTLED} swaps {tally['most_mb_per_swap']:+.2f} MB a swap, "
    f"{tally['most_more_threads']:+.0f} threads",
    lambda tally: tally["most_mb_per_swap"] < 0.2 and tally["most_more_threads"] <= 1,
)  # fmt: skip
