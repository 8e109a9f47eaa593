"""The plain face of the client: the asynchronous core on a thread of its own."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Sequence
from types import TracebackType
from typing import Any, Self, TypedDict, TypeVar, Unpack

import httpx

from clients.python.client import AsyncVitrine
from clients.python.generated import GeneratedAnswer, ProjectionAnswer
from clients.python.latents import EncodingsAnswer, End, PicturesAnswer, ReconstructionsAnswer
from clients.python.photos import FashionAnswer, FeaturesAnswer, Head, LabelsAnswer
from clients.python.pictures import Pictures
from clients.python.retries import Retries
from clients.python.types import (
    DigitsAnswer,
    Normalize,
    Sampling,
    ScoreAnswer,
    TextAnswer,
    TextEvent,
)

Answer = TypeVar("Answer")


class Options(TypedDict, total=False):
    """What both clients can be told; `AsyncVitrine` says what each is."""

    key: str | None
    timeout: httpx.Timeout
    retries: Retries
    transport: httpx.AsyncBaseTransport | None
    sleep: Callable[[float], Awaitable[None]]


class Vitrine:
    """Asks a Vitrine service, and waits for the answer. Works in notebooks and from any thread.

    Args:
        url: As for `AsyncVitrine`, and so are the options.
        options: `key`, `timeout`, `retries`, `transport`, `sleep`.
    """

    def __init__(self, url: str | None = None, **options: Unpack[Options]) -> None:
        self._client = AsyncVitrine(url, **options)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        return repr(self._client).removeprefix("Async")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; closing twice does no harm."""
        if self._loop.is_closed():
            return
        self._wait(self._client.close())
        self._wait(self._loop.shutdown_asyncgens())  # those of streams that were left early
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def classify_digits(
        self, images: Pictures, *, model: str | None = None, normalize: Normalize = "auto"
    ) -> DigitsAnswer:
        """See `AsyncVitrine.classify_digits`."""
        return self._wait(self._client.classify_digits(images, model=model, normalize=normalize))

    def generate(
        self, seed: str | None = None, *, model: str | None = None, **sampling: Unpack[Sampling]
    ) -> TextAnswer:
        """See `AsyncVitrine.generate`."""
        return self._wait(self._client.generate(seed, model=model, **sampling))

    def stream_text(
        self, seed: str | None = None, *, model: str | None = None, **sampling: Unpack[Sampling]
    ) -> Generator[TextEvent, None, None]:
        """See `AsyncVitrine.stream_text`."""
        return self._iterate(self._client.stream_text(seed, model=model, **sampling))

    def score(self, text: str, *, model: str | None = None) -> ScoreAnswer:
        """See `AsyncVitrine.score`."""
        return self._wait(self._client.score(text, model=model))

    def sample(self, **options: Any) -> PicturesAnswer:
        """See `AsyncVitrine.sample`."""
        return self._wait(self._client.sample(**options))

    def sample_grid(self, **options: Any) -> bytes:
        """See `AsyncVitrine.sample_grid`."""
        return self._wait(self._client.sample_grid(**options))

    def encode(
        self, images: Pictures, *, model: str | None = None, normalize: Normalize = "auto"
    ) -> EncodingsAnswer:
        """See `AsyncVitrine.encode`."""
        return self._wait(self._client.encode(images, model=model, normalize=normalize))

    def decode(
        self, latents: Sequence[Sequence[float]], *, model: str | None = None
    ) -> PicturesAnswer:
        """See `AsyncVitrine.decode`."""
        return self._wait(self._client.decode(latents, model=model))

    def reconstruct(self, images: Pictures, **options: Any) -> ReconstructionsAnswer:
        """See `AsyncVitrine.reconstruct`."""
        return self._wait(self._client.reconstruct(images, **options))

    def interpolate(self, start: End, end: End, **options: Any) -> PicturesAnswer:
        """See `AsyncVitrine.interpolate`."""
        return self._wait(self._client.interpolate(start, end, **options))

    def label(self, images: Pictures, *, top: int = 5, model: str | None = None) -> LabelsAnswer:
        """See `AsyncVitrine.label`."""
        return self._wait(self._client.label(images, top=top, model=model))

    def features(self, images: Pictures, *, model: str | None = None) -> FeaturesAnswer:
        """See `AsyncVitrine.features`."""
        return self._wait(self._client.features(images, model=model))

    def classify_fashion(
        self, images: Pictures, *, head: Head = "dense", normalize: Normalize = "auto"
    ) -> FashionAnswer:
        """See `AsyncVitrine.classify_fashion`."""
        return self._wait(self._client.classify_fashion(images, head=head, normalize=normalize))

    def sample_digits(self, **options: Any) -> GeneratedAnswer:
        """See `AsyncVitrine.sample_digits`."""
        return self._wait(self._client.sample_digits(**options))

    def sample_digits_grid(self, **options: Any) -> bytes:
        """See `AsyncVitrine.sample_digits_grid`."""
        return self._wait(self._client.sample_digits_grid(**options))

    def project(self, images: Pictures, **options: Any) -> ProjectionAnswer:
        """See `AsyncVitrine.project`."""
        return self._wait(self._client.project(images, **options))

    def _iterate(self, values: AsyncGenerator[Answer, None]) -> Generator[Answer, None, None]:
        turn = asyncio.Lock()  # an interrupted step has to end before the generator can be closed

        async def step() -> Answer | None:
            async with turn:
                return await anext(values, None)

        async def close() -> None:
            async with turn:
                await values.aclose()

        try:
            while (value := self._wait(step())) is not None:
                yield value
        finally:
            self._wait(close())

    def _wait(self, coroutine: Coroutine[Any, Any, Answer]) -> Answer:
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except BaseException:  # an interrupted caller wants no answer any more
            future.cancel()
            raise
