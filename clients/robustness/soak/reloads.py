"""Reload: a model is reloaded by command many times; memory and threads stay constant."""

import asyncio
import shutil
import tempfile
from pathlib import Path

from clients.load.connection import ask
from clients.load.images import digit_png
from clients.robustness.soak.connection import metrics
from clients.robustness.soak.goals import Goal, Step, Tally
from clients.robustness.soak.server_process import copy_models
from clients.robustness.soak.tiny_model import write_version

KEY = "only-for-this-run"
ADMIN = {"Authorization": f"Bearer {KEY}"}
MODEL = "/v2/repository/models/digits"
SETTLED = 100  # reloads after which memory is flat
GONE_SECONDS = 60
OF_DIGITS = 'model="digits"'


async def reload(step: Step) -> Tally:
    """Load the digit model anew `step.count` times, ask it each time; then unload it and take its folder away."""
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        models = copy_models(step.models, Path(folder) / "models", "digits")
        write_version(models, 1, "other")  # models served without the digits
        with step.serve(models, admin_key=KEY) as server:
            settled, threads, files = server.megabytes, server.threads, server.files
            series = _series(server.port)  # its own route is in it from the second time on
            for number in range(step.count):
                await asyncio.sleep(0)
                loaded = ask(server.port, "POST", f"{MODEL}/load", b"", **ADMIN)
                answer = ask(server.port, "POST", "/v1/digits/classify", digit_png())
                if (loaded.status, answer.status) != (200, 200):
                    problems.append(f"reload {number}: {loaded.status}, then {answer.status}")
                if number + 1 == min(SETTLED, step.count // 2):
                    settled, threads, files = server.megabytes, server.threads, server.files
                    series = _series(server.port)
                step.progress(number + 1)
            more = _series(server.port) - series
            problems += [f"new series: {name}" for name in sorted(more)]
            tally = {
                "most_mb": server.megabytes - settled,
                "most_more_threads": server.threads - threads,
                "most_more_files": server.files - files,
            }
            ask(server.port, "POST", f"{MODEL}/unload", b"", **ADMIN)
            loading = f"vitrine_model_load_seconds{{{OF_DIGITS}"
            left = [name for name in _series(server.port) if name.startswith(loading)]
            shutil.rmtree(models / "digits")
            for _ in range(10 * GONE_SECONDS):
                if not (gone := _of_digits(server.port)):
                    break
                await asyncio.sleep(0.1)
            problems += [f"left after unloading: {name}" for name in left]
            problems += [f"left without a folder: {name}" for name in gone]
    return {"wrong": step.note(problems), **tally}


def _of_digits(port: int) -> list[str]:
    return sorted(name for name in _series(port) if OF_DIGITS in name)


def _series(port: int) -> set[str]:
    """Names and labels of everything that /metrics has, without the values."""
    lines = metrics(port).splitlines()
    return {line.rpartition(" ")[0] for line in lines if not line.startswith("#")}


RELOADS = Goal(
    "reload", "a model loaded anew by command: memory, threads and series flat", "reloads",
    1_000, 6, 1_000, 0, reload,
    lambda tally: f"{tally['wrong']:.0f} wrong; after {SETTLED} reloads {tally['most_mb']:+.1f} MB, "
    f"{tally['most_more_threads']:+.0f} threads, {tally['most_more_files']:+.0f} open files",
    lambda tally: tally["most_mb"] < 20 and tally["most_more_threads"] <= 1
    and tally["most_more_files"] <= 2,
)  # fmt: skip
