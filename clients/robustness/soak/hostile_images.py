"""G1 and G5: randomly damaged images, and files that are cheap to send and costly to decode."""

import asyncio
import contextlib
import random
import sys

from PIL import Image

from clients.load.images import encoded
from clients.load.server_process import Server
from clients.robustness.soak import hostile_bodies
from clients.robustness.soak.connection import Connection
from clients.robustness.soak.goals import Goal, Step, Tally, added
from clients.robustness.soak.lag import watching
from clients.robustness.soak.ledger import Ledger

PER_REQUEST, CONNECTIONS = 10, 2
BODIES = (*hostile_bodies.IMAGES, *hostile_bodies.OTHERS)
CLASSIFY = "/v1/digits/classify"
FORM = f"Content-Type: {hostile_bodies.FORM}\r\n"


def seeds() -> list[bytes]:
    """Small whole files of every format and mode."""
    noise = Image.effect_noise((40, 32), 80)
    files = []
    for mode in ("L", "RGB", "RGBA", "P", "1", "CMYK", "I;16"):
        for kind in ("PNG", "JPEG", "progressive JPEG", "WEBP", "GIF", "BMP"):
            is_progressive = kind.startswith("progressive")
            with contextlib.suppress(OSError, ValueError):  # not of that mode
                image = noise.convert(mode)
                files.append(encoded(image, kind.split()[-1], progressive=is_progressive))
    return files


def damaged(content: bytes, draw: random.Random, other: bytes) -> bytes:
    """Some bytes changed, cut out, doubled, or taken from another file."""
    changed = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 4, 16))):
        place = draw.randrange(len(changed) + 1)
        kind = draw.randrange(5)
        if kind == 0 and place < len(changed):
            changed[place] = draw.randrange(256)
        elif kind == 1 and place < len(changed):
            changed[place] ^= 1 << draw.randrange(8)
        elif kind == 2:
            del changed[place : place + draw.randrange(1, 20)]
        elif kind == 3:
            changed[place:place] = changed[place : place + draw.randrange(1, 40)]
        else:
            start = draw.randrange(len(other))
            changed[place : place + 8] = other[start : start + 8]
    if draw.random() < 0.1:
        del changed[draw.randrange(1, len(changed) + 1) :]
    return bytes(changed)


async def mutate(step: Step) -> Tally:
    """Post damaged images, ten in a form, each of which is answered or reported in its place."""
    ledger, files, readable = step.ledger(), seeds(), []
    with step.serving("digits") as server:

        async def send(number: int) -> None:
            connection = Connection(server.port)
            for start in range(number * PER_REQUEST, step.count, CONNECTIONS * PER_REQUEST):
                draw = random.Random(step.start + start)  # noqa: S311 a repeatable one
                images = [
                    damaged(draw.choice(files), draw, draw.choice(files))
                    for _ in range(PER_REQUEST)
                ]
                readable.append(await _read_some(connection, ledger, images))
            connection.close()

        await asyncio.gather(*map(send, range(CONNECTIONS)))
        peak = server.peak_megabytes
    return {
        **ledger.tally(),
        "readable": sum(readable),
        "wrong": step.note(ledger.problems),
        "most_mb": peak,
    }


async def _read_some(connection: Connection, ledger: Ledger, images: list[bytes]) -> int:
    """How many of the images of one form were read."""
    path, body = f"{CLASSIFY}?on_error=report", hostile_bodies.form(images)
    answer = await ledger.note(connection, "POST", path, body, FORM)
    if answer is None or answer.status != 200:
        return 0
    rows = answer.json()["predictions"]
    if len(rows) != len(images) or any(not ({"digit", "error"} & set(row)) for row in rows):
        ledger.errors.append("an image without an answer")
    return sum("digit" in row for row in rows)


async def bomb(step: Step) -> Tally:
    """Send each body of the set to a new server on a core of its own, while its health is asked."""
    tally: Tally = {"wrong": 0, "slow": 0, "most_ms": 0, "most_mb": 0, "most_wait_ms": 0}
    for name in BODIES[step.start : step.start + step.count]:
        body, content_type = hostile_bodies.body(name)
        with step.serving_apart("digits") as server:
            found, problems = await _explode(step, server, body, content_type)
        figures = ", ".join(f"{key} {value:.0f}" for key, value in found.items())
        print(f"    {name}: {figures}", file=sys.stderr, flush=True)
        tally = added(tally, found)
        tally["wrong"] += step.note([f"{name}: {problem}" for problem in problems])
    return tally


async def _explode(
    step: Step, server: Server, body: bytes, content_type: str
) -> tuple[Tally, list[str]]:
    """What a body costs, and what is wrong with the answer."""
    ledger, head = step.ledger(), f"Content-Type: {content_type}\r\n"
    async with watching(server.port) as lag:
        before = server.megabytes
        server.forget_peak()
        connection = Connection(server.port)
        answer = await ledger.note(connection, "POST", CLASSIFY, body, head)
        connection.close()
    if answer and answer.status == 200:
        ledger.errors.append("not refused")
    milliseconds = 1000 * max(ledger.seconds, default=0)
    found = {
        "slow": milliseconds > 100,
        "most_ms": milliseconds,
        "most_mb": server.peak_megabytes - before,
        "most_wait_ms": lag.most_ms,
    }
    return found, ledger.problems


MUTATED = Goal(
    "G1", "damaged images: an answer or a documented refusal, memory below 400 MB", "images",
    1_000_000, 1_000, 20_000, 1_000, mutate,
    lambda tally: f"{tally['errors']:.0f} × 500, {tally['lost']:.0f} lost; {tally['readable']:,.0f} could be "
    f"read; {PER_REQUEST} together in {tally['most_ms']:.0f} ms at most, peak {tally['most_mb']:.0f} MB",
    lambda tally: tally["most_mb"] < 400 and tally["most_ms"] < 1000,
)  # fmt: skip

BOMBS = Goal(
    "G5", "bombs refused in 100 ms with 64 MB at most", "bodies",
    len(BODIES), 2, len(BODIES), 2, bomb,
    lambda tally: f"{tally['wrong']:.0f} not refused, {tally['slow']:.0f} slower than 100 ms, longest "
    f"{tally['most_ms']:,.0f} ms, others wait {tally['most_wait_ms']:,.0f} ms at most, "
    f"+{tally['most_mb']:.0f} MB at most",
    lambda tally: tally["slow"] == 0 and tally["most_mb"] <= 64
    and tally["most_wait_ms"] <= 50,
)  # fmt: skip
