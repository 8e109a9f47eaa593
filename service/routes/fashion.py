"""`/v1/fashion/*`."""

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from service.asgi.requests import read_query
from service.asgi.routing import RawRouter
from service.errors import InvalidValue
from service.routes.prediction import Prediction, choose_model
from service.scheduling.siblings import gather_or_cancel
from service.schemas import images as schemas
from service.schemas.images import FashionQuery
from service.tasks import classify_image as task
from service.tasks.prepared_images import sliced, with_inputs

HEADS = {"dense": "fashion-dense", "svm": "fashion-svm"}

router = RawRouter(tags=["fashion"])


@router.post("/v1/fashion/classify", **schemas.CLASSIFY_FASHION)
async def classify(request: Request) -> Response:
    """Classify the clothing in each image, with either head of the network or both."""
    query = read_query(request, FashionQuery)
    head = query.head or "dense"
    if "model" in request.query_params and query.head is not None:
        raise InvalidValue(
            "only one of head and model must be given, got both: each selects a model"
        )
    if head == "both":
        return await _ask_both(request, query)
    call = _call(request, head, query)
    manifest = call.servable.manifest
    images = await call.prepare(partial(task.decode, manifest=manifest), query)
    named = None if "model" in request.query_params else head
    encode = partial(task.predictions, manifest=manifest, head=named)
    return await call.answer_each("predictions", task.PREDICT, images, query, encode)


async def _ask_both(request: Request, query: FashionQuery) -> Response:
    """The same images, decoded once, through both heads."""
    for name in ("version", "version_label"):
        if name in request.query_params:
            raise InvalidValue(
                f"{name} must be absent with head=both, got both: use head=dense or head=svm"
            )
    dense, svm = _call(request, "dense", query), _call(request, "svm", query)
    decode = partial(task.decode, manifest=dense.servable.manifest)
    prepared = await dense.prepare(decode, query)
    with dense, svm:
        outputs = await gather_or_cancel(
            *(call.predict_images(task.PREDICT, prepared) for call in (svm, dense))
        )

    def encode(rows: slice) -> list[dict[str, Any]]:
        by_svm, by_dense = (
            task.predictions(sliced(each, rows), call.servable.manifest, head)
            for head, call, each in zip(("svm", "dense"), (svm, dense), outputs, strict=True)
        )
        pairs = task.side_by_side(by_svm, by_dense)
        return with_inputs(pairs, prepared[rows], query.return_)

    return dense.answer(lambda: {"predictions": dense.report.rows(encode)})


def _call(request: Request, head: str, query: FashionQuery) -> Prediction:
    call = Prediction(request, choose_model(request, task.TASK, HEADS[head]), query.on_error)
    task.check_drawing(call.servable.manifest)
    return call
