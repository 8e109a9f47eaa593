"""G4: broken HTTP, in one and in two parts."""

import asyncio

from clients.robustness.soak.goals import Goal, Step, Tally

HANG_SECONDS = 15  # a request that was never whole is answered within the receive limit
AT_ONCE = 200
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
    CHUNKED + b"1\r\n \r\n" * 100_000 + b"0\r\n\r\n", CHUNKED + b"8;" + b"a" * 90_000,
]  # fmt: skip


async def talk(step: Step) -> Tally:
    """Each dialogue, whole and cut in two at a place of its own; each ends with an answer or a close."""
    wrong, hung = [], []
    with step.serve(step.models, receive_seconds="1", drain_seconds="0") as server:

        async def one(number: int) -> None:
            content = DIALOGUES[number % len(DIALOGUES)]
            cut = (number // len(DIALOGUES)) % (len(content) + 1)
            name = f"{content[:80]!r} cut at {cut}"
            try:
                if b"HTTP/1.1 5" in await _received(server.port, content[:cut], content[cut:]):
                    wrong.append(name)
            except TimeoutError:
                hung.append(name)

        numbers = range(step.start, step.start + step.count)
        for at in range(0, len(numbers), AT_ONCE):
            await asyncio.gather(*map(one, numbers[at : at + AT_ONCE]))
        if not server.is_ready():
            wrong.append("it is not ready afterwards")
    return {"wrong": step.note(wrong) + step.note(hung), "hung": len(hung)}


async def _received(port: int, *pieces: bytes) -> bytes:
    """All that a server says to these pieces until it closes; TimeoutError if it does not close."""
    received = b""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(HANG_SECONDS):
            for piece in pieces:
                writer.write(piece)
                await asyncio.sleep(0.002)
            while more := await reader.read(2**16):
                received += more
    except ConnectionError:
        return received
    finally:
        writer.close()
    return received


RAW_HTTP = Goal(
    "G4", "broken HTTP, cut in two at every place: no 5xx, no hang", "dialogues",
    5_000, 2 * len(DIALOGUES), 1_000, len(DIALOGUES), talk,
    lambda tally: f"{tally['wrong'] - tally['hung']:.0f} answered with 5xx, {tally['hung']:.0f} not closed "
    f"within {HANG_SECONDS} s",
)  # fmt: skip
