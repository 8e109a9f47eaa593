"""`/v2/repository/*`: the state of all versions, loading and unloading."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from service.asgi.admin import reason_for, require_admin
from service.asgi.responses import json_answer
from service.asgi.routing import RawRouter
from service.asgi.state import state_of
from service.codecs.protocol_json import excerpt, parse_object
from service.errors import InvalidRequest
from service.routes.protocol import protocol_route, read_protocol_body
from service.runtime import management
from service.runtime.version import Version
from service.schemas import management as documents

MODEL = "/v2/repository/models/{model}"
STATES = {"LOADING": "LOADING", "AVAILABLE": "READY", "END": "UNAVAILABLE"}

router = RawRouter(tags=["open_inference"])


@protocol_route(router, "POST", documents.REPOSITORY_INDEX, ["/v2/repository/index"])
async def index(request: Request) -> Response:
    """List every version with its state."""
    body = await read_protocol_body(request, has_tensors=False)
    only_ready = parse_object(body).get("ready", False) if body.strip() else False
    if not isinstance(only_ready, bool):
        raise InvalidRequest(f"ready must be true or false, got {excerpt(only_ready)}")
    repository = state_of(request)["repository"]
    entries = [
        _entry(request, version)
        for name in repository.names()
        for version in repository.versions(name)
    ]
    return json_answer([e for e in entries if e["state"] == "READY" or not only_ready])


@protocol_route(router, "POST", documents.LOAD, [MODEL], "/load")
async def load(request: Request) -> Response:
    """Serve a model again and reload its served versions; answered once they are ready."""
    require_admin(request)
    name = request.path_params["model"]
    parameters = await _parameters(request)
    if unknown := next((key for key in parameters if key == "config" or key[:5] == "file:"), None):
        raise InvalidRequest(
            f"parameters must not contain a model or its configuration, got {excerpt(unknown)}: put the "
            "version into the models folder"
        )
    state = state_of(request)
    await management.load(state["repository"], state["peers"], name)
    return json_answer({"name": name, "load": True})


@protocol_route(router, "POST", documents.UNLOAD, [MODEL], "/unload")
async def unload(request: Request) -> Response:
    """Stop serving a model until it is loaded again, also after a restart."""
    require_admin(request)
    name = request.path_params["model"]
    await _parameters(request)
    state = state_of(request)
    await management.unload(state["repository"], state["peers"], name)
    return json_answer({"name": name, "unload": True})


async def _parameters(request: Request) -> dict[str, Any]:
    body = await read_protocol_body(request, has_tensors=False)
    parameters = parse_object(body).get("parameters") if body.strip() else None
    if not isinstance(parameters, dict | None):
        raise InvalidRequest(f"parameters must be an object, got {excerpt(parameters)}")
    return parameters or {}


def _entry(request: Request, version: Version) -> dict[str, Any]:
    is_unloaded = state_of(request)["repository"].model(version.name).config.unloaded
    return {
        "name": version.name,
        "version": str(version.number),
        "state": STATES[version.state],
        "reason": "unloaded" if is_unloaded else reason_for(request, version),
    }
