"""`/v1/images/*`."""

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from service.asgi.requests import read_query
from service.asgi.routing import RawRouter
from service.routes.prediction import Prediction, choose_model
from service.schemas import images as schemas
from service.tasks import classify_image as task
from service.tasks.prepared_images import sliced

DEFAULT = "labels"

router = RawRouter(tags=["images"])


@router.post("/v1/images/label", **schemas.LABEL)
async def label(request: Request) -> Response:
    """Label each image, best label first, as `decode_predictions` of Keras does."""
    query = read_query(request, schemas.LabelQuery)
    call = Prediction(request, choose_model(request, task.TASK, DEFAULT), query.on_error)
    manifest = call.servable.manifest
    top = task.check_top(query.top, len(manifest.labels))
    decoded = await call.prepare(partial(task.decode, manifest=manifest), query)
    with call:
        outputs = await call.predict_images(task.PREDICT, decoded)

    def encode() -> list[Any]:
        return call.report.keep(lambda rows: task.labels(sliced(outputs, rows), manifest, top))

    labels = await call.timed("encode", encode, is_quick=True)
    shown = await call.shown_inputs(query, len(decoded))
    return call.answer(lambda: {"predictions": call.report.fill(labels), **shown})


@router.post("/v1/images/features", **schemas.FEATURES)
async def features(request: Request) -> Response:
    """Extract the features of each image, before the last layer; with `top=`, its labels as well."""
    query = read_query(request, schemas.LabelQuery)
    call = Prediction(request, choose_model(request, task.TASK, DEFAULT), query.on_error)
    manifest = call.servable.manifest
    top = task.check_top(query.top, len(manifest.labels))
    decoded = await call.prepare(partial(task.decode, manifest=manifest), query)
    signature = task.FEATURES if query.top is None else task.BOTH
    with call:
        outputs = await call.predict_images(signature, decoded)

    def encode() -> dict[str, Any]:
        kept = call.report.keep(lambda rows: task.features(sliced(outputs, rows), manifest, top))
        features = call.report.fill(features for features, _ in kept)
        if query.top is None:
            return {"features": features}
        return {"predictions": call.report.fill(labels for _, labels in kept), "features": features}

    return call.answer(encode)
