"""`/v1/models/{model}/serving`: the served versions of a model and their labels."""

from starlette.requests import Request
from starlette.responses import Response

from service.asgi.admin import require_admin
from service.asgi.requests import read_body
from service.asgi.responses import JSON, is_unchanged
from service.asgi.routing import RawRouter
from service.asgi.state import state_of
from service.runtime import management
from service.runtime.serving_config import MAX_BYTES, ServingConfig, parse_config
from service.schemas import management as documents

PATH = "/v1/models/{model}/serving"

router = RawRouter(tags=["models"])


@router.get(PATH, **documents.GET_SERVING)
async def get_serving(request: Request) -> Response:
    """Give the current configuration, with its ETag."""
    config = state_of(request)["repository"].model(request.path_params["model"]).config
    if is_unchanged(request, config.etag):
        return Response(status_code=304, headers={"ETag": config.etag})
    return _answer(config)


@router.put(PATH, **documents.PUT_SERVING)
async def put_serving(request: Request) -> Response:
    """Replace the configuration; answered once its versions are ready."""
    require_admin(request)
    body = await read_body(request, MAX_BYTES)
    config = parse_config(body)
    state, name = state_of(request), request.path_params["model"]
    await management.configure(
        state["repository"], state["peers"], name, config, request.headers.get("if-match")
    )
    return _answer(config)


def _answer(config: ServingConfig) -> Response:
    return Response(config.encode(), 200, {"ETag": config.etag}, JSON)
