"""Memory: all attacks on memory, one after the other, on a service limited to 2 GB."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator

from PIL import Image

from clients.load.connection import ask
from clients.load.images import digit_png, encoded
from clients.load.server_process import Server
from clients.robustness.soak import hostile_bodies
from clients.robustness.soak.connection import Connection
from clients.robustness.soak.goals import Goal, Step, Tally

LIMIT_MB = 2048  # of the container that docker-compose.yml runs the service in
BUDGET = LIMIT_MB * 2**20 // 4  # the service's own limit on a machine with that memory
CLIENTS, PART, ATTACK_SECONDS = 24, 2**20, 12
CLASSIFY = "/v1/digits/classify"
HEAD = f"POST {CLASSIFY} HTTP/1.1\r\nHost: x\r\n".encode()


class Peak:
    """The most memory while it was watched, MB."""

    mb = 0.0


@contextlib.asynccontextmanager
async def watching(server: Server) -> AsyncIterator[Peak]:
    """Look all the time, until the block ends."""
    peak = Peak()

    async def look() -> None:
        while True:
            peak.mb = max(peak.mb, await asyncio.to_thread(lambda: server.pss_mib))
            await asyncio.sleep(0.05)

    task = asyncio.create_task(look())
    yield peak
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def costly_bodies(port: int) -> None:
    """Each hostile body by all clients at once."""
    for name in [*hostile_bodies.IMAGES, *hostile_bodies.OTHERS]:
        body, content_type = hostile_bodies.body(name)
        await _post_all(port, CLASSIFY, body, content_type)


async def large_images(port: int) -> None:
    """Honest images of 25 megapixels, which take 100 to 200 MB while they are decoded."""
    for kind, options in (("JPEG", {"progressive": True}), ("PNG", {}), ("BMP", {})):
        side = 2300 if kind == "BMP" else 4990
        image = Image.radial_gradient("L").convert("RGB").resize((side, side))
        content = encoded(image, kind, **options)
        await _post_all(port, "/v1/images/label", content, "image/jpeg")


async def large_json(port: int) -> None:
    """As many numbers as a body may have."""
    row = json.dumps([[0.5] * 28] * 28)
    body = ('{"instances": [' + ",".join([row] * 60) + "]}").encode()
    await _post_all(port, CLASSIFY, body, "application/json")


async def half_uploads(port: int) -> None:
    """Bodies of which the last byte is never sent."""
    size = 15 * PART
    await _drip_all(port, HEAD + b"Content-Length: %d\r\n\r\n" % (size + 1), b"x" * PART, 15, 10)


async def endless_trailers(port: int) -> None:
    """Trailers behind a chunked body, for as long as the service takes them."""
    head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
    await _drip_all(port, head, b"X-Trailer: " + b"x" * PART + b"\r\n", 50, 1)


async def endless_heads(port: int) -> None:
    """Header lines for as long as the service takes them."""
    await _drip_all(port, HEAD, b"X-Header: " + b"x" * PART + b"\r\n", 50, 1)


async def unread_answers(port: int) -> None:
    """Many long answers that clients do not read."""
    request = b"GET /v1/gan/sample.png?random_seed=1&n=256 HTTP/1.1\r\nHost: x\r\n\r\n"
    await _drip_all(port, request, request * 50 + b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 50, 4, 5)  # fmt: skip


ATTACKS = (
    costly_bodies, large_images, large_json, half_uploads, endless_trailers, endless_heads,
    unread_answers,
)  # fmt: skip


async def _post_all(port: int, path: str, body: bytes, content_type: str) -> None:
    async def post() -> None:
        connection = Connection(port)
        with contextlib.suppress(OSError):
            await connection.send("POST", path, body, f"Content-Type: {content_type}\r\n")
        connection.close()

    await asyncio.gather(*(post() for _ in range(CLIENTS)))


async def _drip_all(port: int, head: bytes, part: bytes, parts: int, times: int) -> None:
    """On many connections: a head, then `parts` parts; nothing is read."""

    async def drip() -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(ATTACK_SECONDS):
                writer.write(head)
                for _ in range(parts):
                    writer.write(part)
                    await writer.drain()
                await asyncio.sleep(ATTACK_SECONDS / 2)
        writer.transport.abort()

    await asyncio.gather(*(drip() for _ in range(times * CLIENTS)), return_exceptions=True)


async def attack(step: Step) -> Tally:
    """One attack after the other on one service; it answers a digit after each."""
    problems: list[str] = []
    tally: Tally = {}
    with step.serve(step.models, max_bytes_in_flight=str(BUDGET)) as server:
        tally["most_mb_before"] = server.pss_mib
        for one in ATTACKS[step.start : step.start + step.count]:
            async with watching(server) as peak:
                await one(server.port)
            tally[f"most_mb_{one.__name__}"] = peak.mb
            print(f"    {one.__name__}: {peak.mb:,.0f} MB", file=sys.stderr)
            status = ask(server.port, "POST", CLASSIFY, digit_png()).status
            problems += [f"{one.__name__}: a digit was answered {status}"] * (status != 200)
        tally["most_mb_after"] = server.pss_mib
    return {"wrong": step.note(problems), **tally}


def _most(tally: Tally) -> float:
    return max(value for name, value in tally.items() if name.startswith("most_mb"))


MEMORY = Goal(
    "memory", f"every attack in a row on a service that may have {LIMIT_MB:,} MB", "attacks",
    len(ATTACKS), 0, len(ATTACKS), 0, attack,
    lambda tally: f"{tally['wrong']:.0f} wrong; {tally['most_mb_before']:,.0f} MB before, at most "
    f"{_most(tally):,.0f} MB, {tally['most_mb_after']:,.0f} MB after (PSS, TensorFlow's process included)",
    lambda tally: _most(tally) < LIMIT_MB,
)  # fmt: skip
