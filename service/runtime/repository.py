"""The models folder: which versions are there, which are loaded, and why one is not.

`models/<name>/<version>/` is the truth: a directory that appears is loaded, one that vanishes is
unloaded, one that changes is loaded anew. A version answers only after warm-up and golden check;
until then, and if that fails, what answered before goes on. Knows no HTTP and no framework.
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from service.errors import ModelNotFound, NotReady, VersionNotFound
from service.metrics import Metrics
from service.runtime.servable import Servable

State = Literal["LOADING", "AVAILABLE", "END"]
STATES: tuple[State, ...] = ("LOADING", "AVAILABLE", "END")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
VERSION = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
MAX_VERSION = 10**18 - 1
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 2.0, 60.0
Fingerprint = tuple[tuple[str, int, int], ...]

log = logging.getLogger("vitrine.repository")


@dataclass
class Version:
    """One version directory and what became of it."""

    name: str
    number: int
    directory: Path
    fingerprint: Fingerprint = ()
    state: State = "LOADING"
    error: str = ""
    servable: Servable | None = None
    retry_at: float = 0.0
    retry_seconds: float = FIRST_RETRY_SECONDS
    loading: "asyncio.Task[None] | None" = field(default=None, repr=False)

    @property
    def is_ready(self) -> bool:
        """True while it answers, also while a changed directory is being loaded in its place."""
        return self.servable is not None


class ModelRepository:
    """Mirrors the models folder. Lives on the event loop; loads on threads of its own."""

    def __init__(
        self,
        root: Path,
        load_servable: Callable[[Path, Callable[[str], None]], Servable],
        metrics: Metrics,
        poll_seconds: float,
    ) -> None:
        self._root = root
        self._load_servable = load_servable
        self._metrics = metrics
        self._poll_seconds = poll_seconds
        self._versions: dict[str, dict[int, Version]] = {}
        self._loaders = ThreadPoolExecutor(2, "loader")
        self._poller: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Look at the folder once, start loading, and keep looking."""
        await self._scan()
        if self._poll_seconds:
            self._poller = asyncio.create_task(self._poll())

    async def stop(self) -> None:
        """Stop looking and loading; what runs is finished by its own thread."""
        tasks = [v.loading for v in self._all() if v.loading] + [self._poller]
        for task in filter(None, tasks):
            task.cancel()
        await asyncio.gather(*filter(None, tasks), return_exceptions=True)
        self._loaders.shutdown(wait=False, cancel_futures=True)

    def names(self, task: str | None = None) -> list[str]:
        """Models on disk, in alphabetical order; with `task`, those loaded ones that do it."""
        if task is None:
            return sorted(self._versions)
        return [name for name in sorted(self._versions) if self._task(name) == task]

    def versions(self, name: str) -> list[Version]:
        """Every version of a model, oldest first; ModelNotFound if there is none."""
        if name not in self._versions:
            raise ModelNotFound(f"There is no model {name[:64]!r}; there are {self._known()}.")
        return [self._versions[name][number] for number in sorted(self._versions[name])]

    def not_ready(self) -> list[str]:
        """One sentence for each model that cannot answer yet; empty: the service is ready."""
        if not self._versions:
            return [f"no model in {self._root.name}/"]
        waiting = []
        for name, versions in sorted(self._versions.items()):
            if not any(version.is_ready for version in versions.values()):
                newest = versions[max(versions)]
                waiting.append(f"{name}/{newest.number}: {newest.error or 'loading'}")
        return waiting

    def resolve(self, name: str, version: int | None = None, label: str | None = None) -> Servable:
        """The servable of a model: the version asked for, else the newest that is ready."""
        versions = self.versions(name)
        if label is not None:
            raise VersionNotFound(f"{name} has no version label {label[:64]!r}; none is assigned.")
        if version is not None:
            versions = [v for v in versions if v.number == version]
            if not versions:
                raise VersionNotFound(
                    f"{name} has no version {version}; there are "
                    f"{', '.join(str(v.number) for v in self.versions(name))}."
                )
        for candidate in reversed(versions):
            if candidate.servable:
                return candidate.servable
        newest = versions[-1]
        why = f"cannot be used: {newest.error}" if newest.error else "is still loading"
        raise NotReady(f"{name}/{newest.number} {why}; try again later.")

    def _known(self) -> str:
        return ", ".join(sorted(self._versions)) or "none yet"

    def _task(self, name: str) -> str | None:
        ready = [v.servable for v in self._versions[name].values() if v.servable]
        return ready[-1].manifest.task if ready else None

    def _all(self) -> Iterator[Version]:
        for versions in self._versions.values():
            yield from versions.values()

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self._poll_seconds)
            try:
                await self._scan()
            except Exception:
                log.exception("the models folder could not be looked at")

    async def _scan(self) -> None:
        """Bring what is loaded in line with what is on disk."""
        found = await asyncio.get_running_loop().run_in_executor(
            self._loaders, _find_versions, self._root
        )
        if found is None:
            return  # the folder itself is out of reach: keep what is there
        for version in list(self._all()):
            if (version.name, version.number) not in found:
                self._unload(version)
        now = time.monotonic()
        for (name, number), fingerprint in sorted(found.items(), key=lambda item: -item[0][1]):
            version = self._versions.setdefault(name, {}).setdefault(
                number, Version(name, number, self._root / name / str(number))
            )
            changed = version.fingerprint != fingerprint
            retry = bool(version.error) and now >= version.retry_at
            if version.loading is None and (changed or retry):
                version.retry_seconds = FIRST_RETRY_SECONDS if changed else version.retry_seconds
                version.fingerprint = fingerprint
                version.loading = asyncio.create_task(self._load(version))

    async def _load(self, version: Version) -> None:
        where = f"{version.name}/{version.number}"
        self._set_state(version, "AVAILABLE" if version.is_ready else "LOADING", "")
        started = time.monotonic()

        def report(stage: str) -> None:
            log.info("loading", extra={"model": where, "stage": stage})

        try:
            servable = await asyncio.get_running_loop().run_in_executor(
                self._loaders, self._load_servable, version.directory, report
            )
        except Exception as error:  # noqa: BLE001 - engines raise what they like; the old one stays
            message = f"{type(error).__name__}: {error}"[:500]
            version.retry_at = time.monotonic() + version.retry_seconds
            version.retry_seconds = min(2 * version.retry_seconds, LAST_RETRY_SECONDS)
            self._set_state(version, "AVAILABLE" if version.is_ready else "END", message)
            log.warning("not loaded", extra={"model": where, "error": message})
            return
        finally:
            version.loading = None
        version.servable = servable  # who holds the previous one finishes on it
        seconds = time.monotonic() - started
        self._set_state(version, "AVAILABLE", "")
        self._metrics.load_seconds.labels(version.name, version.number).set(seconds)
        log.info("ready", extra={"model": where, "seconds": round(seconds, 3)})

    def _unload(self, version: Version) -> None:
        if version.loading:
            version.loading.cancel()
        for state in STATES:
            self._metrics.versions.remove(version.name, str(version.number), state)
        del self._versions[version.name][version.number]
        if not self._versions[version.name]:
            del self._versions[version.name]
        log.info("unloaded", extra={"model": f"{version.name}/{version.number}"})

    def _set_state(self, version: Version, state: State, error: str) -> None:
        version.state, version.error = state, error
        for one in STATES:
            gauge = self._metrics.versions.labels(version.name, str(version.number), one)
            gauge.set(one == state)


def _find_versions(root: Path) -> dict[tuple[str, int], Fingerprint] | None:
    """Every `<name>/<version>` directory below `root`, with names, sizes and times of its files."""
    try:
        folders = [path for path in root.iterdir() if NAME.fullmatch(path.name) and path.is_dir()]
    except OSError:
        return None
    found = {}
    for folder in folders:
        for directory in folder.iterdir():
            if VERSION.fullmatch(directory.name) and directory.is_dir():
                found[folder.name, int(directory.name)] = _fingerprint(directory)
    return found


def _fingerprint(directory: Path) -> Fingerprint:
    files = []
    for path in sorted(directory.rglob("*")):
        try:
            status = path.stat()
        except OSError:
            continue  # it went away meanwhile: the next look differs
        files.append((path.name, status.st_size, status.st_mtime_ns))
    return tuple(files)
