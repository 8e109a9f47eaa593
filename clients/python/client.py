"""The client: one asynchronous core and a plain face on top of it.

The core asks, asks again when told to, and turns refusals into errors; it knows neither proxies
(`connection`) nor picture files (`pictures`) nor what an answer holds (`types`).
"""

import asyncio
import json
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, Self, TypedDict, TypeVar, Unpack

import httpx

from clients.python.connection import DEFAULT_TIMEOUT, DEFAULT_URL, connect, translated_errors
from clients.python.errors import UnexpectedAnswer, service_error
from clients.python.pictures import Pictures, encode_pictures
from clients.python.retries import DEFAULT_RETRIES, Retries
from clients.python.types import DigitsAnswer, Normalize

Answer = TypeVar("Answer")


class AsyncVitrine:
    """Asks a Vitrine service, asynchronously.

    Args:
        url: The service's address, a path prefix included; `VITRINE_URL` when absent.
        key: The API key; `VITRINE_API_KEY` when absent.
        timeout: How long to wait to connect, write and read.
        retries: What to do about 429 and 503.
        transport: Replaces the network, in tests.
        sleep: Waits between attempts.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        key: str | None = None,
        timeout: httpx.Timeout = DEFAULT_TIMEOUT,
        retries: Retries = DEFAULT_RETRIES,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = connect(
            url or os.environ.get("VITRINE_URL") or DEFAULT_URL,
            key or os.environ.get("VITRINE_API_KEY") or "",
            timeout,
            transport,
        )
        self._retries = retries
        self._sleep = sleep

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._http.base_url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def classify_digits(
        self, images: Pictures, *, model: str | None = None, normalize: Normalize = "auto"
    ) -> DigitsAnswer:
        """Pictures (path, bytes, Pillow image, NumPy array) → one prediction each, in order.

        Args:
            images: One picture or several; an array [N, H, W] is several.
            model: Another model of the same task; absent: the route's own.
            normalize: `auto` makes a drawing look like the training set, `off` does nothing.

        Raises:
            VitrineError: See the tree in `errors`.
        """
        files = await asyncio.to_thread(encode_pictures, images)
        query = {"normalize": normalize} | ({} if model is None else {"model": model})
        response = await self._post("v1/digits/classify", files, query)
        answer = _parsed(response, DigitsAnswer.from_wire)
        if len(answer.predictions) != len(files):
            raise UnexpectedAnswer(
                f"{len(files)} pictures were sent, {len(answer.predictions)} predictions came back"
            )
        return answer

    async def _post(
        self, path: str, files: list[bytes], query: Mapping[str, str]
    ) -> httpx.Response:
        attempt = 0
        while True:
            with translated_errors(self._http.base_url):
                response = await self._http.post(path, params=query, **_body(files))
            wait_seconds = self._retries.wait_seconds(response, attempt)
            if wait_seconds is None:
                return response
            await self._sleep(wait_seconds)
            attempt += 1


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
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def classify_digits(
        self, images: Pictures, *, model: str | None = None, normalize: Normalize = "auto"
    ) -> DigitsAnswer:
        """See `AsyncVitrine.classify_digits`."""
        return self._wait(self._client.classify_digits(images, model=model, normalize=normalize))

    def _wait(self, coroutine: Coroutine[Any, Any, Answer]) -> Answer:
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except BaseException:  # an interrupted caller wants no answer any more
            future.cancel()
            raise


def _body(files: list[bytes]) -> dict[str, Any]:
    if len(files) == 1:
        return {"content": files[0], "headers": {"Content-Type": "application/octet-stream"}}
    return {"files": [("image", (f"image-{place}", file)) for place, file in enumerate(files, 1)]}


def _parsed(response: httpx.Response, parse: Callable[[bytes], Answer]) -> Answer:
    """An answer → its typed value; a refusal → the error that mirrors it."""
    try:
        if response.is_success:
            return parse(response.content)
        refusal = json.loads(response.content)
        message, code = str(refusal["error"]), str(refusal.get("code", ""))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnexpectedAnswer(
            f"what answers at {response.url.copy_with(query=None, userinfo=b'')} is no Vitrine "
            f"service: status {response.status_code}, {response.headers.get('Content-Type', '?')}"
        ) from error
    request_id = str(refusal.get("request_id", ""))
    raise service_error(message, status=response.status_code, code=code, request_id=request_id)
