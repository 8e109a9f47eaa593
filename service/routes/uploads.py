"""`POST /v1/models/{model}`: upload a Keras file, if the settings and the admin key allow it."""

import importlib.util

from starlette.requests import Request
from starlette.responses import Response

from service.asgi.admin import require_admin
from service.asgi.requests import read_body, read_query
from service.asgi.responses import json_answer
from service.asgi.routing import RawRouter
from service.asgi.state import state_of
from service.errors import InvalidValue, ManagementDisabled
from service.processes.model_import import import_model
from service.runtime.management import follow_everywhere
from service.runtime.models_folder import NAME
from service.schemas import models as schemas

router = RawRouter(tags=["models"])


@router.post("/v1/models/{model}", **schemas.UPLOAD)
async def upload(request: Request) -> Response:
    """Import a `.keras` or `.h5` file under a new name and serve it; answered once it is ready."""
    name = request.path_params["model"]
    require_admin(request)
    settings = state_of(request)["settings"]
    if not settings.uploads:
        raise ManagementDisabled("VITRINE_UPLOADS must be 1 to upload models, got 0")
    if not importlib.util.find_spec("training") or not importlib.util.find_spec("keras"):
        raise ManagementDisabled(
            "this installation cannot import models: install the extra 'training', or use "
            "`vitrine import` elsewhere"
        )
    repository = state_of(request)["repository"]
    if not NAME.fullmatch(name):
        raise InvalidValue("model must be letters, digits, '.', '_' and '-', at most 64")
    if name in repository.names() or (settings.models / name).exists():
        raise InvalidValue(f"model must be a new name, got {name!r}")
    options = read_query(request, schemas.UploadQuery).model_dump(exclude_none=True)
    body = await read_body(request, settings.max_body_bytes)
    await import_model(settings.models, name, body, options)
    await follow_everywhere(state_of(request)["peers"], name)
    manifest = repository.resolve(name).manifest
    return json_answer({"model": manifest.reference, "task": manifest.task})
