"""G8: damaged or partly copied version directories appear under load."""

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from clients.load.connection import ask
from clients.robustness.soak.goals import Goal, Step, Tally
from clients.robustness.soak.tiny_model import write_version
from clients.robustness.soak.versions_under_load import (
    refusals,
    version_is_ready,
    versions_under_load,
)

GRAPH, MANIFEST = "assets.extra/onnx/images.onnx", "assets.extra/manifest.json"
NOTICED_SECONDS = 60
COPIES = 50


def _cut(name: str, share: float) -> Callable[[Path], None]:
    def damage(version: Path) -> None:
        content = (version / name).read_bytes()
        (version / name).write_bytes(content[: int(share * len(content))])

    return damage


def _flipped(version: Path) -> None:
    content = bytearray((version / GRAPH).read_bytes())
    content[len(content) // 2] ^= 1
    (version / GRAPH).write_bytes(bytes(content))


def _without(name: str) -> Callable[[Path], None]:
    return lambda version: (version / name).unlink()


def _emptied(version: Path) -> None:
    shutil.rmtree(version)
    version.mkdir()


def _pipe(version: Path) -> None:
    (version / GRAPH).unlink()
    os.mkfifo(version / GRAPH)


def _other_version(version: Path) -> None:
    manifest = json.loads((version / MANIFEST).read_text())
    (version / MANIFEST).write_text(json.dumps({**manifest, "version": 99}))


DAMAGE: dict[str, Callable[[Path], None]] = {
    "no graph": _without(GRAPH), "half a graph": _cut(GRAPH, 0.5), "an empty graph": _cut(GRAPH, 0),
    "a flipped byte": _flipped, "no manifest and no SavedModel": _emptied, "half a manifest": _cut(MANIFEST, 0.5),
    "an empty manifest": _cut(MANIFEST, 0), "another version's manifest": _other_version,
    "no golden": _without("assets.extra/golden.npz"), "half a golden": _cut("assets.extra/golden.npz", 0.5),
    "no card": _without("assets.extra/card.json"), "half a card": _cut("assets.extra/card.json", 0.5),
    "no saved_model.pb": _without("saved_model.pb"), "a pipe for a graph": _pipe,
}  # fmt: skip


async def damage(step: Step) -> Tally:
    """Each kind of damage, and copies that stop at 50 positions: the old version answers, then the repaired one."""
    ledger = step.ledger()
    async with versions_under_load(step, ledger, clients=2, pause=0.005) as versions:
        for number in range(step.start, step.start + step.count):
            port, version = versions.server.port, versions.newest + 1
            ledger.errors += await _one(port, versions.models, version, number)
            versions.replace()
            step.progress(number + 1 - step.start)
    return {**ledger.tally(), "wrong": step.note(ledger.problems + refusals(ledger))}


async def _one(port: int, models: Path, version: int, number: int) -> list[str]:
    """Put a damaged version in place, wait until it is noticed, repair it."""
    names = list(DAMAGE)
    name = names[number] if number < len(names) else f"copy {number - len(names)} of {COPIES}"
    with tempfile.TemporaryDirectory() as folder:
        whole = write_version(Path(folder) / "models", version)
        target = models / "digits" / str(version)
        if number < len(names):
            DAMAGE[name](whole)
            shutil.move(whole, target)
        else:
            _copy_a_part(whole, target, (number - len(names)) / COPIES)
        problems = [] if await _is_noticed(port, version) else [f"{name}: no state and reason"]
        if number < len(names):
            shutil.rmtree(target)
            write_version(models, version)
        else:
            shutil.copytree(whole, target, dirs_exist_ok=True)
    if not await version_is_ready(port, version):
        problems.append(f"{name}: not ready when it was repaired")
    return problems


def _copy_a_part(whole: Path, target: Path, share: float) -> None:
    """Copy this share of the version's bytes, a file after the other."""
    files = sorted(path for path in whole.rglob("*") if path.is_file())
    left = int(share * sum(path.stat().st_size for path in files))
    for file in files:
        place = target / file.relative_to(whole)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.read_bytes()[:left])
        left -= min(left, file.stat().st_size)
        if not left:
            return


async def _is_noticed(port: int, version: int) -> bool:
    """Whether the index reports that the version is not ready, with the reason or that it loads."""
    for _ in range(NOTICED_SECONDS * 10):
        answer = await asyncio.to_thread(ask, port, "POST", "/v2/repository/index")
        entries = [one for one in answer.json() if str(one.get("version")) == str(version)]
        if any(
            one["state"] != "READY" and (one.get("reason") or one["state"] == "LOADING")
            for one in entries
        ):
            return True
        await asyncio.sleep(0.1)
    return False


DAMAGED = Goal(
    "G8", "damaged and half-copied versions under load: the old one serves, the reason is shown, the "
    "repaired one serves", "versions",
    len(DAMAGE) + COPIES, 3, len(DAMAGE) + COPIES, 0, damage,
    lambda tally: f"{tally['wrong']:.0f} failures, {tally['answered']:,.0f} requests answered meanwhile",
)  # fmt: skip
