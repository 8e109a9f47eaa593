"""`POST /v1/digits/classify` of one small image without the application; see `service.asgi.direct`."""

import time
from functools import lru_cache
from typing import Any

from starlette.datastructures import QueryParams

from service.asgi.bytes_in_flight import BytesInFlight
from service.asgi.direct import DirectRequest, DirectRoutes
from service.asgi.request_log import RequestLog
from service.asgi.responses import JSON, RawResponse
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
        log: RequestLog,
    ) -> None:
        self._settings = settings
        self._repository = repository
        self._bytes_in_flight = bytes_in_flight
        self._log = log
        self._most_bytes = min(INLINE_BYTES, settings.max_body_bytes)

    def begin(self, request: DirectRequest) -> bool:
        """Decode the image, and queue it for the next batch on the event loop."""
        asked, length = _asked(request.head.query), len(request.body)
        if not asked or length > self._most_bytes or not self._bytes_in_flight.has_room(length):
            return False
        try:
            return self._begin(request, *asked)
        except VitrineError:
            return False

    def _begin(self, request: DirectRequest, model: str, query: ImageQuery) -> bool:
        servable = self._repository.resolve(model)
        if servable.manifest.task != TASK or servable.admission.is_full:
            return False
        batcher = servable.batcher(SIGNATURE, 1)
        if not batcher.is_inline:
            return False
        deadline = request.started + self._settings.timeout_ms / 1000
        call = Call(servable, request.started, deadline)
        started = time.monotonic()
        images = open_images(request.body, request.head.content_type, self._settings)
        if not is_quick(images):
            return False
        decoded = decode_images(images, query)
        call.record("decode", time.monotonic() - started)
        call.enter(batcher, 1)
        run = _Run(request, call, decoded, query, self._log)
        request.on_gone = run.abandon
        batcher.enqueue(PendingRequest(decoded.inputs, 1, deadline, request.client, run))
        return True


def direct_routes(
    settings: Settings,
    repository: ModelRepository,
    bytes_in_flight: BytesInFlight,
    log: RequestLog,
) -> DirectRoutes:
    """The routes that need no application, unless every request is traced or has to show a key."""
    if settings.otlp_endpoint or settings.api_keys or settings.api_keys_file:
        return DirectRoutes({})
    classify = DirectClassification(settings, repository, bytes_in_flight, log)
    return DirectRoutes({CLASSIFY.encode(): classify})


class _Run:
    """A digit in the queue; receives the outcome of its batch."""

    __slots__ = ("_call", "_decoded", "_log", "_query", "_request")

    def __init__(
        self,
        request: DirectRequest,
        call: Call,
        decoded: PreparedImages,
        query: ImageQuery,
        log: RequestLog,
    ) -> None:
        self._request = request
        self._call = call
        self._decoded = decoded
        self._query = query
        self._log = log

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
