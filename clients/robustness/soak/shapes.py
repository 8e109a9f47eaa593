"""G14: requests of random sizes and lengths; nothing is compiled or stored for each."""

import json
import random

from clients.load.images import digit_png
from clients.load.measurement import percentile
from clients.robustness.soak.connection import Connection
from clients.robustness.soak.goals import Goal, Step, Tally
from clients.robustness.soak.hostile_bodies import FORM, form

WARM_SHARE = 0.1


async def vary(step: Step) -> Tally:
    """Forms of 1 to 16 images, 1 to 32 latents, seeds of 1 to 300 characters, one after the other."""
    ledger, draw = step.ledger(), random.Random(step.start)  # noqa: S311 a repeatable one
    warm = max(1, int(WARM_SHARE * step.count))
    with step.serving("digits", "vae", "text") as server:
        connection, before = Connection(server.port), 0.0
        for number in range(step.count):
            await ledger.note(connection, "POST", *_request(draw))
            if number + 1 == warm:
                before = server.megabytes
        grown = server.megabytes - before
        connection.close()
    refusals = ledger.statuses.total() - ledger.statuses[200]
    last = percentile(ledger.seconds[-warm:], 0.99) / percentile(ledger.seconds[:warm], 0.99)
    return {
        **ledger.tally(),
        "wrong": step.note(ledger.problems) + refusals,
        "most_mb_more": grown,
        "most_ratio": last,
    }


def _request(draw: random.Random) -> tuple[str, bytes, str]:
    kind = draw.randrange(3)
    if kind == 0:
        images = form([digit_png()] * draw.randint(1, 16))
        return "/v1/digits/classify", images, f"Content-Type: {FORM}\r\n"
    if kind == 1:
        rows = [[draw.gauss(0, 1) for _ in range(20)] for _ in range(draw.randint(1, 32))]
        return "/v1/vae/decode", json.dumps({"latents": rows}).encode(), ""
    seed = "".join(draw.choice("abcde ") for _ in range(draw.randint(1, 300)))
    fields = {"seed": seed, "length": draw.randint(1, 20)}
    return "/v1/text/generate", json.dumps(fields).encode(), ""


SHAPES = Goal(
    "G14", "requests of random sizes: no growth, none slower for it", "requests",
    10_000, 100, 10_000, 0, vary,
    lambda tally: f"{tally['wrong']:.0f} not answered; {tally['most_mb_more']:+.0f} MB after the first tenth, p99 of "
    f"the last tenth {tally['most_ratio']:.1f} × the first's",
    lambda tally: tally["most_mb_more"] <= 20 and tally["most_ratio"] <= 2,
)  # fmt: skip
