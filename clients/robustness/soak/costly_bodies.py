"""G5: bodies that are cheap to send and costly to read: how soon each is refused, and what waits meanwhile."""

import asyncio
import sys

from clients.robustness.hostile_bodies import Hostile, images, others
from clients.robustness.soak.connection import Answer, Connection, is_problem
from clients.robustness.soak.goals import Goal, Step, Tally
from clients.robustness.soak.lag import watching
from clients.robustness.soak.service_process import vitrine

PATH = "/v1/digits/classify"
SETTLE_SECONDS = 0.5  # in which a health check shows what the machine itself does
CLIENTS = {"scans of 25 megapixels": 2}  # one for each decoding thread
SECONDS, LAG_SECONDS, MEGABYTES = 0.1, 0.05, 64  # a refusal, a health check beside it, growth


async def refuse(step: Step) -> Tally:
    """Send each body in turn, and ask for the health all the time."""
    tally: Tally = {"wrong": 0, "late": 0, "most_ms": 0, "most_lag_ms": 0}
    bodies = list((images() | others()).items())[step.start : step.start + step.count]
    with vitrine(step.models) as service:
        before = service.megabytes
        async with watching(service.port) as lag:
            await asyncio.sleep(SETTLE_SECONDS)
        tally["most_quiet_ms"] = lag.most_ms
        for name, body in bodies:
            async with watching(service.port) as lag:
                answers = await asyncio.gather(
                    *(_send(service.port, body) for _ in range(CLIENTS.get(name, 1)))
                )
            seconds = max(answer.seconds for answer in answers)
            print(
                f"    {name}: {answers[0].status} after {1000 * seconds:.0f} ms, "
                f"health after {lag.most_ms:.0f} ms, {service.megabytes - before:+.0f} MB",
                file=sys.stderr,
            )
            tally["wrong"] += any(
                answer.status != body.status or not is_problem(answer) for answer in answers
            )
            tally["late"] += seconds > SECONDS or lag.most_ms > 1000 * LAG_SECONDS
            tally["most_ms"] = max(tally["most_ms"], 1000 * seconds)
            tally["most_lag_ms"] = max(tally["most_lag_ms"], lag.most_ms)
        tally["most_mb"] = service.peak_megabytes - before
    return tally


async def _send(port: int, body: Hostile) -> Answer:
    connection = Connection(port)
    try:
        head = f"Content-Type: {body.content_type}\r\n"
        return await connection.ask("POST", PATH, body.body, head)
    finally:
        await connection.close()


COSTLY = Goal(
    "G5", "bodies that are costly to read: refused before the work", "bodies",
    27, 27, 27, refuse,
    lambda tally: tally["wrong"] + tally["late"] == 0 and tally["most_mb"] <= MEGABYTES,
    lambda tally: f"{tally['wrong']:.0f} with another status, longest {tally['most_ms']:.0f} ms, a health "
    f"check beside them {tally['most_lag_ms']:.0f} ms (alone {tally['most_quiet_ms']:.0f} ms), at most "
    f"+{tally['most_mb']:.0f} MB",
)  # fmt: skip
