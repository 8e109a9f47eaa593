"""`/v1/digits/*`."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from service.asgi.requests import read_query
from service.asgi.routing import RawRouter
from service.engine import Arrays
from service.errors import TooManyImages
from service.preprocessing.digit import PreparedImage
from service.routes.prediction import Prediction, choose_model
from service.schemas import digits as schemas
from service.schemas.common import ImageQuery, SeenQuery
from service.schemas.digits import FilterQuery
from service.tasks import classify_digit as task
from service.tasks.prepared_images import describe_input, network_input

DEFAULT = "digits"
CLASSIFY = "/v1/digits/classify"
SIGNATURE = "serving_default"

router = RawRouter(tags=["digits"])


@router.post(CLASSIFY, **schemas.CLASSIFY)
async def classify(request: Request) -> Response:
    """Classify the digit in each image, posted or drawn."""
    query = read_query(request, ImageQuery)
    call = Prediction(request, choose_model(request, task.TASK, DEFAULT), query.on_error)
    images = await call.prepare(task.decode, query)
    return await call.answer_each("predictions", SIGNATURE, images, query, task.encode)


@router.post("/v1/digits/activations", **schemas.ACTIVATIONS)
async def activations(request: Request) -> Response:
    """Show the activations of each layer for one image, from the first convolution on."""
    query = read_query(request, SeenQuery)
    call = Prediction(request, choose_model(request, task.TASK, DEFAULT))
    prepared, outputs = await _activate(call, query)
    order = list(call.servable.manifest.signatures["activations"].outputs)
    shown = _shown(prepared, query)
    return call.answer(lambda: {"layers": task.encode_layers(outputs, order), **shown})


@router.post("/v1/digits/filter", **schemas.FILTER)
async def layer_filter(request: Request) -> Response:
    """Give the computation of one feature map for one image: filter, bias, and input maps."""
    query = read_query(request, FilterQuery)
    call = Prediction(request, choose_model(request, task.TASK, DEFAULT))
    name = call.servable.manifest.name
    found = task.choose_layer(call.servable.filters, query.layer, name)
    prepared, outputs = await _activate(call, query)
    images = network_input([prepared])["images"]
    shown = _shown(prepared, query)
    return call.answer(
        lambda: task.encode_filter(outputs, images, query.layer, query.map, found) | shown
    )


async def _activate(call: Prediction, query: SeenQuery) -> tuple[PreparedImage, Arrays]:
    """The image of the request, and the outputs of every layer."""
    images = await call.images()
    if len(images) != 1:
        raise TooManyImages(
            f"a request for activations must have exactly one image, got {len(images)}"
        )
    [prepared] = await call.prepare(task.decode, query, images)
    with call:
        return prepared, await call.predict_images("activations", [prepared])


def _shown(prepared: PreparedImage, query: SeenQuery) -> dict[str, Any]:
    return {"input": describe_input(prepared)} if query.return_ == "input" else {}
