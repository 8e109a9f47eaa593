"""The client's asynchronous core, which asks, and asks again when told to.

It knows neither proxies (`connection`) nor picture files (`pictures`) nor what an answer holds
(`answers`, `types`).
"""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Literal, Self, Unpack

import httpx

from clients.python.answers import event, is_event_stream, parsed, picture, refusal
from clients.python.connection import DEFAULT_TIMEOUT, DEFAULT_URL, connect, translated_errors
from clients.python.errors import UnexpectedAnswer, Unreachable
from clients.python.events import EventReader
from clients.python.generated import GeneratedAnswer, ProjectionAnswer
from clients.python.latents import (
    EncodingsAnswer,
    End,
    PicturesAnswer,
    ReconstructionsAnswer,
    end_on_wire,
)
from clients.python.photos import FashionAnswer, FeaturesAnswer, Head, LabelsAnswer
from clients.python.pictures import Pictures, encode_pictures
from clients.python.retries import DEFAULT_RETRIES, Retries
from clients.python.types import (
    DigitsAnswer,
    Normalize,
    Sampling,
    ScoreAnswer,
    TextAnswer,
    TextEvent,
)


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
        query = {"normalize": normalize} | _query(model)
        response = await self._post("v1/digits/classify", _files_body(files), query)
        answer = parsed(response, DigitsAnswer.from_wire)
        if len(answer.predictions) != len(files):
            raise UnexpectedAnswer(
                f"{len(files)} pictures were sent, {len(answer.predictions)} predictions came back"
            )
        return answer

    async def generate(
        self, seed: str | None = None, *, model: str | None = None, **sampling: Unpack[Sampling]
    ) -> TextAnswer:
        """A text → how it may go on, once for each diversity.

        Args:
            seed: The text to continue; empty: a fresh one.
            model: Another model of the same task; absent: the route's own.
            sampling: `diversity`, `length`, `random_seed`, …; with `continuation`, leave the seed out.

        Raises:
            VitrineError: See the tree in `errors`.
        """
        body = _json_body(_writing(seed, sampling))
        response = await self._post("v1/text/generate", body, _query(model))
        return parsed(response, TextAnswer.from_wire)

    async def stream_text(
        self, seed: str | None = None, *, model: str | None = None, **sampling: Unpack[Sampling]
    ) -> AsyncGenerator[TextEvent, None]:
        """As `generate`, but a few characters at a time; leaving the loop early stops the work.

        Raises:
            VitrineError: See the tree in `errors`; also in mid-stream.
        """
        body = _json_body(_writing(seed, sampling) | {"stream": True})
        async with self._open("v1/text/generate", body, _query(model)) as response:
            if not is_event_stream(response):
                await response.aread()
                raise refusal(response)
            reader = EventReader()
            async for chunk in response.aiter_bytes():
                for data in reader.feed(chunk):
                    if data == "[DONE]":
                        return
                    yield event(response, data)
        raise Unreachable("the stream broke off before its end: ask again")

    async def score(self, text: str, *, model: str | None = None) -> ScoreAnswer:
        """A text → how likely the model finds each of its characters.

        Raises:
            VitrineError: See the tree in `errors`.
        """
        response = await self._post("v1/text/score", _json_body({"text": text}), _query(model))
        return parsed(response, ScoreAnswer.from_wire)

    async def sample(
        self,
        *,
        n: int = 16,
        random_seed: int | None = None,
        scale: float = 1.0,
        model: str | None = None,
    ) -> PicturesAnswer:
        """Draw `n` pictures from a VAE: standard normal latent vectors times `scale`.

        Raises:
            VitrineError: See the tree in `errors`.
        """
        body = _json_body(_drawing(n, random_seed, scale))
        return parsed(
            await self._post("v1/vae/sample", body, _query(model)), PicturesAnswer.from_wire
        )

    async def sample_grid(
        self,
        *,
        n: int = 16,
        random_seed: int | None = None,
        scale: float = 1.0,
        model: str | None = None,
    ) -> bytes:
        """As `sample`, but all of them in one PNG file.

        Raises:
            VitrineError: See the tree in `errors`.
        """
        body = _json_body(_drawing(n, random_seed, scale))
        body["headers"]["Accept"] = "image/png"
        return picture(await self._post("v1/vae/sample", body, _query(model)))

    async def encode(
        self, images: Pictures, *, model: str | None = None, normalize: Normalize = "auto"
    ) -> EncodingsAnswer:
        """Pictures → where each lies in the latent space of a VAE.

        Raises:
            VitrineError: See the tree in `errors`.
        """
        query = {"normalize": normalize} | _query(model)
        response = await self._post_pictures("v1/vae/encode", images, query)
        return parsed(response, EncodingsAnswer.from_wire)

    async def decode(
        self, latents: Sequence[Sequence[float]], *, model: str | None = None
    ) -> PicturesAnswer:
        """Latent vectors → what the decoder of a VAE makes of each.

        Raises:
            VitrineError: See the tree in `errors`.
        """
        body = _json_body({"latents": [list(map(float, z)) for z in latents]})
        return parsed(
            await self._post("v1/vae/decode", body, _query(model)), PicturesAnswer.from_wire
        )

    async def reconstruct(
        self,
        images: Pictures,
        *,
        random_seed: int | None = None,
        model: str | None = None,
        normalize: Normalize = "auto",
    ) -> ReconstructionsAnswer:
        """Pictures → each through the bottleneck and back; with a seed, z is drawn, else the mean.

        Raises:
            VitrineError: See the tree in `errors`.
        """
        query = {"normalize": normalize} | _query(model)
        if random_seed is not None:
            query["random_seed"] = str(random_seed)
        response = await self._post_pictures("v1/vae/reconstruct", images, query)
        return parsed(response, ReconstructionsAnswer.from_wire)

    async def interpolate(
        self,
        start: End,
        end: End,
        *,
        steps: int = 9,
        path: Literal["lerp", "slerp"] = "lerp",
        model: str | None = None,
    ) -> PicturesAnswer:
        """From one random seed, latent vector or picture to another, in `steps` pictures.

        Raises:
            VitrineError: See the tree in `errors`.
        """
        ends = [await asyncio.to_thread(end_on_wire, one) for one in (start, end)]
        body = _json_body({"from": ends[0], "to": ends[1], "steps": steps, "path": path})
        return parsed(
            await self._post("v1/vae/interpolate", body, _query(model)), PicturesAnswer.from_wire
        )

    async def label(
        self, images: Pictures, *, top: int = 5, model: str | None = None
    ) -> LabelsAnswer:
        """Photos → the `top` likeliest labels of each, best first.

        Raises:
            VitrineError: See the tree in `errors`.
        """
        query = {"top": str(top)} | _query(model)
        response = await self._post_pictures("v1/images/label", images, query)
        return parsed(response, LabelsAnswer.from_wire)

    async def features(self, images: Pictures, *, model: str | None = None) -> FeaturesAnswer:
        """Photos → what the network without its top makes of each.

        Raises:
            VitrineError: See the tree in `errors`.
        """
        response = await self._post_pictures("v1/images/features", images, _query(model))
        return parsed(response, FeaturesAnswer.from_wire)

    async def classify_fashion(
        self, images: Pictures, *, head: Head = "dense", normalize: Normalize = "auto"
    ) -> FashionAnswer:
        """Pictures of clothes → one prediction each by the head that is asked for.

        Raises:
            VitrineError: See the tree in `errors`.
        """
        query = {"head": head, "normalize": normalize}
        response = await self._post_pictures("v1/fashion/classify", images, query)
        return parsed(response, FashionAnswer.from_wire)

    async def sample_digits(
        self,
        *,
        n: int = 16,
        digit: int | None = None,
        random_seed: int | None = None,
        truncation: float = 0.7,
        model: str | None = None,
    ) -> GeneratedAnswer:
        """Draw `n` digits from a GAN, all of them `digit` where one is given.

        Raises:
            VitrineError: See the tree in `errors`.
        """
        body = _json_body(_digits(n, digit, random_seed, truncation))
        response = await self._post("v1/gan/sample", body, _query(model))
        return parsed(response, GeneratedAnswer.from_wire)

    async def sample_digits_grid(
        self,
        *,
        n: int = 16,
        digit: int | None = None,
        random_seed: int | None = None,
        truncation: float = 0.7,
        model: str | None = None,
    ) -> bytes:
        """As `sample_digits`, but all of them in one PNG file.

        Raises:
            VitrineError: See the tree in `errors`.
        """
        body = _json_body(_digits(n, digit, random_seed, truncation))
        body["headers"]["Accept"] = "image/png"
        return picture(await self._post("v1/gan/sample", body, _query(model)))

    async def project(
        self,
        images: Pictures,
        *,
        steps: int = 100,
        loss: Literal["perceptual", "pixel"] = "perceptual",
        start: Literal["encoder", "mean"] = "encoder",
        model: str | None = None,
    ) -> ProjectionAnswer:
        """Pictures of digits → the GAN's latent vectors that come closest to them.

        Raises:
            VitrineError: See the tree in `errors`.
        """
        query = {"steps": str(steps), "loss": loss, "start": start} | _query(model)
        response = await self._post_pictures("v1/gan/project", images, query)
        return parsed(response, ProjectionAnswer.from_wire)

    async def _post_pictures(
        self, path: str, images: Pictures, query: Mapping[str, str]
    ) -> httpx.Response:
        files = await asyncio.to_thread(encode_pictures, images)
        return await self._post(path, _files_body(files), query)

    async def _post(
        self, path: str, body: Mapping[str, Any], query: Mapping[str, str]
    ) -> httpx.Response:
        async with self._open(path, body, query) as response:
            await response.aread()
            return response

    @asynccontextmanager
    async def _open(
        self, path: str, body: Mapping[str, Any], query: Mapping[str, str]
    ) -> AsyncIterator[httpx.Response]:
        """A response whose body is still to be read, after as many attempts as it took."""
        attempt = 0
        while True:
            with translated_errors(self._http.base_url):
                async with self._http.stream("POST", path, params=query, **body) as response:
                    wait_seconds = self._retries.wait_seconds(response, attempt)
                    if wait_seconds is None:
                        yield response
                        return
            await self._sleep(wait_seconds)
            attempt += 1


