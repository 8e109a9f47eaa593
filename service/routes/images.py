"""`/v1/images/*`."""

from functools import partial
from itertools import zip_longest
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from service.asgi.requests import read_query
from service.asgi.routing import RawRouter
from service.routes.prediction import Prediction, choose_model
from service.schemas import images as schemas
from service.tasks import classify_image as task
from service.tasks.prepared_images import describe_input, sliced

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
    with_input = query.return_ == "input"
    shown = []
    if with_input:
        shown = await call.encode(len(decoded), lambda: [describe_input(one) for one in decoded])

    def encode() -> dict[str, Any]:
        kept = call.report.keep(
            lambda rows: zip_longest(task.labels(sliced(outputs, rows), manifest, top), shown[rows])
        )
        labels = {"predictions": call.report.fill(labels for labels, _ in kept)}
        return labels | ({"inputs": call.report.fill(one for _, one in kept)} if with_input else {})

    return call.answer(encode)


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
