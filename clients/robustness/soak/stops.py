"""G9: SIGTERM under load; accepted requests are answered."""

import asyncio
import contextlib
import json

from clients.load.images import digit_png
from clients.load.server_process import Server
from clients.robustness.soak.connection import Connection
from clients.robustness.soak.goals import Goal, Step, Tally
from clients.robustness.soak.ledger import Ledger

FRESH, KEPT, STREAMS = 6, 4, 2
LOAD_SECONDS = 1.0
STREAM = json.dumps({"seed": "To be", "length": 200, "stream": True}).encode()


async def stop(step: Step) -> Tally:
    """Fresh connections, kept ones and streams; one worker and two in turn."""
    lost: list[str] = []
    tally: Tally = {"answered": 0, "exits": 0, "most_seconds": 0}
    loop, pauses = asyncio.get_running_loop(), [0.0]
    for number in range(step.start, step.start + step.count):
        with step.serving("digits", "text", workers=str(1 + number % 2)) as server:
            ledger = step.ledger()
            requests = asyncio.gather(*_clients(server, ledger, lost))
            watching = asyncio.create_task(_longest_pause(pauses))
            await asyncio.sleep(LOAD_SECONDS)
            began = loop.time()
            status = await asyncio.to_thread(server.stop)
            await requests
            watching.cancel()
        tally["exits"] += status != 0
        tally["answered"] += ledger.statuses.total()
        tally["most_seconds"] = max(tally["most_seconds"], loop.time() - began)
        lost += [f"{number}, {max(pauses):.1f} s: {problem}" for problem in ledger.problems]
        step.progress(number + 1 - step.start)
    return {
        **tally,
        "most_pause": max(pauses),
        "lost": len(lost),
        "wrong": step.note(lost) + tally["exits"],
    }


def _clients(server: Server, ledger: Ledger, lost: list[str]) -> list["asyncio.Task[None]"]:
    each = [_ask(server.port, ledger, is_fresh=True) for _ in range(FRESH)]
    each += [_ask(server.port, ledger, is_fresh=False) for _ in range(KEPT)]
    each += [_stream(server.port, ledger, lost) for _ in range(STREAMS)]
    return [asyncio.create_task(one) for one in each]


async def _ask(port: int, ledger: Ledger, *, is_fresh: bool) -> None:
    """One request after the other until connections are refused."""
    connection, image = Connection(port), digit_png()
    path = f"/v1/digits/classify?{'fresh' if is_fresh else 'kept'}"
    with contextlib.suppress(OSError):
        while True:
            await connection.open()
            await ledger.note(connection, "POST", path, image)
            if is_fresh:
                connection.close()
    connection.close()


async def _longest_pause(pauses: list[float]) -> None:
    """How long this process itself did not run: a client asleep for a second may lose a connection."""
    loop = asyncio.get_running_loop()
    while True:
        before = loop.time()
        await asyncio.sleep(0.01)
        pauses.append(loop.time() - before)


async def _stream(port: int, ledger: Ledger, lost: list[str]) -> None:
    """Streams, each of which ends as one or with an error."""
    connection = Connection(port)
    while True:
        try:
            await connection.open()
        except OSError:
            return
        try:
            answer = await connection.send("POST", "/v1/text/generate", STREAM)
            ledger.statuses[answer.status] += 1
            is_whole = answer.body.endswith(b"data: [DONE]\n\n") or b'"error"' in answer.body
            if answer.status == 200 and not is_whole:
                lost.append("a stream ended in the middle")
        except OSError as error:
            lost.append(f"a stream: {error!r}")
        finally:
            connection.close()


STOPS = Goal(
    "G9", "SIGTERM under fresh connections, kept ones and streams: none lost, exit status 0", "stops",
    50, 2, 5, 10, stop,
    lambda tally: f"{tally['lost']:.0f} lost of {tally['answered']:,.0f}, {tally['exits']:.0f} times another exit status, the longest stop "
    f"{tally['most_seconds']:.1f} s; the clients themselves stood still for {tally['most_pause']:.1f} s at most",
)  # fmt: skip
