"""`/v1/fashion/*`."""

import asyncio
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from service.asgi.requests import query_choice
from service.asgi.routing import DirectRouter
from service.errors import InvalidValue
from service.openapi import images as documents
from service.routes.prediction import Call
from service.tasks import classify_image as task
from service.tasks.prepared_images import Drawings

HEADS = {"dense": "fashion-dense", "svm": "fashion-svm"}

router = DirectRouter(tags=["fashion"])


@router.post("/v1/fashion/classify", **documents.CLASSIFY_FASHION)
async def classify(request: Request) -> Response:
    """Say which piece of clothing each picture shows, by either head of the network or by both."""
    head = query_choice(request, "head", (*HEADS, "both"), "dense")
    if "model" in request.query_params and "head" in request.query_params:
        raise InvalidValue("head and model both choose a model: give only one of them.")
    if head == "both":
        return await _ask_both(request)
    call = _call(request, head)
    manifest = call.servable.manifest
    decoded = await _decode(call, request)
    with call:
        outputs = (await call.predict(task.PREDICT, decoded.inputs)).outputs
    named = None if "model" in request.query_params else head
    encode = partial(task.predictions, outputs, manifest, named, _shown(request, decoded))
    return call.answer(lambda: {"predictions": encode()})


async def _ask_both(request: Request) -> Response:
    """The same pictures, decoded once, through both heads."""
    for name in ("version", "version_label"):
        if name in request.query_params:
            raise InvalidValue(f"{name} is one of a single model: ask with head=dense or head=svm.")
    dense, svm = _call(request, "dense"), _call(request, "svm")
    decoded = await _decode(dense, request)
    with dense, svm:
        answers = await asyncio.gather(
            *(call.predict(task.PREDICT, decoded.inputs) for call in (svm, dense))
        )
    by_svm, by_dense = (
        task.predictions(answer.outputs, call.servable.manifest, head, None)
        for head, call, answer in zip(("svm", "dense"), (svm, dense), answers, strict=True)
    )
    encode = partial(task.side_by_side, by_svm, by_dense, _shown(request, decoded))
    return dense.answer(lambda: {"predictions": encode()})


def _call(request: Request, head: str) -> Call:
    call = Call(request, task.TASK, HEADS[head])
    task.check_drawing(call.servable.manifest)
    return call


async def _decode(call: Call, request: Request) -> Drawings:
    normalize = query_choice(request, "normalize", ("auto", "off"), "auto") == "auto"
    query_choice(request, "return", ("input",), "")  # a wrong value is refused before the work
    function = partial(task.decode, manifest=call.servable.manifest, normalize=normalize)
    return await call.decode(function, await call.pictures())


def _shown(request: Request, decoded: Drawings) -> Drawings | None:
    return decoded if query_choice(request, "return", ("input",), "") == "input" else None
