"""What the routes of both standard protocols share: body, model choice, one run, error statuses.

The Content-Type of a request is never looked at: tritonclient sends none, curl that of a form.
"""

import functools
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from service.asgi.requests import receive_body
from service.asgi.responses import JSON
from service.asgi.state import state_of
from service.codecs.content_encoding import inflate
from service.codecs.infer_request import header_length
from service.codecs.json_size import check_json_size
from service.codecs.tensor_types import Array
from service.engine import Arrays
from service.errors import InternalError, InvalidRequest, InvalidValue, VersionNotFound
from service.routes.prediction import Prediction
from service.runtime.manifest import is_batched
from service.runtime.repository import VERSION
from service.runtime.servable import Servable
from service.tasks import tensors

T = TypeVar("T")
Handler = Callable[[Request], Coroutine[Any, Any, Response]]
HEADER_LENGTH = "Inference-Header-Content-Length"
INLINE_BYTES = 2**16  # a larger body is parsed on another thread


def protocol_route(handler: Handler) -> Handler:
    """Both protocols answer 400 to whatever the caller can do better."""

    @functools.wraps(handler)
    async def handle(request: Request) -> Response:
        try:
            return await handler(request)
        except InvalidValue as error:
            raise InvalidRequest(str(error)) from error

    return handle


def path_version(request: Request) -> int | None:
    """The version in the path, if there is one."""
    text = request.path_params.get("version")
    if text is None:
        return None
    if not VERSION.fullmatch(text):
        raise VersionNotFound(f"version must be a number without leading zeros, got {text[:40]!r}")
    return int(text)


async def read_protocol_body(request: Request) -> bytes:
    """The whole body, inflated if it is compressed; the size limits hold for both."""
    state, held = state_of(request), request.scope["held"]
    limit = state["settings"].max_body_bytes
    body = await receive_body(request, limit)
    if encoding := request.headers.get("content-encoding", ""):
        inflated = functools.partial(inflate, body, encoding, limit)
        body = await state["decoders"].run(inflated, held, needs=limit)
    length = header_length(request.headers.get(HEADER_LENGTH), body)
    check_json_size(body[:length], state["settings"].max_json_values)
    return body


class TensorPrediction(Prediction):
    """A request that brings arrays for a signature of a model that is chosen already."""

    def __init__(self, request: Request, servable: Servable) -> None:
        self._chosen = servable
        super().__init__(request, servable.manifest.task, servable.manifest.name)

    def _resolve(self, task: str, default: str, version: int | None) -> Servable:
        return self._chosen

    async def parse(self, body: bytes, function: Callable[[], T]) -> T:
        """Run `function`, which parses the body: here if it is short, else on another thread."""
        started = time.monotonic()
        if len(body) <= INLINE_BYTES:
            parsed = function()
        else:
            parsed = await self._on_thread(function)
        self._timings["decode"] = time.monotonic() - started
        return parsed

    async def run(self, signature: str, inputs: Arrays) -> dict[str, Array]:
        """The outputs of a signature; inputs that the model itself refuses are the caller's mistake."""
        manifest = self.servable.manifest
        tensors.check_inputs(manifest, signature, inputs)
        batched_signature = is_batched(manifest.signatures[signature])
        if not batched_signature:  # one request is one row
            inputs = {name: array[np.newaxis] for name, array in inputs.items()}
        with self:
            try:
                batched = await self.predict(signature, inputs)
            except InternalError as error:
                raise tensors.refusal(manifest, error) from error
        outputs = batched.outputs
        return (
            outputs
            if batched_signature
            else {name: array.reshape(array.shape[1:]) for name, array in outputs.items()}
        )

    def encode_answer(self, function: Callable[[], T]) -> T:
        """Run `function`, which writes the answer, and note how long it took."""
        started = time.monotonic()
        encoded = function()
        self._timings["encode"] = time.monotonic() - started
        self.servable.statistics.record_encoded(self._timings["encode"])
        return encoded

    def respond(self, encode: Callable[[], bytes]) -> Response:
        """The answer, JSON that `encode` writes."""
        body = self.encode_answer(encode)
        return Response(body, 200, self.headers(), JSON)
