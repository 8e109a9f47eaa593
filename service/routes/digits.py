"""`/v1/digits/*`."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from service.asgi.requests import query_choice
from service.asgi.routing import DirectRouter
from service.errors import TooManyImages
from service.openapi import common
from service.routes.prediction import Call
from service.tasks import classify_digit

DEFAULT = "digits"

router = DirectRouter(tags=["digits"])


@router.post("/v1/digits/classify", **common.CLASSIFY_DIGITS)
async def classify(request: Request) -> Response:
    """Say which digit each picture shows, from any picture a user posts or draws."""
    normalize = query_choice(request, "normalize", ("auto", "off"), "auto") == "auto"
    with_input = query_choice(request, "return", ("input",), "") == "input"
    call = Call(request, classify_digit.TASK, DEFAULT)
    decode = partial(classify_digit.decode, normalize=normalize)
    decoded = await call.decode(decode, await call.pictures())
    with call:
        outputs = (await call.predict("serving_default", decoded.inputs)).outputs
    encode = partial(classify_digit.encode, outputs, decoded, with_input=with_input)
    return call.answer(lambda: {"predictions": encode()})


@router.post("/v1/digits/activations", **common.DIGIT_ACTIVATIONS)
async def activations(request: Request) -> Response:
    """Show what each layer sees of one picture, from the first convolution on."""
    normalize = query_choice(request, "normalize", ("auto", "off"), "auto") == "auto"
    call = Call(request, classify_digit.TASK, DEFAULT)
    pictures = await call.pictures()
    if len(pictures) != 1:
        raise TooManyImages(f"activations takes exactly one picture; {len(pictures)} came.")
    decoded = await call.decode(partial(classify_digit.decode, normalize=normalize), pictures)
    with call:
        outputs = (await call.predict("activations", decoded.inputs)).outputs
    order = list(call.servable.manifest.signatures["activations"].outputs)
    return call.answer(lambda: {"layers": classify_digit.encode_layers(outputs, order)})
