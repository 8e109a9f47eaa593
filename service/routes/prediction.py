"""One call of a task route: model, deadline, images, timings, headers.

It has the steps that all tasks share; a route adds only its own decoding and encoding.
"""

import contextlib
import math
import re
import time
from collections.abc import Callable, Coroutine, Hashable, Iterator
from functools import partial
from typing import Any, TypeVar

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from service.asgi.disconnect import cancel_on_disconnect
from service.asgi.requests import query_integer, query_of, read_body
from service.asgi.responses import JSON, RawResponse, to_json
from service.asgi.state import State, state_of
from service.asgi.tracing import Steps
from service.codecs.image import OpenedImage
from service.codecs.image_writing import data_uri, encode_png, tile
from service.codecs.request_images import read_images
from service.codecs.sniffing import image_format
from service.engine import Arrays
from service.errors import InvalidValue, ModelNotFound
from service.image_files.raster import Pixels
from service.routes.image_report import Decode, ImageReport
from service.runtime.repository import MAX_VERSION
from service.runtime.servable import Servable
from service.scheduling.batch import BatchResult
from service.schemas.common import OnError
from service.tasks.prepared_images import PreparedImages

T = TypeVar("T")
PNG = "image/png"
PLAIN_NUMBER = re.compile(r"\d{1,7}(\.\d{1,9})?", re.ASCII)
INLINE_IMAGES = 16  # this many small images are encoded faster than another thread starts
INLINE_BYTES = 64 * 1024  # a body this short is read at once
INLINE_FILE_BYTES = (
    256 * 1024
)  # likewise, if it is an image file, of which only the structure is read
INLINE_NANOSECONDS = 5_000_000  # as an upper bound: one image of 320 × 320 pixels, in few pieces


