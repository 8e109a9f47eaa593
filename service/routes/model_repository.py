"""`/v2/repository/*`: what is loaded, and why something is not."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from service.asgi.responses import json_answer
from service.asgi.routing import DirectRouter
from service.asgi.state import state_of
from service.codecs.protocol_json import excerpt, parse_object
from service.errors import InvalidRequest
from service.routes.protocol import protocol_route, read_protocol_body
from service.runtime.repository import Version
from service.schemas import protocols as documents

STATES = {"LOADING": "LOADING", "AVAILABLE": "READY", "END": "UNAVAILABLE"}

router = DirectRouter(tags=["open_inference"])


@router.post("/v2/repository/index", **documents.REPOSITORY_INDEX)
@protocol_route
async def index(request: Request) -> Response:
    """List every version with its state."""
    body = await read_protocol_body(request)
    only_ready = parse_object(body).get("ready", False) if body.strip() else False
    if not isinstance(only_ready, bool):
        raise InvalidRequest(f"ready must be true or false, got {excerpt(only_ready)}")
    repository = state_of(request)["repository"]
    entries = [
        _entry(version) for name in repository.names() for version in repository.versions(name)
    ]
    return json_answer([e for e in entries if e["state"] == "READY" or not only_ready])


def _entry(version: Version) -> dict[str, Any]:
    return {
        "name": version.name,
        "version": str(version.number),
        "state": STATES[version.state],
        "reason": version.error,
    }
