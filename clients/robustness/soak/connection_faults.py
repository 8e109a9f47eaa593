"""G17: broken connections on every route."""

import asyncio
import contextlib
import json
import random
import socket
import struct
import time
from typing import Any

from clients.robustness.soak.connection import SECONDS, Connection, metrics, request
from clients.robustness.soak.goals import Goal, Step, Tally
from clients.robustness.soak.hostile_json import posts

CLOSED_SECONDS = 60
STARTING_SECONDS = 60  # TensorFlow's process answers 503 until it has started
HEAD_SECONDS = 2
CUT = ("cut", "cut and reset", "cut and half closed", "paused")
SENT = ("closed unread", "reset unread", "half closed", "garbage behind", "twice", "read slowly")
PIECES = ("dripped", "in two pieces")
FAULTS = (*CUT, *SENT, *PIECES)


async def break_off(step: Step) -> Tally:
    """Every route with every fault of a connection; afterwards the same request is answered as before."""
    wrong = []
    with step.serve(step.models, receive_seconds=str(HEAD_SECONDS)) as server:
        routes = posts(server.port)
        whole = {path: await _status(server.port, path, example) for path, example in routes}
        for number in range(step.start, step.start + step.count):
            path, example = routes[number % len(routes)]
            fault = FAULTS[number // len(routes) % len(FAULTS)]
            draw = random.Random(number)  # noqa: S311 a repeatable one
            await _broken(server.port, _request(path, example), fault, draw)
            status = await _status(server.port, path, example)
            if status != whole[path]:
                wrong.append(f"{path} after {fault}: {status} instead of {whole[path]}")
        await asyncio.sleep(HEAD_SECONDS + 1)
        lines = metrics(server.port).splitlines()
    held = [line for line in lines if line.startswith("vitrine_bytes_in_flight ")]
    left = float(held[0].split()[1]) if held else 0
    return {"wrong": step.note(wrong) + (left > 0), "held": left}


def _request(path: str, example: Any) -> bytes:
    body = json.dumps(example).encode()
    return request("POST", path, body, "Content-Type: application/json\r\n")


async def _status(port: int, path: str, example: Any) -> int:
    end = time.monotonic() + STARTING_SECONDS
    while True:
        connection = Connection(port)
        try:
            status = (await connection.ask(_request(path, example), SECONDS)).status
        finally:
            connection.close()
        if status != 503 or time.monotonic() > end:
            return status
        await asyncio.sleep(1)


async def _broken(port: int, whole: bytes, fault: str, draw: random.Random) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.suppress(OSError, TimeoutError):
        await _send(writer, whole, fault, draw)
        if "half closed" in fault:
            writer.write_eof()
        if fault == "read slowly":
            await reader.read(10)
            await asyncio.sleep(0.1)
        elif fault in ("half closed", "garbage behind", "twice", *PIECES):
            writer.write_eof()
            async with asyncio.timeout(CLOSED_SECONDS):
                await reader.read()
    if "reset" in fault:
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.close()


async def _send(
    writer: asyncio.StreamWriter, whole: bytes, fault: str, draw: random.Random
) -> None:
    if fault in CUT:
        writer.write(whole[: draw.randrange(len(whole))])
        await asyncio.sleep(0.1 * (fault == "paused"))
    elif fault in PIECES:
        size = max(1, len(whole) // (50 if fault == "dripped" else 2) + 1)
        for start in range(0, len(whole), size):
            writer.write(whole[start : start + size])
            await asyncio.sleep(0.001)
    else:
        behind = {"twice": whole, "garbage behind": b"\0\xff" * 50}
        writer.write(whole + behind.get(fault, b""))
    await writer.drain()


BROKEN = Goal(
    "G17", "12 faults of a connection on every route: the next request is answered as before", "faults",
    1_200, 60, 300, 48, break_off,
    lambda tally: f"{tally['wrong']:.0f} answered otherwise, {tally['held']:.0f} bytes still held",
)  # fmt: skip
