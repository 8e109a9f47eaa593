"""G16: the same seed gives the same bytes: alone, under load, and from another process."""

import asyncio
import hashlib
import json

from clients.robustness.soak.connection import Connection
from clients.robustness.soak.goals import Goal, Step, Tally

AT_ONCE = 8
REQUESTS: tuple[tuple[str, dict[str, object]], ...] = (
    ("/v1/vae/sample", {"n": 3, "random_seed": 7}),
    ("/v1/vae/interpolate", {"from": {"random_seed": 1}, "to": {"random_seed": 2}, "steps": 4}),
    ("/v1/gan/sample", {"n": 3, "random_seed": 7, "truncation": 0.7}),
    ("/v1/text/generate", {"seed": "To be", "length": 30, "random_seed": 7, "diversity": [0.5, 1.0]}),
)  # fmt: skip


async def repeat(step: Step) -> Tally:
    """Each request `count` times one after the other, as often under load, in two services."""
    seen: dict[str, set[str]] = {path: set() for path, _ in REQUESTS}
    for _ in range(2):
        with step.serving("vae", "gan", "text") as server:

            async def ask_all(times: int, port: int = server.port) -> None:
                connection = Connection(port)
                for _ in range(times):
                    for path, fields in REQUESTS:
                        answer = await connection.send("POST", path, json.dumps(fields).encode())
                        content = answer.body if answer.status == 200 else b"%d" % answer.status
                        seen[path].add(hashlib.sha256(content).hexdigest())
                connection.close()

            await ask_all(step.count)
            await asyncio.gather(*(ask_all(step.count // AT_ONCE) for _ in range(AT_ONCE)))
    differing = [f"{path}: {len(found)} answers" for path, found in seen.items() if len(found) > 1]
    return {"wrong": step.note(differing), "answers": 4 * step.count * len(REQUESTS)}


DETERMINISM = Goal(
    "G16", "the same seed, alone, in a full batch and after a restart: the same bytes", "times",
    100, 8, 100, 0, repeat,
    lambda tally: f"{tally['wrong']:.0f} of {len(REQUESTS)} requests had two answers ({tally['answers']:,.0f} asked)",
)  # fmt: skip
