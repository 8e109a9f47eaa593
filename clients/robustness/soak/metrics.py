"""G19: /metrics agrees with the clients' counts, and names from requests do not appear in it."""

import asyncio
import random
import re
import shutil
import subprocess
from collections import Counter

from clients.load.images import digit_png
from clients.robustness.soak.connection import Connection, metrics
from clients.robustness.soak.goals import Goal, Step, Tally
from clients.robustness.soak.ledger import Ledger

CONNECTIONS = 4
MARK = "hostile"
COUNTED_SECONDS, COUNTED_TRIES = 0.2, 100  # an answer is counted once it has been sent
COUNTER = re.compile(  # except health checks, one of which the service sends itself at start-up
    r'^vitrine_requests_total\{.*route="(?!/v2/health/).*status="(\d+)".*\} (\S+)$', re.MULTILINE
)
LABELS = re.compile(r'route="([^"]*)"')


async def count(step: Step) -> Tally:
    """Requests with names of their own in every place; then the sums and the labels are compared."""
    ledger = step.ledger()
    with step.serving("digits") as server:
        await asyncio.sleep(COUNTED_SECONDS)
        before = _statuses(metrics(server.port))
        half = step.count // 2
        await _send_all(server.port, ledger, step.start, half)
        series = _routes(metrics(server.port))
        await _send_all(server.port, ledger, step.start + half, half)
        for reads in range(2, COUNTED_TRIES):  # of /metrics itself since `before`
            await asyncio.sleep(COUNTED_SECONDS)
            text = metrics(server.port)
            found = _statuses(text) - before - Counter({200: reads})
            keys = {*found, *ledger.statuses}
            differences = sum(abs(found[key] - ledger.statuses[key]) for key in keys)
            if not differences:
                break
    more = _routes(text) - series
    problems = [f"{differences} differ: {dict(found)}, {dict(ledger.statuses)}"] * (differences > 0)
    problems += [f"new labels: {more}"] * bool(more) + ["a name of a request"] * (MARK in text)
    problems += [f"promtool: {line}" for line in _promtool(text)]
    return {
        **ledger.tally(),
        "wrong": step.note(ledger.problems + problems),
        "most_routes": len(_routes(text)),
        "differences": differences,
    }


async def _send_all(port: int, ledger: Ledger, seed: int, number: int) -> None:
    await asyncio.gather(
        *(_send(port, ledger, seed + n, number // CONNECTIONS) for n in range(CONNECTIONS))
    )


async def _send(port: int, ledger: Ledger, seed: int, number: int) -> None:
    connection, draw = Connection(port), random.Random(seed)  # noqa: S311 a repeatable one
    for _ in range(number):
        name = f"{MARK}{draw.random()}"
        method, path = draw.choice((
            ("POST", "/v1/digits/classify"), ("POST", f"/v1/digits/classify?model={name}"),
            ("GET", f"/v1/models/{name}"), ("GET", f"/v1/models/digits/versions/{draw.randrange(9**9)}"),
            ("GET", f"/{name}"), ("PATCH", f"/v1/models/{name}"), (name[:9], "/v1/models"),
            ("GET", f"/v2/models/{name}/ready"), ("POST", f"/v1/models/{name}:predict"),
        ))  # fmt: skip
        await ledger.note(connection, method, path, digit_png() if "classify" in path else b"")
    connection.close()


def _statuses(text: str) -> Counter[int]:
    sums: Counter[int] = Counter()
    for status, number in COUNTER.findall(text):
        sums[int(status)] += int(float(number))
    return sums


def _routes(text: str) -> set[str]:
    return set(LABELS.findall(text))


def _promtool(text: str) -> list[str]:
    """What Prometheus' own tool has to say, if it is installed."""
    tool = shutil.which("promtool")
    if tool is None:
        return []
    run = subprocess.run([tool, "check", "metrics"], input=text, text=True, capture_output=True)  # noqa: S603 the tool
    return (run.stderr + run.stdout).splitlines() if run.returncode else []


METRICS = Goal(
    "G19", "/metrics beside the client's own count, with new names in every request", "requests",
    100_000, 2_000, 20_000, 0, count,
    lambda tally: f"{tally['differences']:.0f} of {tally['answered']:,.0f} differ, {tally['wrong']:.0f} wrong, "
    f"{tally['most_routes']:.0f} routes as labels",
)  # fmt: skip
