"""One call of a task route: model, deadline, images, timings, headers.

It has the steps that all tasks share; a route adds only its own decoding and encoding.
"""

import time
from collections.abc import Callable, Coroutine, Hashable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, TypeVar

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from service.asgi.disconnect import cancel_on_disconnect
from service.asgi.requests import read_body, read_query
from service.asgi.responses import JSON, RawResponse, prefers
from service.asgi.state import State, state_of
from service.codecs.image import OpenedImage
from service.codecs.image_writing import data_uri, encode_png, tile
from service.engine import Arrays
from service.errors import ModelNotFound
from service.image_files.raster import Pixels
from service.preprocessing.digit import PreparedImage
from service.routes.call import Call, is_quick, is_read_inline, open_images, timeout_seconds
from service.routes.image_report import ImageReport
from service.runtime.servable import Servable
from service.schemas.common import ImageQuery, ModelQuery, NormalizeQuery, OnError, SeenQuery
from service.tasks.prepared_images import network_input, sliced, with_inputs

T = TypeVar("T")
PNG = "image/png"
Decode = Callable[[list[OpenedImage]], list[PreparedImage]]
Encode = Callable[[Arrays], list[dict[str, Any]]]
INLINE_IMAGES = 16  # this many small images are encoded faster than another thread starts


