"""Statistics of the Open Inference Protocol: answers, runs and the time they took, summed over all workers."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from service.asgi.responses import json_answer
from service.asgi.routing import RawRouter
from service.asgi.state import state_of
from service.processes.peers import STATISTICS
from service.routes.open_inference import PLACES, resolve
from service.routes.protocol import path_version, protocol_route
from service.runtime.repository import ModelRepository
from service.runtime.statistics import merge
from service.schemas import open_inference as documents

router = RawRouter(tags=["open_inference"])


@router.get("/v2/models/stats", **documents.STATISTICS)
async def all_statistics(request: Request) -> Response:
    """Give the statistics of every model."""
    return json_answer({"model_stats": await _of_all_workers(request)})


@protocol_route(router, "GET", documents.STATISTICS, PLACES, "/stats")
async def model_statistics(request: Request) -> Response:
    """Count answers, runs and the time they took."""
    number = path_version(request)
    resolve(request)
    name = request.path_params["model"]
    chosen = [
        one
        for one in await _of_all_workers(request)
        if one["name"] == name and number in (None, int(one["version"]))
    ]
    return json_answer({"model_stats": chosen})


async def _of_all_workers(request: Request) -> list[dict[str, Any]]:
    return merge((await state_of(request)["peers"].ask_all(STATISTICS)).answers)


def encode_statistics(repository: ModelRepository) -> list[dict[str, Any]]:
    """The statistics of every ready version in this worker."""
    return [
        {
            "name": version.name,
            "version": str(version.number),
            **version.servable.statistics.encode(),
        }
        for name in repository.names()
        for version in repository.versions(name)
        if version.servable
    ]
