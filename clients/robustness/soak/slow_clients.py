"""G6: clients that send or read slowly, beside one that does not."""

import asyncio
import contextlib
import socket
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from clients.robustness.soak.connection import Connection
from clients.robustness.soak.goals import Goal, Step, Tally
from clients.robustness.soak.ledger import Ledger
from clients.robustness.soak.samples import digit
from clients.robustness.soak.server_process import copy_models

RECEIVE_SECONDS, TOTAL_SECONDS = 3, 8
LATEST_SECONDS = 30  # by then the slow clients end by themselves
LONG_SECONDS, SHORT_SECONDS, SHORT = 60, 3, 100
HEAD = b"POST /v1/digits/classify HTTP/1.1\r\nHost: x\r\n"
BODY = HEAD + b"Content-Length: 9999\r\n\r\n"
UNREAD = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 200  # more than kernels buffer
FIRST = {"head": HEAD, "silent head": HEAD, "body": BODY, "silent body": BODY, "answer": UNREAD}
KINDS = tuple(FIRST)
ESTABLISHED = 1


async def crawl(step: Step) -> Tally:
    """Heads and bodies that drip or stop, and answers that nobody reads, as many all the time."""
    seconds = LONG_SECONDS if step.count > SHORT else SHORT_SECONDS
    settings = {
        "receive_seconds": str(RECEIVE_SECONDS),
        "receive_total_seconds": str(TOTAL_SECONDS),
    }
    loop = asyncio.get_running_loop()
    with (
        tempfile.TemporaryDirectory() as folder,
        step.serve(copy_models(step.models, Path(folder), "digits"), **settings) as server,
        ProcessPoolExecutor(1, get_context("spawn")) as pool,
    ):
        files = server.files
        quiet, beside = step.ledger(), step.ledger()
        await _classify(server.port, quiet, min(seconds, 10))
        slow = loop.run_in_executor(pool, _crawl_all, server.port, step.count, seconds)
        await asyncio.sleep(1)
        await _classify(server.port, beside, seconds)
        await asyncio.sleep(TOTAL_SECONDS + 2)
        held = server.files - files  # while who does not read still waits, and sees no close
        lifetimes = await slow
        peak = server.peak_megabytes
    refused = beside.statuses.total() - beside.statuses[200]
    return {
        "wrong": step.note(beside.problems) + refused,
        "slow": len(lifetimes),
        "late": sum(life > TOTAL_SECONDS + 1 for life in lifetimes),
        "held": max(0, held),
        "most_seconds": max(lifetimes),
        "most_ratio": beside.quantile(0.99) / quiet.quantile(0.99),
        "most_quiet_ms": quiet.quantile(0.99),
        "most_mb": peak,
    }


async def _classify(port: int, ledger: Ledger, seconds: float) -> None:
    connection, image, until = Connection(port), digit(), time.monotonic() + seconds
    while time.monotonic() < until:
        await ledger.note(connection, "POST", "/v1/digits/classify", image)
        await asyncio.sleep(0.005)
    await connection.close()


def _crawl_all(port: int, count: int, seconds: float) -> list[float]:
    """`count` slow connections for so long, each followed by the next; how long those that write lived."""

    async def all_of_them() -> list[float]:
        until, lives = time.monotonic() + seconds, []

        async def one(number: int) -> None:
            while time.monotonic() < until:
                life = await _crawl(port, kind := KINDS[number % len(KINDS)])
                if kind != "answer":
                    lives.append(life)

        await asyncio.gather(*map(one, range(count)))
        return lives

    return asyncio.run(all_of_them())


async def _crawl(port: int, kind: str) -> float:
    """Seconds until the server closed the connection."""
    started = time.monotonic()
    with contextlib.suppress(OSError):
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(FIRST[kind])
        while _is_open(writer) and time.monotonic() - started < LATEST_SECONDS:
            if kind in ("head", "body"):
                writer.write(b"x")
            await asyncio.sleep(0.5)
        writer.transport.abort()
    return time.monotonic() - started


def _is_open(writer: asyncio.StreamWriter) -> bool:
    """Whether the other side has closed nothing yet: what the kernel says, since nobody reads."""
    state: bytes = writer.get_extra_info("socket").getsockopt(
        socket.IPPROTO_TCP, socket.TCP_INFO, 1
    )
    return state[0] == ESTABLISHED and not writer.transport.is_closing()


SLOW = Goal(
    "G6", "slow clients for a minute beside a normal one, which is answered", "connections",
    1_000, 50, 1_000, 50, crawl,
    lambda tally: f"{tally['wrong']:.0f} errors of the normal client, its p99 {tally['most_ratio']:.1f} × "
    f"quiet ({tally['most_quiet_ms']:.1f} ms); of {tally['slow']:,.0f} that wrote slowly {tally['late']:,.0f} "
    f"held longer than {TOTAL_SECONDS + 1} s; of all {tally['held']:.0f} held at the end; peak {tally['most_mb']:.0f} MB",
    lambda tally: tally["most_ratio"] <= 2 and tally["late"] + tally["held"] == 0,
)  # fmt: skip
