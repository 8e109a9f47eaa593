"""`/v1/images/*`."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from service.asgi.requests import query_choice, query_integer
from service.asgi.routing import DirectRouter
from service.openapi import images as documents
from service.routes.prediction import Call
from service.tasks import classify_image as task
from service.tasks.prepared_images import Drawings

DEFAULT = "labels"
MOST = 10**9  # what a model has no class for is refused by the task, which knows how many it has

router = DirectRouter(tags=["images"])


@router.post("/v1/images/label", **documents.LABEL)
async def label(request: Request) -> Response:
    """Name what each picture shows, best first, as `decode_predictions` of Keras does."""
    with_input = query_choice(request, "return", ("input",), "") == "input"
    call = Call(request, task.TASK, DEFAULT)
    manifest = call.servable.manifest
    top = task.check_top(query_integer(request, "top", 0, MOST), manifest)
    decoded = await _decode(call, request)
    with call:
        outputs = (await call.predict(task.PREDICT, decoded.inputs)).outputs
    shown = await _inputs(call, decoded) if with_input else {}
    return call.answer(lambda: {"predictions": task.labels(outputs, manifest, top), **shown})


@router.post("/v1/images/features", **documents.FEATURES)
async def features(request: Request) -> Response:
    """Give what the network without its top makes of each picture; with `top=`, its labels as well."""
    call = Call(request, task.TASK, DEFAULT)
    manifest = call.servable.manifest
    asked = query_integer(request, "top", 0, MOST)
    top = task.check_top(asked, manifest)
    decoded = await _decode(call, request)
    signature = task.FEATURES if asked is None else task.BOTH
    with call:
        outputs = (await call.predict(signature, decoded.inputs)).outputs
    named = {} if asked is None else {"predictions": task.labels(outputs, manifest, top)}
    return call.answer(lambda: {**named, "features": outputs["features"]})


async def _decode(call: Call, request: Request) -> Drawings:
    normalize = query_choice(request, "normalize", ("auto", "off"), "auto") == "auto"
    function = partial(task.decode, manifest=call.servable.manifest, normalize=normalize)
    return await call.decode(function, await call.pictures())


async def _inputs(call: Call, decoded: Drawings) -> dict[str, object]:
    count = len(decoded.canvases)
    return {"inputs": await call.encode(count, lambda: task.inputs(decoded))}
