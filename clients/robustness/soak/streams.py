"""G15: streams whose client disconnects after the first event."""

import asyncio
import json
import re
import time

from clients.robustness.soak.connection import metrics, request
from clients.robustness.soak.goals import Goal, Step, Tally

LENGTH, AT_ONCE = 2000, 8
BODY = json.dumps({"seed": "To be", "length": LENGTH, "stream": True}).encode()
REQUEST = request("POST", "/v1/text/generate", BODY)
GAUGE = re.compile(r"^vitrine_(?:active_streams|waiting_requests)\{.*\} (\S+)$", re.MULTILINE)
DRAWN = re.compile(r'^vitrine_characters_total\{.*signature="generate".*\} (\S+)$', re.MULTILINE)
QUIET_SECONDS = 30


async def leave(step: Step) -> Tally:
    """Disconnect from eight streams at once; afterwards none is active and few characters were wasted."""
    problems = []
    with step.serving("text") as server:

        async def one() -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            try:
                writer.write(REQUEST)
                async with asyncio.timeout(60):
                    await reader.readuntil(b'"text"')
            except (OSError, asyncio.IncompleteReadError) as error:
                problems.append(f"no first piece: {error!r}")
            writer.transport.abort()

        for start in range(0, step.count, AT_ONCE):
            await asyncio.gather(*(one() for _ in range(min(AT_ONCE, step.count - start))))
            step.progress(min(step.count, start + AT_ONCE))
        seconds = await _until_quiet(server.port)
        drawn = sum(map(float, DRAWN.findall(metrics(server.port))))
    if seconds > QUIET_SECONDS:
        problems.append("streams are still active")
    if drawn >= LENGTH * step.count:
        problems.append("every stream was drawn to its end")
    return {"wrong": step.note(problems), "drawn": drawn, "most_seconds": seconds}


async def _until_quiet(port: int) -> float:
    started = time.monotonic()
    while any(map(float, GAUGE.findall(metrics(port)))):
        if time.monotonic() - started > QUIET_SECONDS:
            break
        await asyncio.sleep(0.02)
    return time.monotonic() - started


STREAMS = Goal(
    "G15", f"streams of {LENGTH:,} characters left after the first piece: the work stops", "streams",
    1_000, 16, 250, 0, leave,
    lambda tally: f"{tally['wrong']:.0f} wrong, {tally['drawn'] / tally['done']:.0f} characters drawn for each, "
    f"gauges at 0 after {tally['most_seconds']:.2f} s",
    lambda tally: tally["most_seconds"] <= 1,
)  # fmt: skip
