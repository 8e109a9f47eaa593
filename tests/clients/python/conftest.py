import json
import os

import httpx
import pytest

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
