"""G2: hostile bodies on every route with a body."""

import asyncio
import json
import random
from typing import Any

from clients.load.connection import ask
from clients.robustness.soak.connection import Connection
from clients.robustness.soak.goals import Goal, Step, Tally
from clients.robustness.soak.hostile_bodies import FORM, form

CONNECTIONS = 32
HEAD = "X-Timeout-Ms: 200\r\n"  # requests after all that would take longer are refused
CONTENT_TYPES = (
    "application/json", "application/json", "application/json", "text/plain", "image/png",
    "application/x-www-form-urlencoded", FORM, "application/octet-stream",
)  # fmt: skip
QUERIES = (
    "",
    "",
    "",
    "?version=x",
    "?model=vae",
    "?n=-1",
    "?model=%00",
    "?top=1e9",
    "?on_error=report",
)
VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 2**31, 2**32, 2**63, 2**64, -(2**63), 1e-320, 0.5, "", "a", "\0", "\ud800",
    "😀" * 9, "a" * 5000, [], {}, [[]], [{}], {"a": {}}, [None] * 50, [0] * 784, "data:image/png;base64,",
)  # fmt: skip
TOKENS = (
    b"NaN",
    b"Infinity",
    b"1e999",
    b"[" * 2000,
    b"\xff\xfe",
    b'"\\ud800"',
    b"9" * 500,
    b",,",
    b"\xef\xbb\xbf",
)


def posts(port: int) -> list[tuple[str, Any]]:
    """Each route that takes JSON, for each model that it may name, and its documented example."""
    document = ask(port, "GET", "/openapi.json").json()
    answer = ask(port, "GET", "/v1/models")
    names = answer.json()["models"] if answer.status == 200 else []
    found = []
    for path, methods in document["paths"].items():
        body = methods.get("post", {}).get("requestBody", {}).get("content", {})
        if "application/json" in body:
            example = body["application/json"].get("example", {})
            for name in names if "{model}" in path else [""]:
                place = path.replace("{model}", name).replace("{version}", "1")
                found.append((place.replace("{label}", "stable"), example))
    return found


def mutated(example: Any, draw: random.Random) -> bytes:
    """A JSON body with a wrong value, name or byte somewhere."""
    root: Any = {"": json.loads(json.dumps(example))}
    holder = root
    place: Any = ""
    while isinstance(holder[place], dict | list) and holder[place] and draw.random() < 0.8:
        holder = holder[place]
        place = draw.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    kind = draw.randrange(4)
    if kind == 0 and isinstance(holder, dict):
        holder[draw.choice(("extra", "n", "images", "\ud800", ""))] = draw.choice(VALUES)
    else:
        holder[place] = draw.choice(VALUES)
    body = json.dumps(root.get("")).encode()
    if kind == 1:
        at = draw.randrange(len(body) + 1)
        body = body[:at] + draw.choice(TOKENS) + body[at + draw.randrange(3) :]
    elif kind == 2:
        body = body[: draw.randrange(len(body) + 1)]
    return body


async def post(step: Step) -> Tally:
    """Mutated bodies on all routes; none may be answered with 500, or in another error shape."""
    ledger = step.ledger()
    with step.serve(step.models, log_level="warning") as server:
        routes = posts(server.port)

        async def send(number: int) -> None:
            connection = Connection(server.port)
            draw = random.Random(step.start + number)  # noqa: S311 a repeatable one
            for _ in range(number, step.count, CONNECTIONS):
                path, example = draw.choice(routes)
                body, content_type = mutated(example, draw), draw.choice(CONTENT_TYPES)
                if content_type.startswith("multipart"):
                    body = form([body])
                head = f"Content-Type: {content_type}\r\n{HEAD}"
                await ledger.note(connection, "POST", path + draw.choice(QUERIES), body, head)
            connection.close()

        await asyncio.gather(*map(send, range(CONNECTIONS)))
        problems = ledger.problems + ([] if server.is_ready() else ["it is not ready afterwards"])
    return {**ledger.tally(), "wrong": step.note(problems)}


JSON_BODIES = Goal(
    "G2", "hostile bodies on every route: no 500, one error shape", "bodies",
    5_000_000, 2_000, 200_000, 20_000, post,
    lambda tally: f"{tally['errors']:,.0f} × 500, {tally['wrong'] - tally['errors']:,.0f} lost or in another "
    f"shape; {tally['ok']:,.0f} were requests after all; longest {tally['most_ms']:,.0f} ms",
)  # fmt: skip
