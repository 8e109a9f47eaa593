"""Watches the models folder: loads, verifies and hot-swaps versions, and records errors.

`models/<name>/<version>/` and `serving.json` are the only state: wanted versions are loaded, others are
dropped. A version answers after its warm-up and golden check; until then, or if that fails, the previous
version continues to answer. The last ready version is dropped only by `unloaded` or when a newer one is ready.
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from service.errors import ModelNotFound
from service.metrics import Metrics
from service.runtime.models_folder import FoundModels, FoundVersion, find_models
from service.runtime.servable import Servable
from service.runtime.serving_config import ServingConfig, ServingConfigError
from service.runtime.serving_files import ServingFiles
from service.runtime.version import FIRST_RETRY_SECONDS, UNSETTLED, ServedModel, Version
from service.runtime.version_loader import LoadServable, VersionLoader

Configs = dict[str, ServingConfig | ServingConfigError]

log = logging.getLogger("vitrine.repository")


class ModelRepository:
    """Watches the models folder. Used on the event loop; scans and loads on separate threads."""

    def __init__(
        self,
        root: Path,
        load_servable: LoadServable,
        metrics: Metrics,
        poll_seconds: float,
        files: ServingFiles | None = None,
    ) -> None:
        self.files = files or ServingFiles(root, None)
        self.changing = asyncio.Lock()  # held while a configuration is being changed
        self._root = root
        self._metrics = metrics
        self._poll_seconds = poll_seconds
        self._models: dict[str, ServedModel] = {}
        self._loader = VersionLoader(load_servable, metrics, self._reconcile_model_of)
        self._scanner = ThreadPoolExecutor(1, "scanner")
        self._scanning = asyncio.Lock()
        self._poller: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Scan the folder once, start loading, and keep watching."""
        await self.scan(is_first=True)
        for model in self._models.values():
            model.is_awaited = not model.config.unloaded
        if self._poll_seconds:
            self._poller = asyncio.create_task(self._poll())

    async def stop(self) -> None:
        """Stop watching and loading; running loads finish on their threads."""
        loading = [v.loading for model in self._models.values() for v in model.versions.values()]
        tasks = [task for task in (*loading, self._poller) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._loader.close()
        self._scanner.shutdown(wait=False, cancel_futures=True)

    def names(self) -> list[str]:
        """Models in alphabetical order."""
        return sorted(self._models)

    def versions(self, name: str) -> list[Version]:
        """Every version of a model, oldest first; ModelNotFound if there is none."""
        versions = self.model(name).versions
        return [versions[number] for number in sorted(versions)]

    def model(self, name: str) -> ServedModel:
        """A model and its configuration; ModelNotFound if there is none of that name."""
        if name not in self._models:
            raise ModelNotFound(f"model must be one that GET /v1/models lists, got {name[:64]!r}")
        return self._models[name]

    def weight(self, name: str) -> float:
        """A model's share of processor time, from its configuration; default: 1."""
        return self._models[name].config.weight if name in self._models else 1.0

    def not_ready(self) -> list[str]:
        """One sentence for each model that is not ready; empty if the service is ready."""
        if not self._models:
            return [f"no model in {self._root.name}/"]
        waiting = []
        for name, model in sorted(self._models.items()):
            whole = [v for v in model.versions.values() if v.is_whole and v.on_disk]
            if model.is_awaited and whole and not model.newest_ready():
                newest = max(whole, key=lambda version: version.number)
                waiting.append(f"{name}/{newest.number}: {newest.error or 'loading'}")
        return waiting

    async def settle(self, name: str = "") -> None:
        """Wait until all loads have finished, of one model or of all."""
        while tasks := [
            version.loading
            for model in self._models.values()
            for version in model.versions.values()
            if version.loading and name in ("", model.name)
        ]:
            await asyncio.gather(*tasks, return_exceptions=True)

    def resolve(self, name: str, version: int | None = None, label: str | None = None) -> Servable:
        """The servable of a model: of the requested version or label, otherwise of the newest ready version."""
        return self.model(name).resolve(version, label)

    async def stage(self, versions: Iterable[Version]) -> None:
        """Load versions while the old ones answer, and wait until all have loaded or failed."""
        tasks = []
        for version in versions:
            if version.loading is None:
                self._loader.start(version, is_staged=True)
            if version.loading:
                tasks.append(version.loading)
        await asyncio.gather(*tasks, return_exceptions=True)

    def activate(self, model: ServedModel, numbers: Iterable[int]) -> None:
        """Activate staged versions, if the configuration includes them."""
        for number in model.configured() & set(numbers):
            self._loader.activate(model.versions[number])

    def discard(self, model: ServedModel, numbers: Iterable[int]) -> None:
        """Discard staged versions, unless another change needs them."""
        for number in set(numbers) & set(model.versions) - model.all_held():
            model.versions[number].staged = None

    async def scan(self, *, is_first: bool = False) -> None:
        """Scan the folder, then load and drop versions accordingly."""
        async with self._scanning:
            loop = asyncio.get_running_loop()
            found, configs = await loop.run_in_executor(
                self._scanner, self._look, tuple(self._models)
            )
            if found is None:
                return  # the folder itself is unreachable: keep all versions
            for name in sorted({*found, *self._models}):
                self._update(name, found.get(name, {}), configs.get(name), is_first=is_first)

    def reconcile(self, model: ServedModel) -> None:
        """Start loading wanted versions and drop the others."""
        tried = set[int]()
        while (
            untried := model.wanted() - tried
        ):  # if one fails immediately, an older one becomes wanted
            tried |= untried
            for number in sorted(untried, reverse=True):
                self._load_if_due(model.versions[number])
        # Versions staged by a worker that has exited become active as soon as the file lists them.
        self.activate(model, [v.number for v in model.versions.values() if not v.is_ready])
        wanted = model.wanted()
        has_successor = any(model.versions[number].is_ready for number in wanted)
        for number, version in list(model.versions.items()):
            is_last = version.is_ready and not has_successor and not model.config.unloaded
            if number not in wanted and not is_last:
                self._loader.drop(version)
                if not version.on_disk:
                    del model.versions[number]
        if not model.versions:
            del self._models[model.name]
            self._metrics.forget_model(model.name)

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self._poll_seconds)
            try:
                await self.scan()
            except Exception:
                log.exception("the models folder cannot be scanned")

    def _look(self, known: tuple[str, ...]) -> tuple[FoundModels | None, Configs]:
        found = find_models(self._root)
        configs: Configs = {}
        for name in {*(found or {}), *known}:
            try:
                configs[name] = self.files.read(name)
            except ServingConfigError as error:
                configs[name] = error
        return found, configs

    def _update(
        self,
        name: str,
        found: dict[int, FoundVersion] | None,
        config: ServingConfig | ServingConfigError | None,
        *,
        is_first: bool,
    ) -> None:
        if name not in self._models and not found:
            return  # a folder without versions is not a model
        model = self._models.setdefault(name, ServedModel(name))
        _take_config(model, config)
        if found is not None:  # otherwise the folder is temporarily unreadable
            for number, version in model.versions.items():
                version.on_disk = number in found
            for number, one in found.items():
                version = model.versions.setdefault(number, Version(name, number, one))
                settled = is_first or one.has_manifest or version.seen == one.fingerprint
                is_final = settled or bool(one.problem)
                version.found = one if is_final else one._replace(problem=UNSETTLED)
                version.seen = one.fingerprint
        self.reconcile(model)

    def _reconcile_model_of(self, version: Version) -> None:
        if model := self._models.get(version.name):
            self.reconcile(model)

    def _load_if_due(self, version: Version) -> None:
        changed = version.loaded != version.found.fingerprint
        retry = bool(version.error) and time.monotonic() >= version.retry_at
        if version.on_disk and version.loading is None and (changed or retry):
            version.retry_seconds = FIRST_RETRY_SECONDS if changed else version.retry_seconds
            self._loader.start(version)


def _take_config(model: ServedModel, config: ServingConfig | ServingConfigError | None) -> None:
    """Read the configuration file; a faulty one leaves the previous configuration."""
    error = str(config) if isinstance(config, ServingConfigError) else ""
    if error and error != model.config_error:
        log.warning("faulty serving configuration", extra={"model": model.name, "error": error})
    if isinstance(config, ServingConfig):
        model.config = config
        model.is_awaited &= not config.unloaded
    model.config_error = error