def _query(model: str | None) -> dict[str, str]:
    return {} if model is None else {"model": model}


def _drawing(n: int, random_seed: int | None, scale: float) -> dict[str, Any]:
    seed = {} if random_seed is None else {"random_seed": random_seed}
    return {"n": n, "scale": scale, **seed}


def _digits(
    n: int, digit: int | None, random_seed: int | None, truncation: float
) -> dict[str, Any]:
    chosen = {"digit": digit, "random_seed": random_seed}
    given = {name: value for name, value in chosen.items() if value is not None}
    return {"n": n, "truncation": truncation, **given}


def _writing(seed: str | None, sampling: Sampling) -> dict[str, Any]:
    return ({} if seed is None else {"seed": seed}) | dict(sampling)


def _json_body(values: Mapping[str, Any]) -> dict[str, Any]:
    content = json.dumps(
        values
    ).encode()  # ASCII, so that a lone surrogate is the service's to refuse
    return {"content": content, "headers": {"Content-Type": "application/json"}}


def _files_body(files: list[bytes]) -> dict[str, Any]:
    if len(files) == 1:
        return {"content": files[0], "headers": {"Content-Type": "application/octet-stream"}}
    return {"files": [("image", (f"image-{place}", file)) for place, file in enumerate(files, 1)]}
