"""`/v1/digits/*`."""

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from service.asgi.requests import read_query
from service.asgi.routing import RawRouter
from service.codecs.image import OpenedImage
from service.engine import Arrays
from service.errors import TooManyImages
from service.routes.prediction import Prediction
from service.schemas import digits as schemas
from service.schemas.common import ImageQuery, NormalizeQuery
from service.schemas.digits import FilterQuery
from service.tasks import classify_digit
from service.tasks.prepared_images import PreparedImages, sliced

DEFAULT = "digits"
CLASSIFY = "/v1/digits/classify"
SIGNATURE = "serving_default"

router = RawRouter(tags=["digits"])


@router.post(CLASSIFY, **schemas.CLASSIFY)
async def classify(request: Request) -> Response:
    """Classify the digit in each image, posted or drawn."""
    query = read_query(request, ImageQuery)
    call = Prediction(request, classify_digit.TASK, DEFAULT, on_error=query.on_error)
    decoded = await call.decode(partial(decode_images, query=query), await call.images())
    with call:
        outputs = await call.predict_images(SIGNATURE, decoded)

    def encode(rows: slice) -> list[dict[str, Any]]:
        return encode_rows(sliced(outputs, rows), decoded.sliced(rows), query)

    return call.answer(lambda: {"predictions": call.report.rows(encode)})


def decode_images(images: list[OpenedImage], query: NormalizeQuery) -> PreparedImages:
    """The network's input, as the query asks for it."""
    return classify_digit.decode(images, normalize=query.normalize == "auto")


def encode_rows(
    outputs: Arrays, decoded: PreparedImages, query: ImageQuery
) -> list[dict[str, Any]]:
    """One prediction per image, as the query asks for it."""
    return classify_digit.encode(outputs, decoded, with_input=query.return_ == "input")


@router.post("/v1/digits/activations", **schemas.ACTIVATIONS)
async def activations(request: Request) -> Response:
    """Show the activations of each layer for one image, from the first convolution on."""
    query = read_query(request, NormalizeQuery)
    call = Prediction(request, classify_digit.TASK, DEFAULT)
    _, outputs = await _activate(call, query)
    order = list(call.servable.manifest.signatures["activations"].outputs)
    return call.answer(lambda: {"layers": classify_digit.encode_layers(outputs, order)})


@router.post("/v1/digits/filter", **schemas.FILTER)
async def layer_filter(request: Request) -> Response:
    """Give the computation of one feature map for one image: filter, bias, and input maps."""
    query = read_query(request, FilterQuery)
    call = Prediction(request, classify_digit.TASK, DEFAULT)
    name = call.servable.manifest.name
    found = classify_digit.choose_layer(call.servable.filters, query.layer, name)
    decoded, outputs = await _activate(call, query)
    images = decoded.inputs["images"]
    return call.answer(
        lambda: classify_digit.encode_filter(outputs, images, query.layer, query.map, found)
    )


async def _activate(call: Prediction, query: NormalizeQuery) -> tuple[PreparedImages, Arrays]:
    """The image of the request, and the outputs of every layer."""
    images = await call.images()
    if len(images) != 1:
        raise TooManyImages(
            f"a request for activations must have exactly one image, got {len(images)}"
        )
    decoded = await call.decode(partial(decode_images, query=query), images)
    with call:
        return decoded, (await call.predict("activations", decoded.inputs)).outputs
