"""G7: versions come and go under load; every answer names and proves its version."""

from clients.robustness.soak.goals import Goal, Step, Tally
from clients.robustness.soak.tiny_model import write_version
from clients.robustness.soak.versions_under_load import (
    refusals,
    version_is_ready,
    versions_under_load,
)

CLIENTS = 8
SETTLED = 20  # swaps after which memory is flat


async def swap(step: Step) -> Tally:
    """A new version, wait until it is there, take the old one away; `step.count` times."""
    ledger = step.ledger()
    async with versions_under_load(step, ledger, CLIENTS) as versions:
        server = versions.server
        settled, threads = server.megabytes, server.threads
        for number in range(step.count):
            next_version = versions.newest + 1
            write_version(versions.models, next_version)
            if not await version_is_ready(server.port, next_version):
                ledger.errors.append(f"version {next_version} did not become ready")
            versions.replace()
            if number + 1 == min(SETTLED, step.count // 2):
                settled, threads = server.megabytes, server.threads
            step.progress(number + 1)
        grown, more_threads = server.megabytes - settled, server.threads - threads
    return {
        **ledger.tally(),
        "wrong": step.note(ledger.problems + refusals(ledger)),
        "most_mb_per_swap": grown / max(1, step.count - SETTLED),
        "most_more_threads": more_threads,
    }


SWAPS = Goal(
    "G7", f"versions swapped under {CLIENTS} clients: none fails, none is of an older version", "swaps",
    200, 5, 200, 0, swap,
    lambda tally: f"{tally['wrong']:.0f} of {tally['answered']:,.0f} requests failed or wrong, longest "
    f"{tally['most_ms']:.0f} ms; after {SETTLED} swaps {tally['most_mb_per_swap']:+.2f} MB a swap, "
    f"{tally['most_more_threads']:+.0f} threads",
    lambda tally: tally["most_mb_per_swap"] < 0.2 and tally["most_more_threads"] <= 1,
)  # fmt: skip
