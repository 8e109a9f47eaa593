"""Changes the served versions in all workers at once: writes serving configurations, loads and unloads models.

A change has two phases. First every worker loads the new versions while it serves the old ones (`prepare`).
If one worker fails, all discard them (`abandon`) and nothing has changed. Then the file is written, and every
worker switches to it (`follow`). A worker that starts meanwhile reads the file.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Iterable
from functools import partial
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from service.errors import InvalidRequest, InvalidValue, ModelNotFound, NotReady, VersionNotFound
from service.processes.peers import Peers
from service.runtime.repository import ModelRepository
from service.runtime.serving_config import ServingConfig
from service.runtime.version import ServedModel

PREPARE, FOLLOW, ABANDON = "prepare", "follow", "abandon"  # messages between workers
SWITCH_SECONDS = 120.0  # timeout for loading a version in all workers
HOLD_SECONDS = 2 * SWITCH_SECONDS  # lifetime of a change whose worker has exited


class Change(BaseModel):
    """A new configuration of a model; is_anew: its versions are reloaded from their files."""

    model_config = ConfigDict(frozen=True)

    key: str = Field(default_factory=partial(secrets.token_hex, 8))
    name: str
    config: ServingConfig
    is_anew: bool = False


def join(repository: ModelRepository, workers: Peers) -> None:
    """Handle changes requested by any worker."""

    async def on_abandon(change: list[str]) -> None:
        _abandon(repository, *change)

    workers.on(PREPARE, partial(_prepare, repository))
    workers.on(FOLLOW, partial(_follow, repository))
    workers.on(ABANDON, on_abandon)


async def configure(
    repository: ModelRepository,
    workers: Peers,
    name: str,
    config: ServingConfig,
    if_match: str | None = None,
) -> None:
    """Write a configuration and switch to it; returns when every worker serves it.

    Raises:
        VersionNotFound: it names a version that does not exist.
        InvalidValue: it names a version that does not load.
        PreconditionFailed, ReadOnly: as ServingFiles.write. Then nothing has changed.
        NotReady: a worker does not answer; the message says whether the change is written.
    """
    await repository.scan()
    async with repository.changing:
        model = repository.model(name)
        await asyncio.to_thread(repository.files.check, name, if_match)
        for number in sorted(config.explicit_versions):
            if number not in model.versions:
                raise VersionNotFound(
                    f"versions and labels must name existing versions of {name}, got {number}"
                )
        change = Change(name=name, config=config)
        if reason := await _prepare_everywhere(workers, change):
            raise InvalidValue(f"versions and labels must name ready versions, got {reason}")
        await _write(repository, workers, change, if_match)
        await follow_everywhere(workers, name, change.key)


async def load(repository: ModelRepository, workers: Peers, name: str) -> None:
    """Serve a model again if it was unloaded, and reload its served versions from verified files.

    Raises InvalidRequest if a version fails; the previous versions then still answer in every worker.
    """
    await repository.scan()
    async with repository.changing:
        was = repository.model(name).config
        config = was.model_copy(update={"unloaded": False})
        change = Change(name=name, config=config, is_anew=True)
        if reason := await _prepare_everywhere(workers, change):
            raise InvalidRequest(f"failed to load '{name}', version {reason}")
        if was.unloaded:
            await _write(repository, workers, change, None)
        await follow_everywhere(workers, name, change.key)


async def unload(repository: ModelRepository, workers: Peers, name: str) -> None:
    """Stop serving a model until it is loaded again, also after a restart."""
    config = repository.model(name).config.model_copy(update={"unloaded": True})
    await configure(repository, workers, name, config)


async def follow_everywhere(workers: Peers, name: str, key: str = "") -> None:
    """Return when every worker serves the model's configuration on disk."""
    found = await workers.ask_all(FOLLOW, [name, key], SWITCH_SECONDS)
    if found.failures:
        raise NotReady(f"the change is written, but a worker has not switched: {found.failures[0]}")


async def _prepare(repository: ModelRepository, asked: dict[str, Any]) -> str:
    """Load the versions of a change while the old ones answer; return the reason of a failure, or an empty string."""
    change = Change.model_validate(asked)
    await repository.scan()
    model, config = repository.model(change.name), change.config
    versions = model.versions
    if change.is_anew:
        wanted, needed = config.wanted(model.present(), lambda _: False), None
    else:
        wanted = config.wanted(model.present(), lambda number: versions[number].is_broken)
        needed = config.explicit_versions
    model.held[change.key] = wanted
    loop = asyncio.get_running_loop()
    loop.call_later(HOLD_SECONDS, _abandon, repository, change.name, change.key)
    due = [versions[n] for n in wanted if change.is_anew or not versions[n].is_ready]
    await repository.stage(due)
    return _first_failure(model, wanted if needed is None else needed, is_anew=change.is_anew)


async def _follow(repository: ModelRepository, asked: list[str]) -> None:
    """Switch to the model's configuration on disk; returns when its versions are ready in this worker."""
    name, key = asked
    await repository.scan()
    if name not in repository.names():
        return  # unloaded, and its folder is gone
    model = repository.model(name)
    repository.activate(model, model.held.pop(key, set()))
    repository.reconcile(model)
    await repository.settle(name)


def _abandon(repository: ModelRepository, name: str, key: str) -> None:
    """Discard the versions that were prepared for a change."""
    with contextlib.suppress(ModelNotFound):
        model = repository.model(name)
        if numbers := model.held.pop(key, None):
            repository.discard(model, numbers)
            repository.reconcile(model)


async def _write(
    repository: ModelRepository, workers: Peers, change: Change, if_match: str | None
) -> None:
    """Write the configuration; abandon the change everywhere if that fails."""
    try:
        await asyncio.to_thread(repository.files.write, change.name, change.config, if_match)
    except BaseException:
        await _abandon_everywhere(workers, change)
        raise


async def _abandon_everywhere(workers: Peers, change: Change) -> None:
    await workers.ask_all(ABANDON, [change.name, change.key], SWITCH_SECONDS)


async def _prepare_everywhere(workers: Peers, change: Change) -> str:
    """Prepare all workers; on a failure abandon the change everywhere and return the reason."""
    try:
        found = await workers.ask_all(PREPARE, change.model_dump(), SWITCH_SECONDS)
        reason = next(filter(None, found.answers), "")
        if not reason and found.failures:
            raise NotReady(f"nothing has changed: a worker cannot switch: {found.failures[0]}")
    except BaseException:
        await _abandon_everywhere(workers, change)
        raise
    if reason:
        await _abandon_everywhere(workers, change)
    return str(reason)


def _first_failure(model: ServedModel, numbers: Iterable[int], *, is_anew: bool) -> str:
    for number in sorted(numbers):
        version = model.versions.get(number)
        if version is None:
            return f"{number}: it is not there"
        if is_anew and version.error:
            return f"{number}: {version.error}"
        if not version.is_ready and not version.staged:
            return f"{number}: {version.error or 'it is not ready'}"
    return ""
