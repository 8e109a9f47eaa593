"""Code shared by the routes of both standard protocols: body, model choice, one run, error statuses.

The Content-Type of a request is ignored: tritonclient sends none, curl that of a form.
"""

import functools
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from service.asgi.requests import INLINE_BYTES, MAX_FIELDS_BYTES, receive_body
from service.asgi.responses import JSON
from service.asgi.routing import RawRouter
from service.asgi.state import state_of
from service.codecs.content_encoding import SMALLEST, choose_encoding, compress, inflate
from service.codecs.infer_request import header_length
from service.codecs.json_size import check_json_size
from service.engine import Arrays
from service.errors import InternalError, InvalidRequest, InvalidValue, VersionNotFound
from service.routes.prediction import Prediction
from service.runtime.models_folder import VERSION
from service.tasks import tensors

T = TypeVar("T")
Handler = Callable[[Request], Coroutine[Any, Any, Response]]
INLINE_VALUES = 20_000  # this many values are encoded on the event loop, also if not finite
HEADER_LENGTH = "Inference-Header-Content-Length"


def protocol_route(
    router: RawRouter,
    method: str,
    document: dict[str, Any],
    places: Sequence[str],
    below: str = "",
) -> Callable[[Handler], Handler]:
    """Register a handler that answers 400 for all errors of the caller, as both protocols do.

    places: paths of a model, and of its versions and labels; below: the rest of each path.
    """

    def register(handler: Handler) -> Handler:
        @functools.wraps(handler)
        async def handle(request: Request) -> Response:
            try:
                return await handler(request)
            except InvalidValue as error:
                raise InvalidRequest(str(error)) from error

        for place in places:
            router.api_route(place + below, methods=[method], **document)(handle)
        return handle

    return register


def path_version(request: Request) -> int | None:
    """The version in the path, or None."""
    text = request.path_params.get("version")
    if text is None:
        return None
    if not VERSION.fullmatch(text):
        raise VersionNotFound(f"version must be a number without leading zeros, got {text[:40]!r}")
    return int(text)


async def read_protocol_body(request: Request, *, has_tensors: bool = True) -> bytes:
    """The whole body, inflated if it is compressed; the size limits hold for both.

    has_tensors: whether the size limit is that of the settings, otherwise 1 MiB.
    """
    state, held = state_of(request), request.scope["held"]
    limit = state["settings"].max_body_bytes
    if not has_tensors:
        limit = min(limit, MAX_FIELDS_BYTES)
    body = await receive_body(request, limit)
    if encoding := request.headers.get("content-encoding", ""):
        inflated = functools.partial(inflate, body, encoding, limit)
        body = await state["decoders"].run(inflated, held, needs=limit)
    length = header_length(request.headers.get(HEADER_LENGTH), body)
    most = state["settings"].max_json_values
    check = functools.partial(check_json_size, body[:length], most)
    if len(body) <= INLINE_BYTES:
        check()
    else:
        await state["decoders"].run(check, held)
    return body


class TensorPrediction(Prediction):
    """A request with arrays for a signature of a selected model."""

    async def parse(self, body: bytes, function: Callable[[], T]) -> T:
        """Run `function`, which parses the body; a long body is parsed on another thread."""
        return await self.timed("decode", function, is_quick=len(body) <= INLINE_BYTES)

    async def run(self, signature: str, inputs: Arrays) -> Arrays:
        """The outputs of a signature; inputs that the model refuses are an error of the caller."""
        manifest = self.servable.manifest
        tensors.check_inputs(manifest, signature, inputs)
        is_batched = manifest.signatures[signature].is_batched
        if not is_batched:  # one request is one row
            inputs = {name: array[np.newaxis] for name, array in inputs.items()}
        with self:
            try:
                outputs = await self.predict(signature, inputs)
            except InternalError as error:
                raise tensors.refusal(manifest, error) from error
        outputs = {name: outputs[name] for name in manifest.signatures[signature].outputs}
        if is_batched:
            return outputs
        return {name: array.reshape(array.shape[1:]) for name, array in outputs.items()}

    async def encode_answer(self, outputs: Arrays, function: Callable[[], T]) -> T:
        """Run `function`, which encodes the outputs (many values on another thread), and record the time."""
        values = sum(array.size for array in outputs.values())
        encoded = await self.timed("encode", function, is_quick=values <= INLINE_VALUES)
        self.servable.statistics.record_encoded(self._timings["encode"])
        return encoded

    async def compress(self, body: bytes) -> tuple[bytes, dict[str, str]]:
        """Compress the answer according to Accept-Encoding, and return its headers."""
        encoding = choose_encoding(self._request.headers.get("accept-encoding", ""))
        if not encoding or len(body) < SMALLEST:
            return body, {}
        function = functools.partial(compress, body, encoding)
        is_short = len(body) <= INLINE_BYTES
        content = function() if is_short else await self._on_thread(function, needs=len(body))
        return content, {"Content-Encoding": encoding, "Vary": "Accept-Encoding"}

    async def respond(self, outputs: Arrays, encode: Callable[[], bytes]) -> Response:
        """The answer, JSON that `encode` writes of the outputs."""
        body = await self.encode_answer(outputs, encode)
        return Response(body, 200, self.headers(), JSON)