class Prediction:
    """A request of a task route, from its bytes to its answer.

    Entered (`with call:`) once its inputs are received and decoded, so that a client that is still
    sending does not occupy a place in the model's queue.
    """

    def __init__(
        self,
        request: Request,
        task: str,
        default: str,
        version: int | None = None,
        *,
        on_error: OnError = "fail",
    ) -> None:
        """Choose the model: `?model=`, `?version=`, `?version_label=`, else `default` and `version`.

        on_error: whether an invalid image fails the request or is reported in its place.
        """
        self._request = request
        self._scope = request.scope
        self._state: State = state_of(request)
        self.servable = self._resolve(task, default, version)
        self._scope["queue"] = self.servable.admission
        self.deadline: float = self._scope["started"] + self._timeout_seconds()
        self._steps: Steps | None = self._scope.get("steps")
        self._timings: dict[str, float] = {}
        self._batch_size = 0
        self._rows = 0
        self._engines: dict[str, None] = {}  # those that ran, in order
        self._has_place = False
        self.report = ImageReport(is_wanted=on_error == "report")

    def __enter__(self) -> "Prediction":
        """Take a place in the queue, until the request is answered."""
        return self

    def __exit__(self, kind: object = None, *_: object) -> None:
        if not self._has_place:
            return
        self._has_place = False
        self.servable.admission.leave()
        seconds = time.monotonic() - self._scope["started"]
        if kind is None:
            self.servable.statistics.record_request(self._rows or 1, seconds, self._timings)
        else:
            self.servable.statistics.record_failure(seconds)

    @contextlib.contextmanager
    def counted_as_stream(self) -> Iterator[None]:
        """Count it among the active streams."""
        streams = self._state["metrics"].active_streams.labels(self.servable.manifest.name)
        with streams.track_inprogress():
            yield

    async def run_until_disconnect(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run the work until the client disconnects or the deadline passes."""
        with self:
            await cancel_on_disconnect(self._request.receive, self.deadline, work())

    async def images(self) -> list[OpenedImage]:
        """The request's images, opened but not decoded; refused before they are read if the queue is full."""
        ahead, least = self.servable.seconds_ahead(), self.servable.least_seconds_ahead()
        self.servable.admission.check(self.deadline, ahead, least)
        settings = self._state["settings"]
        body = await read_body(self._request, settings.max_body_bytes)
        started = time.monotonic()
        read = partial(
            read_images,
            body,
            self._request.headers.get("content-type", ""),
            max_pixels=settings.max_image_pixels,
            max_images=settings.max_images,
            max_json_values=settings.max_json_values,
            failures=self.report.failures if self.report.is_wanted else None,
        )
        most = INLINE_BYTES if image_format(body) is None else INLINE_FILE_BYTES
        is_small = len(body) <= most
        images = read() if is_small else await self._on_thread(read)
        self.report.begin(len(images))
        self._record("decode", time.monotonic() - started)
        return images

    async def decode(self, function: Decode, images: list[OpenedImage]) -> PreparedImages:
        """Run `function` on the images: on the event loop if it is one small image, else on another thread."""
        started, turns = time.monotonic(), self._state["decoders"].turns
        decode = partial(self.report.decode, function, images)
        if len(images) == 1 and images[0].cost.nanoseconds <= INLINE_NANOSECONDS:
            if turns.is_over:
                with self.servable.admission.preparing():
                    decoded = await turns.run(decode)
            else:
                decoded = decode()
                turns.spend(time.monotonic() - started)
        else:
            needs = sum(image.cost.bytes for image in images)
            decoded = await self._on_thread(decode, needs)
        self._scope["held"].release()  # the body, and what it was decoded to
        self._record("decode", time.monotonic() - started)
        return decoded

    async def _on_thread(self, function: Callable[[], T], needs: int = 0) -> T:
        decoders, held = self._state["decoders"], self._scope["held"]
        return await decoders.run(function, held, needs=needs, deadline=self.deadline)

    def mark_decoded(self) -> None:
        """Note that the request is decoded."""
        self._record("decode", time.monotonic() - self._scope["started"])

    def _record(self, name: str, seconds: float, ago: float = 0.0) -> None:
        """Record the duration of a step (decode, queue, infer or encode) that ended now or earlier."""
        self._timings[name] = self._timings.get(name, 0.0) + seconds
        if self._steps:
            self._steps.add(name, seconds, ago)

    async def predict(self, signature: str, inputs: Arrays, steps: int = 1) -> BatchResult:
        """Run a signature of the selected model, batched with queued requests."""
        rows = len(next(iter(inputs.values())))
        batcher = self.servable.batcher(signature, rows)
        if not self._has_place:
            self._enter(batcher.seconds_ahead(), batcher.estimate(rows))
        batched = await batcher.submit(inputs, self.deadline, self._client(), steps)
        self._engines[self.servable.engines[signature]] = None
        self._record("queue", batched.queue_seconds, ago=batched.run_seconds)
        self._record("infer", batched.run_seconds)
        self.servable.queue_seconds.observe(batched.queue_seconds)
        self._batch_size = batched.batch_size
        self._rows += rows
        return batched

    async def predict_images(
        self, signature: str, prepared: PreparedImages, **more: np.ndarray
    ) -> Arrays:
        """The outputs for the remaining images; nothing runs if there are none."""
        if not prepared.canvases:
            return {}
        return (await self.predict(signature, {**prepared.inputs, **more})).outputs

    def _enter(self, ahead: float, own: float) -> None:
        self.servable.admission.enter(self.deadline, ahead, own)
        self._has_place = True

    def _client(self) -> Hashable:
        """The client for fair queuing: the key if there are several keys, otherwise the connection."""
        scope = self._scope
        client: Hashable = scope.get("named_key", scope.get("client"))
        return client

    def answer(self, encode: Callable[[], dict[str, Any]], **headers: str) -> Response:
        """The JSON answer: `encode`'s fields after the model's name, with timings in the headers."""
        started = time.monotonic()
        manifest = self.servable.manifest
        model = {"name": manifest.name, "version": manifest.version}
        body = to_json({"model": model, **encode()})
        self._record("encode", time.monotonic() - started)
        self.servable.statistics.record_encoded(self._timings["encode"])
        return RawResponse(body, {**self.headers(), **headers}, JSON)

    async def answer_images(
        self, images: Pixels, fields: Callable[[list[str]], dict[str, Any]], **headers: str
    ) -> Response:
        """Images uint8 [N, H, W, 1]: with `Accept: image/png` as one grid, otherwise as JSON.

        fields: creates the answer from the images' data URIs.
        """
        if "image/png" in self._request.headers.get("accept", ""):
            if not len(images):
                raise self.report.first_failure()
            png = await self.encode(len(images), lambda: encode_png(tile(images)))
            return Response(png, 200, {**self.headers(), **headers}, PNG)
        uris = await self.encode(len(images), lambda: [data_uri(encode_png(i)) for i in images])
        return self.answer(lambda: fields(uris), **headers)

    async def encode(self, images: int, function: Callable[[], T]) -> T:
        """Run `function`, which encodes that many images: many on another thread."""
        started = time.monotonic()
        if images <= INLINE_IMAGES:
            encoded = function()
        else:
            encoded = await self._on_thread(function)
        self._record("encode", time.monotonic() - started)
        return encoded

    def headers(self) -> dict[str, str]:
        """The headers: model, engine, batch size and the duration of each step."""
        manifest = self.servable.manifest
        if self._steps:
            self._steps.attributes |= self._traced()
        return {
            "X-Model": f"{manifest.name}/{manifest.version}",
            "X-Engine": ", ".join(self._engines or self.servable.engine_names),
            "X-Batch-Size": str(self._batch_size),
            "Server-Timing": ", ".join(f"{k};dur={v * 1000:.3f}" for k, v in self._timings.items()),
        }

    def _traced(self) -> dict[str, str | int]:
        manifest = self.servable.manifest
        return {
            "vitrine.model": manifest.name,
            "vitrine.model.version": manifest.version,
            "vitrine.batch_size": self._batch_size,
        }

    def _resolve(self, task: str, default: str, version: int | None) -> Servable:
        query, repository = query_of(self._request), self._state["repository"]
        name = query.get("model", default)
        if "version" in query:
            version = query_integer(self._request, "version", 0, MAX_VERSION)
        servable = repository.resolve(name, version, query.get("version_label"))
        if servable.manifest.task != task:
            raise ModelNotFound(
                f"model must be one of task {task}, got one of another; /v1/models lists the models"
            )
        return servable

    def _timeout_seconds(self) -> float:
        given = self._request.headers.get("x-timeout-ms")
        if given is None:
            return self._state["settings"].timeout_ms / 1000
        milliseconds = float(given) if PLAIN_NUMBER.fullmatch(given) else math.nan
        if not 1 <= milliseconds <= 3_600_000:
            raise InvalidValue(
                f"X-Timeout-Ms must be a number from 1 to 3600000, got {given[:40]!r}"
            )
        return milliseconds / 1000
