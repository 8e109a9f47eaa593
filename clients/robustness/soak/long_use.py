"""G13: a million requests of every kind; memory, threads and files stay constant."""

import asyncio
import json
import random
from typing import Any

from clients.load.images import digit_png
from clients.load.server_process import Server
from clients.robustness.soak.connection import Connection, request
from clients.robustness.soak.goals import Goal, Step, Tally

CONNECTIONS = 8
WARM_SHARE = 0.05
CUT_EVERY = 500  # requests of a connection
LOOKS, SHORT_LOOKS, SHORT = 20, 4, 10_000
STREAM = json.dumps({"seed": "To be", "length": 2000, "stream": True}).encode()
KINDS: tuple[tuple[str, str, bytes], ...] = (
    *[("POST", "/v1/digits/classify", digit_png())] * 8,
    ("POST", "/v1/vae/sample", b'{"n": 1, "random_seed": 3}'),
    ("GET", "/v2/health/live", b""), ("GET", "/v2/models/digits", b""), ("GET", "/v1/models", b""),
    ("GET", "/nowhere/else", b""), ("POST", "/v1/digits/classify", b"no image"),
    ("POST", "/v1/vae/sample", b'{"n": NaN}'), ("POST", "/v1/vae/sample", b'{"n": 1000}'),
)  # fmt: skip


async def use(step: Step) -> Tally:
    """Images, samples, errors and cut streams, all to one server; it is looked at 20 times."""
    ledger, asked, looks = step.ledger(), 0, list[dict[str, float]]()
    with step.serving("digits", "vae", "text") as server:

        async def send(number: int, count: int) -> None:
            nonlocal asked
            connection = Connection(server.port)
            draw = random.Random(number)  # noqa: S311 a repeatable one
            for one in range(count):
                method, path, body = draw.choice(KINDS)
                await ledger.note(connection, method, path, body)
                if one % CUT_EVERY == CUT_EVERY - 1:
                    await _cut_a_stream(server.port)
                asked += 1
            connection.close()

        async def send_all(count: int) -> None:
            share = count // CONNECTIONS
            await asyncio.gather(*(send(asked + n, share) for n in range(CONNECTIONS)))
            await asyncio.sleep(1)  # aborted requests are not counted
            looks.append(_look(server))

        times = LOOKS if step.count > SHORT else SHORT_LOOKS
        await send_all(int(WARM_SHARE * step.count))
        for number in range(times):
            await send_all(step.count // times)
            step.progress((number + 1) * step.count // times)
    half = looks[len(looks) // 2]
    thousands = step.count / 2 / 1000
    return {
        **ledger.tally(),
        "wrong": step.note(ledger.problems),
        "most_mb_more": looks[-1]["mb"] - looks[0]["mb"],
        "most_mb_per_1000": (looks[-1]["mb"] - half["mb"]) / thousands,
        "most_threads_more": looks[-1]["threads"] - looks[0]["threads"],
        "most_files_more": looks[-1]["files"] - looks[0]["files"],
        "most_mb": looks[-1]["mb"],
    }


def _look(server: Server) -> dict[str, Any]:
    return {"mb": server.megabytes, "threads": server.threads, "files": server.files}


async def _cut_a_stream(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request("POST", "/v1/text/generate", STREAM))
    await reader.read(100)
    writer.transport.abort()


LONG_USE = Goal(
    "G13", "requests of every kind to one server: memory flat after the first twentieth", "requests",
    1_000_000, 4_000, 1_000_000, 20_000, use,
    lambda tally: f"{tally['errors']:.0f} × 500, {tally['lost']:.0f} lost; {tally['most_mb_more']:+.0f} MB, over "
    f"the last half {tally['most_mb_per_1000'] * 1000:+.1f} kB for 1,000 requests, "
    f"{tally['most_threads_more']:+.0f} threads, {tally['most_files_more']:+.0f} files",
    lambda tally: tally["most_mb_more"] <= 50 and tally["most_mb_per_1000"] < 0.02
    and tally["most_threads_more"] <= 1 and tally["most_files_more"] <= 2,
)  # fmt: skip
