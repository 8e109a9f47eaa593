"""One call of a model: its place in the queue, its timings, and what its answer says of them.

Independent of HTTP and of the event loop: `Prediction` uses it for a route, `direct_digits` without one.
"""

import math
import re
import time
from collections.abc import Callable
from typing import Any

from service.asgi.requests import INLINE_BYTES
from service.asgi.responses import to_json
from service.asgi.steps import Steps
from service.codecs.image import OpenedImage
from service.codecs.request_images import read_images
from service.codecs.sniffing import image_format
from service.errors import InvalidRequest, InvalidValue
from service.runtime.servable import Servable
from service.scheduling.batch import BatchResult
from service.scheduling.micro_batcher import MicroBatcher
from service.schemas.common import MAX_TIMEOUT_MS
from service.settings import Settings

PLAIN_NUMBER = re.compile(r"\d{1,7}(\.\d{1,9})?", re.ASCII)
INLINE_FILE_BYTES = 256 * 1024  # an image file this short is read at once: only its structure
INLINE_NANOSECONDS = 5_000_000  # as an upper bound: one image of 320 × 320 pixels, in few pieces


class Call:
    """A call of `servable` that started and has to end at some monotonic seconds; steps: for tracing."""

    def __init__(
        self, servable: Servable, started: float, deadline: float, steps: Steps | None = None
    ) -> None:
        self.servable = servable
        self.deadline = deadline
        self._started = started
        self._steps = steps
        self._timings: dict[str, float] = {}
        self._batch_size = 0
        self._rows = 0
        self._engines: dict[str, None] = {}  # those that ran, in order
        self._has_place = False

    def check_queue(self) -> None:
        """Refuse it before it is read, if the queue is full."""
        ahead, least = self.servable.seconds_ahead(), self.servable.least_seconds_ahead()
        self.servable.admission.check(self.deadline, ahead, least)

    def enter(self, batcher: MicroBatcher, rows: int) -> None:
        """Take a place in the queue until `leave`, or be refused; nothing if it has one."""
        if not self._has_place:
            self._enter(batcher.seconds_ahead(), batcher.estimate(rows))

    def _enter(self, ahead: float, own: float) -> None:
        self.servable.admission.enter(self.deadline, ahead, own)
        self._has_place = True

    def leave(self, *, is_answered: bool) -> None:
        """Give the place back, and count the call."""
        if not self._has_place:
            return
        self._has_place = False
        self.servable.admission.leave()
        seconds = time.monotonic() - self._started
        if is_answered:
            self.servable.statistics.record_request(self._rows or 1, seconds, self._timings)
        else:
            self.servable.statistics.record_failure(seconds)

    def withdraw(self) -> None:
        """Give the place back, uncounted: the call is made anew."""
        if self._has_place:
            self._has_place = False
            self.servable.admission.leave()

    def record(self, name: str, seconds: float, ago: float = 0.0) -> None:
        """Record the duration of a step (decode, queue, infer or encode) that ended now or earlier."""
        self._timings[name] = self._timings.get(name, 0.0) + seconds
        if self._steps:
            self._steps.add(name, seconds, ago)

    def note_run(self, signature: str, rows: int, batched: BatchResult) -> None:
        """Record that rows of a signature ran."""
        self._engines[self.servable.engines[signature]] = None
        self.record("queue", batched.queue_seconds, ago=batched.run_seconds)
        self.record("infer", batched.run_seconds)
        self.servable.queue_seconds.observe(batched.queue_seconds)
        self._batch_size = batched.batch_size
        self._rows += rows

    def encode_body(self, encode: Callable[[], dict[str, Any]]) -> bytes:
        """The JSON of the answer: `encode`'s fields after the model's name."""
        started = time.monotonic()
        body = to_json({"model": self.servable.manifest.reference, **encode()})
        self.record("encode", time.monotonic() - started)
        self.servable.statistics.record_encoded(self._timings["encode"])
        return body

    def headers(self) -> dict[str, str]:
        """The headers: model, engine, batch size and the duration of each step."""
        manifest = self.servable.manifest
        if self._steps:
            self._steps.attributes |= {
                "vitrine.model": manifest.name,
                "vitrine.model.version": manifest.version,
                "vitrine.batch_size": self._batch_size,
            }
        return {
            "X-Model": f"{manifest.name}/{manifest.version}",
            "X-Engine": ", ".join(self._engines or self.servable.engine_names),
            "X-Batch-Size": str(self._batch_size),
            "Server-Timing": ", ".join(
                [f"{name};dur={seconds * 1000:.3f}" for name, seconds in self._timings.items()]
            ),
        }


def open_images(
    body: bytes,
    content_type: str,
    settings: Settings,
    failures: dict[int, InvalidRequest] | None = None,
) -> list[OpenedImage]:
    """The images of a body within the limits of the settings, opened but not decoded; see `read_images`."""
    return read_images(
        body,
        content_type,
        max_pixels=settings.max_image_pixels,
        max_images=settings.max_images,
        max_json_values=settings.max_json_values,
        failures=failures,
    )


def is_read_inline(body: bytes) -> bool:
    """Whether the images of a body are opened faster than another thread starts."""
    return len(body) <= (INLINE_BYTES if image_format(body) is None else INLINE_FILE_BYTES)


def is_quick(images: list[OpenedImage]) -> bool:
    """Whether they are one small image, which is decoded faster than another thread starts."""
    return len(images) == 1 and images[0].cost.nanoseconds <= INLINE_NANOSECONDS


def timeout_seconds(given: str | None, settings: Settings) -> float:
    """The time limit of a request with this X-Timeout-Ms; InvalidValue if it is none."""
    if given is None:
        return settings.timeout_ms / 1000
    plain = given.strip(" \t")  # blanks around a header's value are no part of it
    milliseconds = float(plain) if PLAIN_NUMBER.fullmatch(plain) else math.nan
    if not 1 <= milliseconds <= MAX_TIMEOUT_MS:
        raise InvalidValue(
            f"X-Timeout-Ms must be a number from 1 to {MAX_TIMEOUT_MS}, got {given[:40]!r}"
        )
    return milliseconds / 1000