class Prediction(Call):
    """A request of a task route, from its bytes to its answer.

    Entered (`with call:`) once its inputs are received and decoded, so that a client that is still
    sending does not occupy a place in the model's queue.
    """

    def __init__(self, request: Request, servable: Servable, on_error: OnError = "fail") -> None:
        """on_error: whether an invalid image fails the request or is reported in its place."""
        self._request = request
        self._scope = request.scope
        self._state: State = state_of(request)
        self._scope["queue"] = servable.admission
        started = self._scope["started"]
        deadline = started + timeout_seconds(
            request.headers.get("x-timeout-ms"), self._state["settings"]
        )
        super().__init__(servable, started, deadline, self._scope.get("steps"))
        self.report = ImageReport(is_wanted=on_error == "report")

    def __enter__(self) -> "Prediction":
        """Begin; the first run takes a place in the queue, which the request keeps until it is answered."""
        return self

    def __exit__(self, kind: object = None, *_: object) -> None:
        self.leave(is_answered=kind is None)

    def counted_as_stream(self) -> AbstractContextManager[object]:
        """Count it among the active streams."""
        streams = self._state["metrics"].active_streams.labels(self.servable.manifest.name)
        return streams.track_inprogress()

    async def run_until_disconnect(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of the work, unless the client disconnects or the deadline passes."""
        with self:
            return await cancel_on_disconnect(self._request.receive, self.deadline, work())

    async def images(self) -> list[OpenedImage]:
        """The request's images, opened but not decoded; refused before they are read if the queue is full."""
        self.check_queue()
        settings = self._state["settings"]
        body = await read_body(self._request, settings.max_body_bytes)
        read = partial(
            open_images,
            body,
            self._request.headers.get("content-type", ""),
            settings,
            self.report.failures if self.report.is_wanted else None,
        )
        images = await self.timed("decode", read, is_quick=is_read_inline(body))
        self.report.begin(len(images))
        return images

    async def decode(self, function: Decode, images: list[OpenedImage]) -> list[PreparedImage]:
        """Run `function` on the images: on the event loop if it is one small image, else on another thread."""
        started, decoders = time.monotonic(), self._state["decoders"]
        turns = decoders.heavy_turns if self.servable.is_heavy else decoders.turns

        def decode() -> list[PreparedImage]:
            return self.report.keep(lambda rows: function(images[rows]))

        if is_quick(images):
            if turns.is_over:
                with self.servable.admission.preparing():
                    decoded = await turns.run(decode)
            else:
                decoded = decode()
                turns.spend(time.monotonic() - started)
        else:
            needs = sum(image.cost.bytes for image in images)
            decoded = await self._on_thread(decode, needs)
        self.report.prepared = dict(zip(self.report.places, decoded, strict=False))
        self._scope["held"].release()  # the body, and what it was decoded to
        self.record("decode", time.monotonic() - started)
        return decoded

    async def prepare(
        self,
        function: Callable[..., list[PreparedImage]],
        query: NormalizeQuery,
        images: list[OpenedImage] | None = None,
    ) -> list[PreparedImage]:
        """The images, by default those of the request, prepared by a task's `decode` as the query asks for."""
        opened = await self.images() if images is None else images
        return await self.decode(partial(function, normalize=query.normalize == "auto"), opened)

    async def timed(self, step: str, function: Callable[[], T], *, is_quick: bool) -> T:
        """Run `function`, on another thread unless it is quick, and record its duration."""
        started = time.monotonic()
        found = function() if is_quick else await self._on_thread(function)
        self.record(step, time.monotonic() - started)
        return found

    async def _on_thread(self, function: Callable[[], T], needs: int = 0) -> T:
        decoders, held = self._state["decoders"], self._scope["held"]
        return await decoders.run(function, held, needs=needs, deadline=self.deadline)

    def mark_decoded(self) -> None:
        """Note that the request is decoded."""
        self.record("decode", time.monotonic() - self._scope["started"])

    async def predict(self, signature: str, inputs: Arrays, steps: int = 1) -> Arrays:
        """The outputs of a signature of the selected model, run together with queued requests."""
        rows = len(next(iter(inputs.values())))
        batcher = self.servable.batcher(signature, rows)
        self.enter(batcher, rows)
        batched = await batcher.submit(inputs, self.deadline, self._client(), steps)
        self.note_run(signature, rows, batched)
        return batched.outputs

    async def draw(self, signature: str, inputs: Arrays) -> Pixels:
        """The images uint8 [N, H, W, 1] that a signature generates."""
        images: Pixels = (await self.predict(signature, inputs))["images"]
        return images

    async def predict_images(
        self, signature: str, prepared: list[PreparedImage], **more: np.ndarray
    ) -> Arrays:
        """The outputs for the remaining images; nothing runs if there are none."""
        if not prepared:
            return {}
        return await self.predict(signature, {**network_input(prepared), **more})

    def _client(self) -> Hashable:
        """The client for fair queuing: the key if there are several keys, otherwise the connection."""
        scope = self._scope
        client: Hashable = scope.get("named_key", scope.get("client"))
        return client

    def answer(self, encode: Callable[[], dict[str, Any]], **headers: str) -> Response:
        """The JSON answer: `encode`'s fields after the model's name, with timings in the headers."""
        body = self.encode_body(encode)
        return RawResponse(body, {**self.headers(), **headers}, JSON)

    async def answer_each(
        self,
        field: str,
        signature: str,
        prepared: list[PreparedImage],
        query: ImageQuery,
        encode: Encode,
    ) -> Response:
        """Run a signature, and answer with one row for each image, which `encode` makes of the outputs."""
        with self:
            outputs = await self.predict_images(signature, prepared)

        def rows(part: slice) -> list[dict[str, Any]]:
            return with_inputs(encode(sliced(outputs, part)), prepared[part], query.return_)

        return self.answer(lambda: {field: self.report.rows(rows)})

    async def shown_inputs(self, query: SeenQuery, images: int) -> dict[str, Any]:
        """The column of the model's inputs, if the query asks for it; images: as for `encode`."""
        if query.return_ != "input":
            return {}
        rows = await self.encode(images, self.report.describe_inputs)
        return {"inputs": self.report.fill(rows)}

    async def answer_images(
        self, images: Pixels, fields: Callable[[list[str]], dict[str, Any]], **headers: str
    ) -> Response:
        """Images uint8 [N, H, W, 1]: with `Accept: image/png` as one grid, otherwise as JSON.

        fields: creates the answer from the images' data URIs.
        """
        if prefers(self._request, PNG):
            if not len(images):
                raise self.report.first_failure()
            png = await self.encode(len(images), lambda: encode_png(tile(images)))
            return Response(png, 200, {**self.headers(), **headers}, PNG)
        uris = await self.encode(len(images), lambda: [data_uri(encode_png(i)) for i in images])
        return self.answer(lambda: fields(uris), **headers)

    async def encode(self, images: int, function: Callable[[], T]) -> T:
        """Run `function`, which encodes that many images: many on another thread."""
        return await self.timed("encode", function, is_quick=images <= INLINE_IMAGES)


def choose_model(request: Request, task: str, default: str, version: int | None = None) -> Servable:
    """The model of `?model=`, `?version=` and `?version_label=`, else `default` and `version`."""
    query = read_query(request, ModelQuery)
    name = default if query.model is None else query.model
    version = version if query.version is None else query.version
    repository = state_of(request)["repository"]
    servable = repository.resolve(name, version, query.version_label)
    if servable.manifest.task != task:
        raise ModelNotFound(
            f"model must be one of task {task}, got one of another; /v1/models lists the models"
        )
    return servable
