"""`/v1/digits/*`."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from service.asgi.requests import read_query
from service.asgi.routing import RawRouter
from service.errors import TooManyImages
from service.routes.prediction import Prediction
from service.schemas import digits as schemas
from service.schemas.common import ImageQuery, NormalizeQuery
from service.tasks import classify_digit

DEFAULT = "digits"

router = RawRouter(tags=["digits"])


@router.post("/v1/digits/classify", **schemas.CLASSIFY)
async def classify(request: Request) -> Response:
    """Classify the digit in each image, posted or drawn."""
    query = read_query(request, ImageQuery)
    call = Prediction(request, classify_digit.TASK, DEFAULT)
    decode = partial(classify_digit.decode, normalize=query.normalize == "auto")
    decoded = await call.decode(decode, await call.pictures())
    with call:
        outputs = (await call.predict("serving_default", decoded.inputs)).outputs
    encode = partial(classify_digit.encode, outputs, decoded, with_input=query.return_ == "input")
    return call.answer(lambda: {"predictions": encode()})


@router.post("/v1/digits/activations", **schemas.ACTIVATIONS)
async def activations(request: Request) -> Response:
    """Show the activations of each layer for one image, from the first convolution on."""
    query = read_query(request, NormalizeQuery)
    call = Prediction(request, classify_digit.TASK, DEFAULT)
    pictures = await call.pictures()
    if len(pictures) != 1:
        raise TooManyImages(
            f"the images of a request for activations must be exactly one, got {len(pictures)}"
        )
    decoded = await call.decode(
        partial(classify_digit.decode, normalize=query.normalize == "auto"), pictures
    )
    with call:
        outputs = (await call.predict("activations", decoded.inputs)).outputs
    order = list(call.servable.manifest.signatures["activations"].outputs)
    return call.answer(lambda: {"layers": classify_digit.encode_layers(outputs, order)})
