"""The composition root: `create_app(settings)` creates and connects all parts of the service."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from service import __version__
from service.asgi.application import VitrineApp, answer_error, answer_router_error, wrap
from service.asgi.bytes_in_flight import BytesInFlight, default_limit
from service.asgi.decoders import Decoders
from service.asgi.early_refusal import EarlyRefusals
from service.asgi.loop_turns import LoopTurns
from service.asgi.middleware import RequestContext
from service.asgi.request_log import RequestLog
from service.asgi.state import Lifecycle, State
from service.asgi.time_limits import ENDING_SECONDS
from service.errors import VitrineError
from service.metrics import Metrics, Snapshot
from service.processes.peers import METRICS, NOT_READY, STATISTICS, Peers
from service.processes.processors import available_processors
from service.processes.tensorflow_client import TensorFlowClient
from service.routes import (
    completions,
    digits,
    explain,
    fashion,
    gan,
    gan_projection,
    generate_extension,
    health,
    images,
    model_repository,
    model_statistics,
    models,
    open_inference,
    page,
    serving,
    tensorflow_serving,
    text,
    uploads,
    vae,
)
from service.routes.direct_digits import Shared, direct_routes
from service.runtime import management
from service.runtime.engines import LoadEngines, engine_loader, load_checked
from service.runtime.model import Model, load_model
from service.runtime.preloading import PreloadedEngines
from service.runtime.repository import ModelRepository
from service.runtime.servable import Servable
from service.runtime.serving_files import ServingFiles
from service.scheduling.admission import Admission
from service.scheduling.turns import Turns
from service.schemas import document
from service.settings import Settings


class Inherited(NamedTuple):
    """Objects made before the workers are forked: the client of their one TensorFlow process, their weights."""

    tensorflow: TensorFlowClient
    preloaded: PreloadedEngines


def create_app(
    settings: Settings,
    load_engines: LoadEngines | None = None,
    lifecycle: Lifecycle | None = None,
    peers: Peers | None = None,
    inherited: Inherited | None = None,
    replicas: int = 0,
) -> FastAPI:
    """Make the application; models start loading when its lifespan begins.

    load_engines: loads a version's engines; default: from the settings.
    lifecycle: set by the server when the process is asked to stop.
    peers: all workers of the service, including this one; default: a single process.
    inherited: objects shared by all workers; default: new ones.
    replicas: of each version, where they compute elsewhere.
    """
    metrics = Metrics()
    bytes_in_flight = BytesInFlight(settings.max_bytes_in_flight or default_limit())
    metrics.bytes_in_flight.set_function(lambda: bytes_in_flight.held)
    tensorflow, preloaded = inherited or Inherited(TensorFlowClient(), PreloadedEngines())
    load_engines = load_engines or engine_loader(
        settings.engine,
        partial(load_checked, tensorflow.load, settings.allowed_operations),
        preloaded.load,
    )
    lifecycle, peers = lifecycle or Lifecycle(), peers or Peers()
    tracing = None
    if settings.otlp_endpoint:
        from service.asgi.tracing import Tracing  # its packages are optional

        tracing = Tracing(settings.otlp_endpoint)
    request_log = RequestLog(metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        def make_turns() -> Turns:
            return Turns(available_processors(), lambda name: repository.weight(name))

        # With remote replicas a run does not use this process' processors.
        turns = None if replicas else (make_turns(), make_turns())
        make = partial(
            Servable,
            metrics=metrics,
            replicas=replicas,
            turns=turns,
            heavy_threads=_heavy_threads(settings),
        )
        loader = _servable_loader(settings.queue_size, load_engines, metrics, make)
        files = ServingFiles(settings.models, settings.serving_dir)
        repository = ModelRepository(settings.models, loader, metrics, settings.poll_seconds, files)
        decoders = Decoders()
        await repository.start()
        await _join(peers, repository, metrics)
        loading = asyncio.create_task(_tell_when_loaded(repository, lifecycle))
        yield {
            "settings": settings,
            "repository": repository,
            "metrics": metrics,
            "lifecycle": lifecycle,
            "peers": peers,
            "decoders": decoders,
            "endings": LoopTurns(ENDING_SECONDS),
            "bytes_in_flight": bytes_in_flight,
            "direct": direct_routes(
                Shared(settings, repository, bytes_in_flight, decoders.turns, request_log)
            ),
            "refusals": EarlyRefusals(metrics, answers_other_origins=bool(settings.cors_origins)),
        }
        loading.cancel()
        await peers.stop()
        await repository.stop()
        decoders.close()
        tensorflow.close()
        if tracing:
            await asyncio.to_thread(tracing.close)

    routers = [
        digits.router,
        text.router,
        completions.router,
        images.router,
        explain.router,
        fashion.router,
        vae.router,
        gan.router,
        gan_projection.router,
        health.router,
        models.router,
        tensorflow_serving.router,
        model_statistics.router,
        open_inference.router,
        generate_extension.router,
        model_repository.router,
        serving.router,
        uploads.router,
        page.make_router(settings),
    ]
    app = VitrineApp(
        title="Vitrine",
        version=__version__,
        summary="Keras models behind a REST API",
        lifespan=lifespan,
        openapi_tags=document.tags(),
        generate_unique_id_function=document.operation_id,
        openapi_url=None,  # page.make_router has its route
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False},  # /metrics is ours
        exception_handlers={HTTPException: answer_router_error, VitrineError: answer_error},
    )
    for router in routers:
        app.include_router(router)
    app.routers, app.below = routers, settings.root_path

    def context(inner: ASGIApp) -> ASGIApp:
        traced = tracing.around(inner) if tracing else inner
        return RequestContext(traced, request_log, bytes_in_flight)

    app.wrap = partial(wrap, routers=routers, settings=settings, context=context)
    return app


async def _join(peers: Peers, repository: ModelRepository, metrics: Metrics) -> None:
    """Join the other workers; a replacement accepts no connection before its models are loaded."""

    async def snapshot(_: None) -> Snapshot:
        return metrics.snapshot()

    async def not_ready(_: None) -> list[str]:
        return [] if peers.waits_until_ready else repository.not_ready()

    async def statistics(_: None) -> list[dict[str, Any]]:
        return model_statistics.encode_statistics(repository)

    management.join(repository, peers)
    peers.on(METRICS, snapshot)
    peers.on(STATISTICS, statistics)
    peers.on(NOT_READY, not_ready)
    await peers.start()
    if peers.waits_until_ready:
        await repository.settle()
    peers.waits_until_ready = False
    peers.say_ready()


async def _tell_when_loaded(repository: ModelRepository, lifecycle: Lifecycle) -> None:
    await repository.settle()
    lifecycle.on_loaded()


def _heavy_threads(settings: Settings) -> int:
    """Threads for heavy runs of one model: two where this worker has as many processors for itself."""
    workers = settings.workers if isinstance(settings.workers, int) else available_processors()
    return max(1, min(2, available_processors() // workers))


def _servable_loader(
    queue_size: int,
    load_engines: LoadEngines,
    metrics: Metrics,
    make: Callable[[Model, Admission], Servable],
) -> Callable[[Path], Servable]:
    """Directory → Servable; versions of one model share its queue."""
    admissions: dict[str, Admission] = {}

    def load(directory: Path) -> Servable:
        model = load_model(directory, load_engines)
        name = model.manifest.name
        admission = admissions.setdefault(name, Admission(queue_size))
        metrics.waiting.labels(name).set_function(lambda: admission.waiting)
        return make(model, admission)

    return load
