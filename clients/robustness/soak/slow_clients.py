"""G6: clients that send or read slowly, beside one that does not."""

import asyncio
import contextlib
import time

from clients.robustness.soak.connection import Connection, Ledger
from clients.robustness.soak.goals import Goal, Step, Tally
from clients.robustness.soak.samples import digit
from clients.robustness.soak.service_process import vitrine

RECEIVE_SECONDS = 3
QUIET_SECONDS = 5
HEAD = b"POST /v1/digits/classify HTTP/1.1\r\nHost: x\r\n"
KINDS = ("head", "body", "answer")


async def crawl(step: Step) -> Tally:
    """A third drips heads, a third drips bodies, a third never reads a long answer."""
    with vitrine(step.models, receive_seconds=str(RECEIVE_SECONDS)) as service:
        quiet, beside = Ledger(), Ledger()
        await _classify(service.port, quiet, time.monotonic() + QUIET_SECONDS)
        kinds = [KINDS[number % 3] for number in range(step.count)]
        slow = [asyncio.create_task(_crawl(service.port, kind)) for kind in kinds]
        await asyncio.sleep(0.5)
        await _classify(service.port, beside, time.monotonic() + QUIET_SECONDS)
        lifetimes = await asyncio.gather(*slow)
        peak = service.peak_megabytes
    return {
        "wrong": len(beside.wrong)
        + len(beside.lost)
        + (beside.statuses.total() - beside.statuses[200]),
        "most_seconds": max(lifetimes),
        "most_ratio": beside.quantile(0.99) / quiet.quantile(0.99),
        "most_quiet_ms": quiet.quantile(0.99),
        "most_mb": peak,
    }


async def _classify(port: int, ledger: Ledger, until: float) -> None:
    connection, image = Connection(port), digit()
    while time.monotonic() < until:
        await ledger.note(connection, "POST", "/v1/digits/classify", image)


async def _crawl(port: int, kind: str) -> float:
    """Seconds until the service closed the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    started = time.monotonic()
    with contextlib.suppress(OSError):
        if kind == "answer":
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            request = b"GET /v1/gan/sample.png?n=256 HTTP/1.1\r\nHost: x\r\n\r\n"
            for _ in range(50):
                writer.write(request)
        else:
            writer.write(HEAD + (b"Content-Length: 9999\r\n\r\n" if kind == "body" else b""))
        while not (writer.transport.is_closing() or reader.at_eof()):
            if time.monotonic() - started > 10 * RECEIVE_SECONDS:
                break
            if kind == "head":  # a byte now and then does not keep a head open
                writer.write(b"x")
            await asyncio.sleep(0.2)
    writer.transport.abort()
    return time.monotonic() - started


SLOW = Goal(
    "G6", "slow clients beside a normal one, which is answered", "connections",
    1_000, 60, 1_000, crawl,
    lambda tally: tally["wrong"] == 0 and tally["most_ratio"] <= 2,
    lambda tally: f"{tally['wrong']:.0f} errors of the normal client, its p99 {tally['most_ratio']:.1f} × "
    f"quiet ({tally['most_quiet_ms']:.1f} ms), the last slow one ended after {tally['most_seconds']:.1f} s "
    f"(by itself after {10 * RECEIVE_SECONDS} s: who does not read sees no close), peak {tally['most_mb']:.0f} MB",
)  # fmt: skip
