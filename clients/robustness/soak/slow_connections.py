"""`python -m clients.robustness.soak.slow_connections PORT COUNT SECONDS LATEST`: slow connections.

They run in a separate process so that they do not slow down the normal client, and arrive one after another, as
slowhttptest opens them. Prints the lifetime of each writing connection in seconds, as a JSON list; each ends by
itself after LATEST seconds.
"""

import asyncio
import contextlib
import json
import socket
import sys
import time

HEAD = b"POST /v1/digits/classify HTTP/1.1\r\nHost: x\r\n"
BODY = HEAD + b"Content-Length: 9999\r\n\r\n"
UNREAD = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 200  # more than kernels buffer
FIRST = {"head": HEAD, "silent head": HEAD, "body": BODY, "silent body": BODY, "answer": UNREAD}
KINDS = tuple(FIRST)
ARRIVALS = 200  # a second; who arrives at once also sends each next byte at once
ESTABLISHED = 1


async def crawl_all(port: int, count: int, seconds: int, latest: int) -> list[float]:
    """`count` slow connections for so long, each followed by the next; how long those that write lived."""
    until, lives = time.monotonic() + seconds, []

    async def one(number: int) -> None:
        await asyncio.sleep(number / ARRIVALS)
        while time.monotonic() < until:
            life = await _crawl(port, kind := KINDS[number % len(KINDS)], latest)
            if kind != "answer":
                lives.append(life)

    await asyncio.gather(*map(one, range(count)))
    return lives


async def _crawl(port: int, kind: str, latest: int) -> float:
    """Seconds until the server closed the connection."""
    started = time.monotonic()
    with contextlib.suppress(OSError):
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(FIRST[kind])
        while _is_open(writer) and time.monotonic() - started < latest:
            if kind in ("head", "body"):
                writer.write(b"x")
            await asyncio.sleep(0.5)
        writer.transport.abort()
    return time.monotonic() - started


def _is_open(writer: asyncio.StreamWriter) -> bool:
    """Whether the connection is still open, according to the kernel, since nothing is read."""
    state: bytes = writer.get_extra_info("socket").getsockopt(
        socket.IPPROTO_TCP, socket.TCP_INFO, 1
    )
    return state[0] == ESTABLISHED and not writer.transport.is_closing()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(crawl_all(*map(int, sys.argv[1:])))))
