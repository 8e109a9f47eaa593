"""`/v1/fashion/*`."""

import asyncio
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from service.asgi.requests import read_query
from service.asgi.routing import RawRouter
from service.errors import InvalidValue
from service.routes.prediction import Prediction
from service.schemas import images as schemas
from service.schemas.images import FashionQuery
from service.tasks import classify_image as task
from service.tasks.prepared_images import PreparedImages

HEADS = {"dense": "fashion-dense", "svm": "fashion-svm"}

router = RawRouter(tags=["fashion"])


@router.post("/v1/fashion/classify", **schemas.CLASSIFY_FASHION)
async def classify(request: Request) -> Response:
    """Classify the garment in each image, with either head of the network or both."""
    query = read_query(request, FashionQuery)
    head = query.head or "dense"
    if "model" in request.query_params and query.head is not None:
        raise InvalidValue("head or model must be given, not both: each chooses a model")
    if head == "both":
        return await _ask_both(request, query)
    call = _call(request, head)
    manifest = call.servable.manifest
    decoded = await _decode(call, request, query)
    with call:
        outputs = (await call.predict(task.PREDICT, decoded.inputs)).outputs
    named = None if "model" in request.query_params else head
    encode = partial(task.predictions, outputs, manifest, named, _shown(query, decoded))
    return call.answer(lambda: {"predictions": encode()})


async def _ask_both(request: Request, query: FashionQuery) -> Response:
    """The same images, decoded once, through both heads."""
    for name in ("version", "version_label"):
        if name in request.query_params:
            raise InvalidValue(
                f"{name} must be left out with head=both, got it: ask with head=dense or head=svm"
            )
    dense, svm = _call(request, "dense"), _call(request, "svm")
    decoded = await _decode(dense, request, query)
    with dense, svm:
        answers = await asyncio.gather(
            *(call.predict(task.PREDICT, decoded.inputs) for call in (svm, dense))
        )
    by_svm, by_dense = (
        task.predictions(answer.outputs, call.servable.manifest, head, None)
        for head, call, answer in zip(("svm", "dense"), (svm, dense), answers, strict=True)
    )
    encode = partial(task.side_by_side, by_svm, by_dense, _shown(query, decoded))
    return dense.answer(lambda: {"predictions": encode()})


def _call(request: Request, head: str) -> Prediction:
    call = Prediction(request, task.TASK, HEADS[head])
    task.check_drawing(call.servable.manifest)
    return call


async def _decode(call: Prediction, request: Request, query: FashionQuery) -> PreparedImages:
    normalize = query.normalize == "auto"
    function = partial(task.decode, manifest=call.servable.manifest, normalize=normalize)
    return await call.decode(function, await call.pictures())


def _shown(query: FashionQuery, decoded: PreparedImages) -> PreparedImages | None:
    return decoded if query.return_ == "input" else None
