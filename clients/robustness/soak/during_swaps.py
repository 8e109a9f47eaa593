"""G22: other goals again while versions of a model are swapped continuously."""

import contextlib
import shutil
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from clients.load.server_process import Server
from clients.robustness.soak.connection_faults import BROKEN
from clients.robustness.soak.goals import Goal, Step, Tally, Work
from clients.robustness.soak.overload import OVERLOAD
from clients.robustness.soak.raw_http import RAW_HTTP
from clients.robustness.soak.slow_clients import SLOW
from clients.robustness.soak.stops import STOPS
from clients.robustness.soak.tiny_model import remove_version, write_version

PAUSE_SECONDS = 1.0
SHORT: tuple[tuple[Work, int], ...] = (
    (RAW_HTTP.work, RAW_HTTP.short), (BROKEN.work, BROKEN.short), (SLOW.work, SLOW.short),
    (STOPS.work, STOPS.short), (OVERLOAD.work, OVERLOAD.short),
)  # fmt: skip


async def again(step: Step) -> Tally:
    """The short form of each goal, with a version of a model more coming and the last one going each second."""
    tally: Tally = {"wrong": 0, "swaps": 0}

    @contextlib.contextmanager
    def serve_swapping(models: Path, **settings: str) -> Iterator[Server]:
        with tempfile.TemporaryDirectory() as folder:
            copied = Path(folder) / "models"
            shutil.copytree(models, copied)
            with (
                step.serve(copied, **settings, poll_seconds="0.2") as server,
                _swapping(copied) as made,
            ):
                yield server
            tally["swaps"] += len(made)

    for number in range(step.start, step.start + step.count):
        work, count = SHORT[number % len(SHORT)]
        found = await work(replace(step, start=0, count=count, serve=serve_swapping))
        tally["wrong"] += found["wrong"]
        step.progress(number + 1 - step.start)
    return tally


@contextlib.contextmanager
def _swapping(models: Path) -> Iterator[list[Path]]:
    """Versions of a model of its own name appear and vanish until the block ends."""
    made: list[Path] = []
    ended = threading.Event()

    def swap() -> None:
        version = 1
        while not ended.wait(PAUSE_SECONDS):
            version += 1
            made.append(write_version(models, version, name="swapped"))
            remove_version(models, version - 2, name="swapped")

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield made
    finally:
        ended.set()
        thread.join()


DURING_SWAPS = Goal(
    "G22", "G4, G6, G9, G12 and G17 in short while versions are swapped every second", "goals",
    25, 0, 5, 0, again,
    lambda tally: f"{tally['wrong']:.0f} wrong in {tally['swaps']:.0f} swaps",
)  # fmt: skip
