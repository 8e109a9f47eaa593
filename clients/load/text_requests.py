"""Requests for texts, drawn at random, and what their answers hold, whole or streamed."""

import json
import random
from typing import Any

from clients.load.connection import Answer, Disconnected
from clients.load.target import Target

GENERATE, SCORE = "/v1/text/generate", "/v1/text/score"
TIMEOUT_S = 120.0
LETTERS = "etaoin shrdlu\ncmfwypvbgkjqxz ETAOIN,.;:'!?"
DIVERSITIES = (0.0, 0.2, 0.5, 1.0, 1.5)

Body = dict[str, Any]
Texts = list[tuple[str, str]]  # text and continuation token of each generation


def make_request(rng: random.Random, length: int) -> Body:
    """A request to compare: seeds, diversities, numbers and restrictions of all kinds."""
    body: Body = {
        "seed": "".join(rng.choices(LETTERS, k=rng.choice((0, 1, 15, 40, 64, 65, 200)))),
        "unknown": "replace",
        "diversity": rng.choice((*DIVERSITIES, [0.2, 0.5, 1.0])),
        "length": length,
        "random_seed": rng.randrange(2**32),
    }
    if rng.random() < 0.3:
        body["top_k"] = rng.choice((1, 3, 10, 1000))
    if rng.random() < 0.3:
        body["top_p"] = rng.choice((0.1, 0.5, 0.9))
    if rng.random() < 0.2:
        body["n"] = rng.choice((2, 3))
    return body


def make_company(rng: random.Random) -> tuple[str, Body]:
    """Path and body of a request that only keeps the service busy: a score, or a text of any length."""
    text = "".join(rng.choices(LETTERS, k=rng.randrange(1, 150)))
    if rng.random() < 1 / 3:
        return SCORE, {"text": text, "unknown": "replace"}
    return GENERATE, {
        "seed": text,
        "unknown": "replace",
        "length": rng.randrange(1, 300),
        "diversity": rng.choice(DIVERSITIES),
        "logprobs": rng.randrange(6),
        "stop": ["\n\n"],
    }


def request_bytes(target: Target, path: str, body: Body) -> bytes:
    """The whole request as it goes over the wire."""
    content = json.dumps(body).encode()
    head = (
        f"POST {target.prefix}{path} HTTP/1.1\r\nHost: {target.authority}\r\n"
        f"X-Timeout-Ms: {TIMEOUT_S * 1000:.0f}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def texts_of(answer: Answer) -> Texts:
    """Text and token of each generation, of a whole answer or of a stream."""
    if not answer.headers.get(b"content-type", b"").startswith(b"text/event-stream"):
        generations = json.loads(answer.body)["generations"]
        return [(one["text"], one["continuation"]) for one in generations]
    texts: dict[int, str] = {}
    tokens: dict[int, str] = {}
    for event in answer.body.decode().split("\n\n"):
        data = event.removeprefix("data: ")
        if data in ("", "[DONE]"):
            continue
        content = json.loads(data)
        if "error" in content:
            raise Disconnected(f"a stream ended with {content['error']!r}")
        number = content["index"]
        texts[number] = texts.get(number, "") + content.get("text", "")
        tokens |= {number: content["continuation"]} if "continuation" in content else {}
    return [(texts[number], tokens[number]) for number in sorted(texts)]
