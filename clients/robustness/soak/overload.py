"""G12: ten times the capacity in requests of every kind."""

import asyncio
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from clients.robustness.soak.connection import Answer, Connection
from clients.robustness.soak.goals import Goal, Step, Tally
from clients.robustness.soak.hostile_bodies import FORM, form
from clients.robustness.soak.ledger import Ledger, quantile
from clients.robustness.soak.samples import digit, photo
from clients.robustness.soak.server_process import copy_models

SECONDS = 20  # of overload, for each kind in a full run
TIMES, CLOSED_LOOP = 10, 16
NORMAL_SECONDS = 2
REFUSAL_MS = 50
TEXT = ("To be, or not to be, that is the question. " * 30)[:1000]
TIMEOUT = "X-Timeout-Ms: 2000\r\n"


@dataclass(frozen=True)
class Kind:
    """One kind of work: a request, and the model that it needs."""

    name: str
    model: str
    path: str
    body: bytes
    head: str = TIMEOUT


KINDS = (
    Kind("digits", "digits", "/v1/digits/classify", form([digit()] * 16), f"Content-Type: {FORM}\r\n{TIMEOUT}"),
    Kind("photos", "labels", "/v1/images/label", photo()),
    Kind("texts", "text", "/v1/text/generate", json.dumps({"seed": "To be", "length": 100}).encode()),
    Kind("scores", "text", "/v1/text/score", json.dumps({"text": TEXT}).encode()),
    Kind("samples", "gan", "/v1/gan/sample", json.dumps({"n": 16, "random_seed": 1}).encode()),
    Kind("projections", "gan", f"/v1/gan/project?steps=10&loss={quote('pixel')}", digit()),
)  # fmt: skip


async def flood(step: Step) -> Tally:
    """One kind: its peak in a closed loop, then ten times as many, whoever may be waiting, then a few again."""
    kind = KINDS[step.start // SECONDS % len(KINDS)]
    ledger, problems = step.ledger(), list[str]()
    with (
        tempfile.TemporaryDirectory() as folder,
        step.serve(copy_models(step.models, Path(folder), kind.model)) as server,
    ):
        await _until_answered(server.port, kind)
        peak = await _closed_loop(server.port, kind, max(1.0, step.count / 3))
        answers, lost = await _open_loop(server.port, kind, TIMES * peak, step.count, ledger)
        await asyncio.sleep(NORMAL_SECONDS)
        connection = Connection(server.port)
        after = [await connection.ask(*_request(kind)) for _ in range(3)]
        await connection.close()
        if any(answer.status != 200 for answer in after) or not server.is_ready():
            problems.append(f"not normal {NORMAL_SECONDS} s afterwards")
    refused = [answer for answer in answers if answer.status == 429]
    problems += ["429 without Retry-After" for one in refused if "retry-after" not in one.headers]
    late = sum(answer.status == 504 for answer in answers)
    goodput = sum(answer.status == 200 for answer in answers) / step.count
    slowest = quantile([answer.seconds for answer in refused], 0.99)
    name = (
        f"{kind.name}: {goodput:.0f}/s of {peak:.0f}/s, {len(refused):,} refused, {late} too late"
    )
    print(f"    {name}, 99 % of the refusals within {slowest:.0f} ms", flush=True)
    return {
        "wrong": step.note(ledger.errors + ledger.misshapen + problems + lost),
        "kinds": 1,
        "late": late,
        "most_loss": 1 - goodput / peak,
        "most_refusal_ms": slowest,
    }


def _request(kind: Kind) -> tuple[str, str, bytes, str]:
    return "POST", kind.path, kind.body, kind.head


async def _until_answered(port: int, kind: Kind) -> None:
    """TensorFlow's process may still start."""
    connection, until = Connection(port), time.monotonic() + 60
    while time.monotonic() < until:
        if (await connection.ask(*_request(kind))).status == 200:
            break
        await asyncio.sleep(0.2)
    await connection.close()


async def _closed_loop(port: int, kind: Kind, seconds: float) -> float:
    """Answers a second, with as many requests at once as keep the service busy."""
    until, answered = time.monotonic() + seconds, 0

    async def one() -> None:
        nonlocal answered
        connection = Connection(port)
        while time.monotonic() < until:
            answered += (await connection.ask(*_request(kind))).status == 200
        await connection.close()

    started = time.monotonic()
    await asyncio.gather(*(one() for _ in range(CLOSED_LOOP)))
    return max(1, answered) / (time.monotonic() - started)


async def _open_loop(
    port: int, kind: Kind, rate: float, seconds: float, ledger: Ledger
) -> tuple[list[Answer], list[str]]:
    """Send requests at a fixed rate; return the answered and the lost ones."""
    free: list[Connection] = []
    answers: list[Answer] = []

    async def one() -> None:
        connection = free.pop() if free else Connection(port)
        answer = await ledger.note(connection, *_request(kind))
        if answer:
            answers.append(answer)
        free.append(connection)

    started, tasks = time.monotonic(), list[asyncio.Task[None]]()
    while (passed := time.monotonic() - started) < seconds:
        for _ in range(min(200, int(passed * rate) - len(tasks))):
            tasks.append(asyncio.create_task(one()))
        await asyncio.sleep(0.002)
    await asyncio.gather(*tasks)
    for connection in free:
        await connection.close()
    return answers, ledger.lost


OVERLOAD = Goal(
    "G12", f"{TIMES} times what can be answered, {len(KINDS)} kinds of work: 90 % of the peak goes on", "seconds",
    SECONDS * len(KINDS), 2, SECONDS, 0, flood,
    lambda tally: f"{tally['wrong']:.0f} wrong; of the worst of {tally['kinds']:.0f} kinds "
    f"{100 - 100 * tally['most_loss']:.0f} % of the peak answered, {tally['late']:,.0f} too late, 99 % of the "
    f"refusals within {tally['most_refusal_ms']:.0f} ms",
    lambda tally: tally["most_loss"] <= 0.1 and tally["most_refusal_ms"] <= REFUSAL_MS,
)  # fmt: skip
