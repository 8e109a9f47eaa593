"""`POST /v1/digits/classify` of one small image without the application; see `service.asgi.direct`.

What arrives in one turn of the event loop is read, decoded, queued and answered together, step by step: one
request after the other takes a quarter longer, since the processor finds each step's code cold again.
"""

import asyncio
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from starlette.datastructures import QueryParams

from service.asgi.bytes_in_flight import BytesInFlight
from service.asgi.direct import DirectRequest, DirectRoutes
from service.asgi.loop_turns import LoopTurns
from service.asgi.middleware import CLIENT_LEFT
from service.asgi.request_log import RequestLog
from service.asgi.requests import INLINE_BYTES
from service.asgi.responses import JSON, RawResponse
from service.codecs.image import OpenedImage
from service.errors import VitrineError
from service.preprocessing.digit import PreparedImage
from service.routes.call import Call, is_quick, open_images, timeout_seconds
from service.routes.digits import CLASSIFY, DEFAULT, SIGNATURE
from service.runtime.repository import ModelRepository
from service.scheduling.batch import BatchResult, PendingRequest
from service.schemas.common import ImageQuery
from service.settings import Settings
from service.tasks import classify_digit
from service.tasks.prepared_images import network_input, with_inputs

KNOWN = {"model", "normalize", "return"}  # the other parameters of a query are the application's


class Shared(NamedTuple):
    """The objects of the app that a direct route needs."""

    settings: Settings
    repository: ModelRepository
    bytes_in_flight: BytesInFlight
    turns: LoopTurns
    log: RequestLog


def direct_routes(shared: Shared) -> DirectRoutes:
    """The routes that need no application, unless every request is traced or has to show a key."""
    settings = shared.settings
    if settings.otlp_endpoint or settings.api_keys or settings.api_keys_file:
        return DirectRoutes({})
    return DirectRoutes({CLASSIFY.encode(): DirectClassification(shared)})


class DirectClassification:
    """Classifies digits."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._most_bytes = min(INLINE_BYTES, shared.settings.max_body_bytes)
        self._arrived: list[_Digit] = []
        self._finished: list[_Digit] = []

    def begin(self, request: DirectRequest) -> bool:
        """Take one small image for a model that runs on the event loop."""
        asked, length = _asked(request.head.query), len(request.body)
        has_room = self._shared.bytes_in_flight.has_room(length)
        if not asked or length > self._most_bytes or not has_room:
            return False
        model, query = asked
        try:
            servable = self._shared.repository.resolve(model)
            seconds = timeout_seconds(request.head.timeout, self._shared.settings)
        except VitrineError:
            return False
        is_ours = (
            servable.manifest.task == classify_digit.TASK
            and servable.batcher(SIGNATURE, 1).is_inline
        )
        if not is_ours or servable.admission.is_full:
            return False
        if not self._arrived:
            self._shared.turns.call_later(self._prepare)
        call = Call(servable, request.started, request.started + seconds)
        self._arrived.append(_Digit(request, call, query, self))
        return True

    def _prepare(self) -> None:
        """Read, decode and queue what has arrived; if that takes long, the rest in the next turn."""
        digits, self._arrived = self._arrived, []
        digits = [digit for digit in digits if digit.does(_Digit.open)]
        started, decoded = time.monotonic(), 0
        while decoded < len(digits) and time.monotonic() - started < self._shared.turns.seconds:
            digits[decoded].does(_Digit.decode)
            decoded += 1
        for digit in digits[:decoded]:
            digit.does(_Digit.enqueue)
        if decoded < len(digits):
            self._arrived = digits[decoded:]
            self._shared.turns.call_later(self._prepare)

    def open(self, request: DirectRequest) -> list[OpenedImage]:
        """The images of its body."""
        return open_images(request.body, request.head.content_type, self._shared.settings)

    def answer_soon(self, digit: "_Digit") -> None:
        """Answer it together with the others of its batch."""
        if not self._finished:
            asyncio.get_running_loop().call_soon(self._answer)
        self._finished.append(digit)

    def _answer(self) -> None:
        digits, self._finished = self._finished, []
        for digit in [digit for digit in digits if digit.does(_Digit.encode)]:
            digit.respond()

    def note(self, request: DirectRequest, status: int) -> None:
        """Count and log how it ended."""
        seconds = time.monotonic() - request.started
        self._shared.log.note("POST", CLASSIFY, status, seconds, request.request_id)


class _Digit:
    """An image on its way; receives the outcome of its batch."""

    _images: list[OpenedImage] | None = None
    _decoded: list[PreparedImage]
    _batched: BatchResult
    _response: RawResponse

    def __init__(
        self,
        request: DirectRequest,
        call: Call,
        query: ImageQuery,
        route: DirectClassification,
    ) -> None:
        self._request = request
        self._query = query
        self._route = route
        self._call = call
        self._is_preparing = True
        call.servable.admission.begin_preparing()
        request.on_gone = self._abandon

    def does(self, step: Callable[["_Digit"], None]) -> bool:
        """Whether a step succeeds; otherwise the application answers, or nobody if the client has left."""
        if self.done():
            return False
        try:
            step(self)
        except Exception as error:  # noqa: BLE001 - the application meets it again, and says what is wrong
            self.set_exception(error)
            return False
        return True

    def open(self) -> None:
        """Read the body."""
        if self._images is None:
            self._images = self._route.open(self._request)
            if not is_quick(self._images):
                raise ValueError("several or large images are decoded on another thread")

    def decode(self) -> None:
        """Decode and normalize the image."""
        started = time.monotonic()
        is_normalized = self._query.normalize == "auto"
        self._decoded = classify_digit.decode(self._images or [], normalize=is_normalized)
        self._call.record("decode", time.monotonic() - started)

    def enqueue(self) -> None:
        """Queue it."""
        self._end_preparing()
        call = self._call
        batcher = call.servable.batcher(SIGNATURE, 1)
        call.enter(batcher, 1)
        inputs, client = network_input(self._decoded), self._request.client
        batcher.enqueue(PendingRequest(inputs, 1, call.deadline, client, self))

    def done(self) -> bool:
        """Whether the client has left, or the application answers."""
        return self._request.disconnected or self._request.is_handed_over

    def set_exception(self, _: BaseException) -> None:
        """Let the application try again, and say what is wrong."""
        self._end_preparing()
        self._call.withdraw()
        self._request.hand_over()

    def set_result(self, batched: BatchResult) -> None:
        """Answer, after the batch."""
        self._batched = batched
        self._route.answer_soon(self)

    def encode(self) -> None:
        """Make the answer."""
        call = self._call
        call.note_run(SIGNATURE, 1, self._batched)
        body = call.encode_body(self._predictions)
        self._response = RawResponse(body, call.headers(), JSON)

    def _predictions(self) -> dict[str, Any]:
        rows = classify_digit.encode(self._batched.outputs)
        return {"predictions": with_inputs(rows, self._decoded, self._query.return_)}

    def respond(self) -> None:
        """Send the answer, and count it."""
        self._call.leave(is_answered=True)
        self._route.note(self._request, self._response.status_code)
        self._request.respond(self._response)

    def _abandon(self) -> None:
        """Leave the queue."""
        self._end_preparing()
        self._call.leave(is_answered=False)
        self._route.note(self._request, CLIENT_LEFT)

    def _end_preparing(self) -> None:
        if self._is_preparing:
            self._is_preparing = False
            self._call.servable.admission.end_preparing()


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
