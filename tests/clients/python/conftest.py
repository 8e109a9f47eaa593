import asyncio
import json
import os

import httpx
import pytest
from PIL import Image

from tests.clients.python.serving import serving, until_ready, write_all_models
from vitrine_client import AsyncVitrine, Vitrine

PREDICTION = {
    "digit": 7,
    "probability": 0.75,
    "probabilities": [0, 0, 0, 0, 0, 0.25, 0, 0.75, 0, 0],
    "outlier": False,
    "outlier_score": 0.02,
}


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """No test sees the proxies, keys or addresses of the machine it runs on."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.startswith("VITRINE_"):
            monkeypatch.delenv(name)
    return monkeypatch


class Service:
    """Answers with what `replies` holds, then with `predictions` sevens; remembers the requests."""

    def __init__(self):
        self.requests = []
        self.replies = []
        self.predictions = 1

    def __call__(self, request):
        self.requests.append(request)
        return self.replies.pop(0) if self.replies else self.answer()

    def answer(self):
        model = {"name": "digits", "version": 3}
        return httpx.Response(
            200, json={"model": model, "predictions": [PREDICTION] * self.predictions, "new": 1}
        )

    @property
    def transport(self):
        return httpx.MockTransport(self)


@pytest.fixture
def service():
    return Service()


def refusal(status, code, headers=None, error="say it otherwise"):
    body = json.dumps({"error": error, "code": code, "request_id": "r1"})
    return httpx.Response(status, content=body, headers=headers or {})


@pytest.fixture(name="refusal")
def refusal_factory():
    return refusal


class TextService:
    """Speaks the contract's Text part: writes the alphabet, three letters a chunk; remembers bodies."""

    def __init__(self):
        self.model = {"name": "text", "version": 2}
        self.requests = []
        self.bodies = []
        self.replies = []
        self.events = None  # what a stream holds, when it is not the alphabet
        self.closed = 0

    def __call__(self, request):
        self.requests.append(request)
        self.bodies.append(json.loads(request.content))
        if self.replies:
            return self.replies.pop(0)
        if request.url.path.endswith("/v1/text/score"):
            return httpx.Response(200, json=self.score(self.bodies[-1]["text"]))
        if self.bodies[-1].get("stream"):
            headers = {"Content-Type": "text/event-stream; charset=utf-8"}
            return httpx.Response(200, headers=headers, stream=EventStream(self))
        return httpx.Response(200, json=self.answer(self.bodies[-1]))

    def answer(self, body):
        generations = [
            {
                "text": self.text(body),
                "diversity": diversity,
                "finish_reason": "length",
                "logprobs": [{"character": "a", "logprob": -0.5, "top": {"a": -0.5, "b": -2}}],
                "continuation": f"token-{index}",
            }
            for index, diversity in enumerate(self.diversities(body))
        ]
        return {"model": self.model, "random_seed": 42, "generations": generations}

    def score(self, text):
        characters = [{"character": character, "logprob": -2.0} for character in text]
        numbers = {"nats_per_character": 2.0, "bits_per_character": 2.885}
        return {"model": self.model, **numbers, "characters": characters}

    def stream(self, body):
        """The data of each event; the chunks of several texts in turn."""
        text, count = self.text(body), len(self.diversities(body))
        for start in range(0, len(text), 3):
            for index in range(count):
                yield json.dumps({"index": index, "text": text[start : start + 3]})
        for index in range(count):
            end = {"finish_reason": "length", "random_seed": 42, "continuation": f"token-{index}"}
            yield json.dumps({"index": index, **end})
        yield "[DONE]"

    def text(self, body):
        return "abcdefghijklmnopqrstuvwxyz"[: body.get("length", 6)]

    def diversities(self, body):
        diversity = body.get("diversity", 0.5)
        return diversity if isinstance(diversity, list) else [diversity]

    @property
    def transport(self):
        return httpx.MockTransport(self)


class EventStream(httpx.AsyncByteStream, httpx.SyncByteStream):
    """Either client reads it and must close it."""

    def __init__(self, service):
        self.service = service

    def __iter__(self):
        service = self.service
        events = service.stream(service.bodies[-1]) if service.events is None else service.events
        for event in events:
            yield event if isinstance(event, bytes) else f"data: {event}\n\n".encode()

    async def __aiter__(self):
        for piece in self:
            yield piece

    def close(self):
        self.service.closed += 1

    async def aclose(self):
        self.close()


@pytest.fixture
def text_service():
    return TextService()


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """One service with a model of every task, for all tests of this folder."""
    folder = tmp_path_factory.mktemp("served")
    write_all_models(folder)
    with serving(folder) as running:
        until_ready(running)
        yield running


@pytest.fixture(params=["plain", "asynchronous"])
def ask(request, served):
    """Ask that service by either client: `ask(lambda vitrine: vitrine.digits.classify(image))`."""

    async def awaited(what):
        async with AsyncVitrine(served.url) as vitrine:
            asked = what(vitrine)
            if hasattr(asked, "__aiter__"):
                return [value async for value in asked]
            return await asked

    def waited(what):
        with Vitrine(served.url) as vitrine:
            asked = what(vitrine)
            return list(asked) if hasattr(asked, "__next__") else asked

    if request.param == "plain":
        return waited
    return lambda what: asyncio.run(awaited(what))


@pytest.fixture
def png_file(tmp_path):
    """The path of an image that the fake engine calls a 7."""
    image, file = Image.new("L", (28, 28)), tmp_path / "seven.png"
    image.putdata([255] * 7 + [0] * 777)
    image.save(file)
    return str(file)
