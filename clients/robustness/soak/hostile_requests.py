"""G2, G4 and G17: hostile JSON on every route, broken HTTP, and connections that break."""

import asyncio
import contextlib
import json
import random
import socket
import struct
from typing import Any

from clients.robustness.soak.connection import Connection, Ledger, ask, read_answer
from clients.robustness.soak.goals import Goal, Step, Tally
from clients.robustness.soak.service_process import vitrine

CONNECTIONS = 8
VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 2**31, 2**32, 2**63, 2**64, -(2**63), 1e-320, 0.5, "", "a", "\0", "\ud800",
    "😀" * 9, "a" * 5000, [], {}, [[]], [{}], {"a": {}}, [None] * 50, [0] * 784, "data:image/png;base64,",
)  # fmt: skip
TOKENS = (
    b"NaN",
    b"Infinity",
    b"1e999",
    b"[" * 2000,
    b"\xff\xfe",
    b'"\\ud800"',
    b"9" * 500,
    b",,",
    b"\xef\xbb\xbf",
)
HANG_SECONDS = 15  # a request that was never whole is answered within the receive limit of 10 s


def posts(port: int) -> list[tuple[str, Any]]:
    """Each route that takes JSON, and the example that its documentation has."""
    document = ask(port, "GET", "/openapi.json").json()
    found = []
    for path, methods in document["paths"].items():
        body = methods.get("post", {}).get("requestBody", {}).get("content", {})
        if "application/json" in body:
            example = body["application/json"].get("example", {})
            found.append((path.replace("{model}", "digits").replace("{version}", "1"), example))
    return found


def mutated(example: Any, draw: random.Random) -> bytes:
    """A JSON body with a wrong value, name or byte somewhere."""
    root: Any = {"": json.loads(json.dumps(example))}
    holder = root
    place: Any = ""
    while isinstance(holder[place], dict | list) and holder[place] and draw.random() < 0.8:
        holder = holder[place]
        place = draw.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    kind = draw.randrange(4)
    if kind == 0 and isinstance(holder, dict):
        holder[draw.choice(("extra", "n", "images", "\ud800", ""))] = draw.choice(VALUES)
    else:
        holder[place] = draw.choice(VALUES)
    body = json.dumps(root.get("")).encode()
    if kind == 1:
        at = draw.randrange(len(body) + 1)
        body = body[:at] + draw.choice(TOKENS) + body[at + draw.randrange(3) :]
    elif kind == 2:
        body = body[: draw.randrange(len(body) + 1)]
    return body


