"""Changes what is served: writes serving configurations, loads and unloads models."""

import asyncio

from service.errors import InvalidRequest, InvalidValue, VersionNotFound
from service.runtime.repository import ModelRepository
from service.runtime.serving_config import ServingConfig
from service.runtime.version import ServedModel


async def configure(
    repository: ModelRepository, name: str, config: ServingConfig, if_match: str | None = None
) -> None:
    """Write a configuration and switch to it; done when what it names is ready.

    Raises:
        VersionNotFound: it names a version that is not there.
        InvalidValue: it names a version that does not load.
        PreconditionFailed, ReadOnly: as ServingFiles.write. Then nothing has changed.
    """
    await repository.scan()
    async with repository.changing:
        model = repository.model(name)
        await asyncio.to_thread(repository.files.check, name, if_match)
        for number in sorted(config.named):
            if number not in model.versions:
                raise VersionNotFound(
                    f"versions and labels must name versions of {name} that are there, got {number}"
                )
        try:
            await _load_missing(repository, model, config)
            await asyncio.to_thread(repository.files.write, name, config, if_match)
            repository.take_config(model, config)
        finally:
            model.held = set()
            repository.reconcile(model)


async def load(repository: ModelRepository, name: str) -> None:
    """Serve a model again if it was unloaded; load anew, from files verified again, what of it is served.

    Raises InvalidRequest if a version fails; what answered before still does.
    """
    await repository.scan()
    async with repository.changing:
        model = repository.model(name)
        config = model.config.model_copy(update={"unloaded": False})
        model.held = config.wanted(model.present(), lambda _: False)
        try:
            await repository.load_now([model.versions[number] for number in model.held])
            for number in sorted(model.held):
                if reason := model.versions[number].error:
                    raise InvalidRequest(f"failed to load '{name}', version {number}: {reason}")
            if model.config.unloaded:
                await asyncio.to_thread(repository.files.write, name, config, None)
                repository.take_config(model, config)
        finally:
            model.held = set()
            repository.reconcile(model)


async def unload(repository: ModelRepository, name: str) -> None:
    """Serve nothing of a model until it is loaded again, also after a restart."""
    config = repository.model(name).config.model_copy(update={"unloaded": True})
    await configure(repository, name, config)


async def _load_missing(
    repository: ModelRepository, model: ServedModel, config: ServingConfig
) -> None:
    """Load what a configuration wants beside what is served now; refuse what does not load."""
    versions = model.versions
    model.held = config.wanted(model.present(), lambda number: versions[number].is_broken)
    await repository.load_now([versions[n] for n in model.held if not versions[n].is_ready])
    for number in sorted(config.named):
        if not versions[number].is_ready:
            reason = versions[number].error or "it is not ready"
            raise InvalidValue(
                f"versions and labels must name versions that are ready, got {number}: {reason}"
            )


async def follow(repository: ModelRepository, name: str) -> None:
    """Switch to what another process wrote for a model; done when what it names is loaded."""
    await repository.scan()
    await repository.settle()
    repository.reconcile(repository.model(name))
