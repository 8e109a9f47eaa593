"""`POST /v1/digits/classify` of one small image without the application; see `service.asgi.direct`."""

import time
from contextlib import ExitStack
from functools import lru_cache, partial
from typing import Any

from starlette.datastructures import QueryParams

from service.asgi.bytes_in_flight import BytesInFlight
from service.asgi.decoders import DecodingTurns
from service.asgi.direct import DirectRequest, DirectRoutes
from service.asgi.request_log import RequestLog
from service.asgi.responses import JSON, RawResponse
from service.codecs.image import OpenedImage
from service.engine import Arrays
from service.errors import VitrineError
from service.routes.call import INLINE_BYTES, Call, is_quick, open_images
from service.routes.digits import CLASSIFY, DEFAULT, SIGNATURE, decode_images, encode_rows
from service.runtime.repository import ModelRepository
from service.scheduling.batch import BatchResult, PendingRequest
from service.schemas.common import ImageQuery
from service.settings import Settings
from service.tasks.classify_digit import TASK
from service.tasks.prepared_images import PreparedImages

CLIENT_LEFT = 499
KNOWN = {"model", "normalize", "return"}  # the other parameters of a query are the application's


class DirectClassification:
    """Classifies digits."""

    def __init__(
        self,
        settings: Settings,
        repository: ModelRepository,
        bytes_in_flight: BytesInFlight,
        turns: DecodingTurns,
        log: RequestLog,
    ) -> None:
        self._settings = settings
        self._repository = repository
        self._bytes_in_flight = bytes_in_flight
        self._turns = turns
        self._log = log
        self._most_bytes = min(INLINE_BYTES, settings.max_body_bytes)

    def begin(self, request: DirectRequest) -> bool:
        """Decode the image, and queue it for the next batch on the event loop."""
        asked, length = _asked(request.head.query), len(request.body)
        if not asked or length > self._most_bytes or not self._bytes_in_flight.has_room(length):
            return False
        try:
            return self._begin(request, *asked)
        except Exception:  # noqa: BLE001 - the application meets it again, and says what is wrong
            return False

    def _begin(self, request: DirectRequest, model: str, query: ImageQuery) -> bool:
        servable = self._repository.resolve(model)
        if servable.manifest.task != TASK or servable.admission.is_full:
            return False
        if not servable.batcher(SIGNATURE, 1).is_inline:
            return False
        deadline = request.started + self._settings.timeout_ms / 1000
        images = open_images(request.body, request.head.content_type, self._settings)
        if not is_quick(images):
            return False
        run = _Run(request, Call(servable, request.started, deadline), query, self._log)
        run.start(images, self._turns)
        return True


def direct_routes(
    settings: Settings,
    repository: ModelRepository,
    bytes_in_flight: BytesInFlight,
    turns: DecodingTurns,
    log: RequestLog,
) -> DirectRoutes:
    """The routes that need no application, unless every request is traced or has to show a key."""
    if settings.otlp_endpoint or settings.api_keys or settings.api_keys_file:
        return DirectRoutes({})
    classify = DirectClassification(settings, repository, bytes_in_flight, turns, log)
    return DirectRoutes({CLASSIFY.encode(): classify})


class _Run:
    """A digit on its way; receives the outcome of its batch."""

    _decoded: PreparedImages
    _preparing: ExitStack | None = None  # while it waits to be decoded

    def __init__(
        self, request: DirectRequest, call: Call, query: ImageQuery, log: RequestLog
    ) -> None:
        self._request = request
        self._call = call
        self._query = query
        self._log = log
        self._began = time.monotonic()

    def start(self, images: list[OpenedImage], turns: DecodingTurns) -> None:
        """Decode and queue the image, now (raising what is wrong) or in a turn in which there is time."""
        if turns.is_over:
            self._preparing = ExitStack()
            self._preparing.enter_context(self._call.servable.admission.preparing())
            turns.call_later(partial(self._resume, images))
        else:
            self._enqueue(images)
            turns.spend(time.monotonic() - self._began)
        self._request.on_gone = self.abandon

    def _resume(self, images: list[OpenedImage]) -> None:
        if self.done():
            return
        if self._preparing:
            self._preparing.close()
        try:
            self._enqueue(images)
        except Exception as error:  # noqa: BLE001 - the application meets it again
            self.set_exception(error)

    def _enqueue(self, images: list[OpenedImage]) -> None:
        call = self._call
        self._decoded = decode_images(images, self._query)
        call.record("decode", time.monotonic() - self._began)
        batcher = call.servable.batcher(SIGNATURE, 1)
        call.enter(batcher, 1)
        inputs, client = self._decoded.inputs, self._request.client
        batcher.enqueue(PendingRequest(inputs, 1, call.deadline, client, self))

    def done(self) -> bool:
        """Whether the client has left."""
        return self._request.disconnected

    def set_exception(self, _: BaseException) -> None:
        """Let the application try again, and say what is wrong."""
        self._call.withdraw()
        self._request.hand_over()

    def set_result(self, batched: BatchResult) -> None:
        """Answer."""
        call = self._call
        try:
            call.note_run(SIGNATURE, 1, batched)
            body = call.encode_body(lambda: self._encode(batched.outputs))
            response = RawResponse(body, call.headers(), JSON)
        except Exception as error:  # noqa: BLE001 - the application meets it again, and logs it
            self.set_exception(error)
            return
        call.leave(is_answered=True)
        self._note(response.status_code)
        self._request.respond(response)

    def _encode(self, outputs: Arrays) -> dict[str, Any]:
        return {"predictions": encode_rows(outputs, self._decoded, self._query)}

    def abandon(self) -> None:
        """Leave the queue."""
        if self._preparing:
            self._preparing.close()
        self._call.leave(is_answered=False)
        self._note(CLIENT_LEFT)

    def _note(self, status: int) -> None:
        request = self._request
        seconds = time.monotonic() - request.started
        self._log.note("POST", CLASSIFY, status, seconds, request.request_id)


@lru_cache(maxsize=256)
def _asked(query: bytes) -> tuple[str, ImageQuery] | None:
    """The model and the options, if they are simple and valid."""
    values = dict(QueryParams(query))
    if not values.keys() <= KNOWN:
        return None
    try:
        return values.get("model", DEFAULT), ImageQuery.parse(values)
    except VitrineError:
        return None