async def post_json(step: Step) -> Tally:
    """Mutated bodies on all routes; none may be answered with 500, or in another error shape."""
    ledger = Ledger()
    with vitrine(step.models) as service:
        routes = posts(service.port)

        async def send(number: int) -> None:
            connection = Connection(service.port)
            draw = random.Random(step.start + number)  # noqa: S311 a repeatable one
            for _ in range(step.count // CONNECTIONS):
                path, example = draw.choice(routes)
                head = "Content-Type: application/json\r\nX-Timeout-Ms: 2000\r\n"
                await ledger.note(connection, "POST", path, mutated(example, draw), head)

        await asyncio.gather(*map(send, range(CONNECTIONS)))
        alive = ask(service.port, "GET", "/v2/health/ready").status == 200
    for line in (ledger.wrong + ledger.lost)[:5]:
        print(f"    {line}", flush=True)
    return {
        "wrong": len(ledger.wrong) + len(ledger.lost) + (not alive),
        "ok": ledger.statuses[200],
        "most_ms": max(ledger.seconds) * 1000,
    }


GET = b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n"
BODY = b'{"n": 1}'
POST = b"POST /v1/vae/sample HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (
    len(BODY),
    BODY,
)
CHUNKED = b"POST /v1/vae/sample HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
DIALOGUES = [
    GET, POST, GET + GET, POST + GET, GET.replace(b"HTTP/1.1", b"HTTP/1.0"),
    CHUNKED + b"8\r\n" + BODY + b"\r\n0\r\n\r\n", CHUNKED + b"zz\r\n", CHUNKED + b"-1\r\n",
    CHUNKED + b"8\r\n" + BODY + b"\r\n0\r\nX: y\r\n\r\n", CHUNKED + b"ffffffffffffffffff\r\n",
    CHUNKED.replace(b"Host", b"Content-Length: 3\r\nHost") + b"0\r\n\r\n",
    POST.replace(b"Content-Length", b"Content-Length: 1\r\nContent-Length"),
    POST.replace(b"Host: x\r\n", b""), GET.replace(b"Host: x", b"Host: x\r\nHost: y"),
    GET.replace(b"Host: x", b"Host: a b"), GET.replace(b"\r\n", b"\n"), GET.replace(b"GET", b"G\0T"),
    b"GET /\r\n\r\n", b"\r\n\r\n", b"\x16\x03\x01\x02\0\1\0", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    GET.replace(b"Host", b"X: " + b"a" * 40_000 + b"\r\nHost"), GET.replace(b"Host", b"X: y\r\n" * 9000 + b"Host"),
    b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
    POST.replace(b"Host", b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AA\r\nHost"),
    GET.replace(b"Host", b"Upgrade: websocket\r\nConnection: Upgrade\r\nHost"),
    POST.replace(b"Host", b"Expect: 100-continue\r\nHost"), GET.replace(b"Host", b" folded: x\r\nHost"),
    GET.replace(b"GET /v2", b"GET http://x/v2"), GET.replace(b"GET", b"OPTIONS"), GET[:-2], POST[:-3],
]  # fmt: skip


async def talk(step: Step) -> Tally:
    """Each dialogue, whole and cut in two at a place of its own; each ends with an answer or a close."""
    wrong = hung = 0
    with vitrine(step.models, receive_seconds="1", drain_seconds="0") as service:

        async def one(number: int) -> None:
            nonlocal wrong, hung
            content = DIALOGUES[number % len(DIALOGUES)]
            cut = (number // len(DIALOGUES)) % (len(content) + 1)
            reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
            with contextlib.suppress(OSError):
                writer.write(content[:cut])
                await asyncio.sleep(0.002)
                writer.write(content[cut:])
                try:
                    async with asyncio.timeout(HANG_SECONDS):
                        received = await reader.read()
                    wrong += b"HTTP/1.1 5" in received
                except TimeoutError:
                    hung += 1
            writer.close()

        numbers = range(step.start, step.start + step.count)
        for some in range(0, len(numbers), 200):
            await asyncio.gather(*map(one, numbers[some : some + 200]))
        alive = ask(service.port, "GET", "/v2/health/ready").status == 200
    return {"wrong": wrong + (not alive), "hung": hung}


FAULTS = ("cut", "reset", "half-close", "drip", "close unread", "reset unread")


async def break_off(step: Step) -> Tally:
    """Every route with every fault of a connection; afterwards the same request is answered as before."""
    wrong = faults = 0
    with vitrine(step.models, receive_seconds="2") as service:
        routes = posts(service.port)
        whole = {path: await _status(service.port, path, example) for path, example in routes}
        for number in range(step.start, step.start + step.count):
            path, example = routes[number % len(routes)]
            fault = FAULTS[number // len(routes) % len(FAULTS)]
            draw = random.Random(number)  # noqa: S311 a repeatable one
            await _broken(service.port, path, example, fault, draw)
            faults += 1
            wrong += await _status(service.port, path, example) != whole[path]
        await asyncio.sleep(3)
        metrics = ask(service.port, "GET", "/metrics").body.decode()
    held = [line for line in metrics.splitlines() if line.startswith("vitrine_bytes_in_flight ")]
    return {"wrong": wrong, "held": float(held[0].split()[1]) if held else 0}


def _request(path: str, example: Any) -> bytes:
    body = json.dumps(example).encode()
    return b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (
        path.encode(), len(body), body,
    )  # fmt: skip


async def _status(port: int, path: str, example: Any) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(_request(path, example))
        async with asyncio.timeout(60):
            return (await read_answer(reader)).status
    finally:
        writer.close()


async def _broken(port: int, path: str, example: Any, fault: str, draw: random.Random) -> None:
    request = _request(path, example)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.suppress(OSError, TimeoutError):
        if fault in ("cut", "reset", "half-close"):
            writer.write(request[: draw.randrange(len(request))])
        elif fault == "drip":
            for start in range(0, len(request), max(1, len(request) // 50)):
                writer.write(request[start : start + max(1, len(request) // 50)])
                await asyncio.sleep(0.001)
        else:
            writer.write(request)
        await writer.drain()
        if fault in ("half-close", "drip"):
            writer.write_eof()
            async with asyncio.timeout(30):
                await reader.read()
    if "reset" in fault:
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.close()


JSON_BODIES = Goal(
    "G2", "hostile JSON on every route: no 500, one error shape", "bodies",
    5_000_000, 2_000, 20_000, post_json,
    lambda tally: tally["wrong"] == 0,
    lambda tally: f"{tally['wrong']:.0f} wrong, {tally['ok']:,.0f} were requests after all, longest "
    f"{tally['most_ms']:.0f} ms",
)  # fmt: skip

RAW_HTTP = Goal(
    "G4", "broken HTTP, cut in two at every byte: no 5xx, no hang", "dialogues",
    5_000, 2 * len(DIALOGUES), 1_000, talk,
    lambda tally: tally["wrong"] + tally["hung"] == 0,
    lambda tally: f"{tally['wrong']:.0f} wrong, {tally['hung']:.0f} hung",
)  # fmt: skip

BROKEN = Goal(
    "G17", "every fault of a connection on every route: the next request is answered as before",
    "faults", 1_200, 60, 300, break_off,
    lambda tally: tally["wrong"] + tally["held"] == 0,
    lambda tally: f"{tally['wrong']:.0f} answered otherwise, {tally['held']:.0f} bytes still held",
)  # fmt: skip
