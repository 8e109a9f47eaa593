"""`/v1/images/*`."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from service.asgi.requests import read_query
from service.asgi.routing import RawRouter
from service.routes.prediction import Prediction
from service.schemas import images as schemas
from service.tasks import classify_image as task
from service.tasks.prepared_images import PreparedImages

DEFAULT = "labels"

router = RawRouter(tags=["images"])


@router.post("/v1/images/label", **schemas.LABEL)
async def label(request: Request) -> Response:
    """Label each image, best label first, as `decode_predictions` of Keras does."""
    query = read_query(request, schemas.LabelQuery)
    call = Prediction(request, task.TASK, DEFAULT)
    manifest = call.servable.manifest
    top = task.check_top(query.top, manifest)
    decoded = await _decode(call, request, query)
    with call:
        outputs = (await call.predict(task.PREDICT, decoded.inputs)).outputs
    shown = await _inputs(call, decoded) if query.return_ == "input" else {}
    return call.answer(lambda: {"predictions": task.labels(outputs, manifest, top), **shown})


@router.post("/v1/images/features", **schemas.FEATURES)
async def features(request: Request) -> Response:
    """Extract the features of each image, before the last layer; with `top=`, its labels as well."""
    query = read_query(request, schemas.LabelQuery)
    call = Prediction(request, task.TASK, DEFAULT)
    manifest = call.servable.manifest
    top = task.check_top(query.top, manifest)
    decoded = await _decode(call, request, query)
    signature = task.FEATURES if query.top is None else task.BOTH
    with call:
        outputs = (await call.predict(signature, decoded.inputs)).outputs
    named = {} if query.top is None else {"predictions": task.labels(outputs, manifest, top)}
    return call.answer(lambda: {**named, "features": outputs["features"]})


async def _decode(call: Prediction, request: Request, query: schemas.LabelQuery) -> PreparedImages:
    normalize = query.normalize == "auto"
    function = partial(task.decode, manifest=call.servable.manifest, normalize=normalize)
    return await call.decode(function, await call.pictures())


async def _inputs(call: Prediction, decoded: PreparedImages) -> dict[str, object]:
    count = len(decoded.canvases)
    return {"inputs": await call.encode(count, lambda: task.inputs(decoded))}
