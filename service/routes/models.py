"""`/v1/models`: the models, their readiness and their cards."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from service.asgi.admin import reason_for
from service.asgi.requests import read_query
from service.asgi.responses import json_answer
from service.asgi.routing import RawRouter
from service.asgi.state import state_of
from service.runtime.version import ServedModel, Version
from service.schemas import models as schemas
from service.schemas.common import VersionQuery

router = RawRouter(tags=["models"])


@router.get("/v1/models", **schemas.LIST)
async def list_models(request: Request) -> Response:
    """List the models, in OpenAI's (`data`) and KServe's format (`models`)."""
    repository = state_of(request)["repository"]
    names = repository.names()
    data = [_listed(repository.model(name)) for name in names]
    return json_answer({"object": "list", "data": data, "models": names})


@router.get("/v1/models/{model}", **schemas.STATUS)
async def model_status(request: Request) -> Response:
    """Report whether a model is ready, and the state of each version (TensorFlow Serving's format)."""
    model = state_of(request)["repository"].model(request.path_params["model"])
    newest = model.newest_ready()
    return json_answer(
        {
            "name": model.name,
            "ready": newest is not None,
            "task": newest and newest.manifest.task,
            "engines": newest.describe_engines() if newest else {},
            "model_version_status": [
                version_status(request, model.versions[number])
                for number in sorted(model.versions, reverse=True)
            ],
        }
    )


@router.get("/v1/models/{model}/card", **schemas.CARD)
async def model_card(request: Request) -> Response:
    """Give the model card: data, split, configuration, metrics with their uncertainty, layers."""
    name, query = request.path_params["model"], read_query(request, VersionQuery)
    repository = state_of(request)["repository"]
    servable = repository.resolve(name, query.version, query.version_label)
    manifest = servable.manifest
    return json_answer(
        {
            "model": manifest.reference,
            "task": manifest.task,
            "framework": manifest.framework,
            "signatures": {k: s.model_dump() for k, s in manifest.signatures.items()},
            "max_batch_size": manifest.max_batch_size,
            "digest": manifest.files.get("saved_model.pb"),
            "release": manifest.release,
            **servable.card,
            "engines": servable.describe_engines(),
        }
    )


def _listed(model: ServedModel) -> dict[str, Any]:
    newest = model.newest_ready()
    return {
        "id": model.name,
        "object": "model",
        "created": 0,
        "owned_by": "vitrine",
        "task": newest and newest.manifest.task,
        "versions": sorted(model.versions),
        "ready": newest is not None,
    }


def version_status(request: Request, version: Version) -> dict[str, Any]:
    """A version's state in TensorFlow Serving's format."""
    code = "UNKNOWN" if version.error else "OK"
    return {
        "version": str(version.number),
        "state": version.state,
        "status": {"error_code": code, "error_message": reason_for(request, version)},
    }
