"""The scenarios: each is one repeated request and a check of its answer.

A mix is several scenarios with their shares of all requests.
"""

import base64
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from clients.load.connection import Answer, ask
from clients.load.images import (
    DRAWN_DIGIT,
    SMALL_PHOTO,
    digit_png,
    drawing_png,
    phone_jpeg,
    photo_jpeg,
)
from clients.load.target import Target
from vitrine_client._transport.sse import EventReader

CLASSIFY = "/v1/digits/classify"
SCORE = "/v1/text/score"
SCORED = 10_000  # characters
GENERATE = "/v1/text/generate"
FASHION = "/v1/fashion/classify"
LABEL = "/v1/images/label?top=5"
SAMPLES = "/v1/{family}/sample.png?random_seed=7&n=16"
JSON = "application/json"
SEED = "But, soft! what light through yonder win"  # 40 characters, as in the course
PARAGRAPH = 400  # characters
PHOTO_TOP = 5
# Mostly digits, as on a busy page; of each of the others a few. Shares of those that are served.
MIX = {"digit": 60, "ten": 5, "photo": 10, "paragraph": 5, "stream": 5, "vae": 10, "gan": 5}


class Scenario(NamedTuple):
    """One request and a check of its answer."""

    name: str
    method: str
    path: str
    body: bytes
    content_type: str
    is_right: Callable[[bytes], bool]
    head: str = ""  # further header lines, each with its line end


def scenarios() -> dict[str, Scenario]:
    """Every scenario by its name, with images freshly drawn."""
    digit, drawing = digit_png(), drawing_png()
    ten = json.dumps({"images": [base64.b64encode(digit).decode()] * 10}).encode()
    every = (
        Scenario("digit", "POST", CLASSIFY, digit, "image/png", answers_sevens(1)),
        Scenario("drawing", "POST", CLASSIFY, drawing, "image/png", answers_sevens(1)),
        Scenario("ten", "POST", CLASSIFY, ten, JSON, answers_sevens(10)),
        paragraph("text", PARAGRAPH),
        stream("text", PARAGRAPH),
        photo(),
        Scenario("clothing", "POST", FASHION, digit, "image/png", has_rows("predictions", 1)),
        samples("vae"),
        samples("gan"),
    )
    return {scenario.name: scenario for scenario in every}


def paragraph(model: str, length: int) -> Scenario:
    """A whole text of a number of characters, with a fixed seed, so that all answers are equal."""
    body = _text_request(length)
    return Scenario(
        "paragraph", "POST", f"{GENERATE}?model={model}", body, JSON, always_the_same(length)
    )


def stream(model: str, length: int) -> Scenario:
    """The same text, streamed."""
    body = _text_request(length, stream=True)
    path = f"{GENERATE}?model={model}"
    return Scenario("stream", "POST", path, body, JSON, streams_characters(length))


def photo(model: str = "", size: tuple[int, int] = SMALL_PHOTO) -> Scenario:
    """A JPEG to label, by the route's own model or another one."""
    path, body = LABEL + (f"&model={model}" if model else ""), photo_jpeg(size)
    return Scenario("photo", "POST", path, body, "image/jpeg", answers_labels(PHOTO_TOP))


def samples(family: str) -> Scenario:
    """16 images that a generative model ("vae", "gan") draws, as one PNG, always the same."""
    path = SAMPLES.format(family=family)
    return Scenario(family, "GET", path, b"", "image/png", same_image())


def heavy_scenarios() -> dict[str, Scenario]:
    """Requests that take long, by name: a projection of one image or of 64, a score of 10,000 characters, a phone's photo."""
    path, digit = "/v1/gan/project?steps=100", digit_png()
    many = json.dumps({"images": [base64.b64encode(digit).decode()] * 64}).encode()
    text = json.dumps({"text": (SEED * SCORED)[:SCORED]}).encode()
    every = (
        Scenario("projection", "POST", path, digit, "image/png", has_rows("latents", 1)),
        Scenario("projection of 64", "POST", path, many, JSON, has_rows("latents", 64)),
        Scenario("score", "POST", SCORE, text, JSON, has_rows("characters", SCORED)),
        Scenario("phone", "POST", CLASSIFY, phone_jpeg(), "image/jpeg", answers_sevens(1)),
    )
    return {scenario.name: scenario for scenario in every}


def _text_request(length: int, **more: Any) -> bytes:
    asked = {"seed": SEED, "diversity": 0.5, "length": length, "random_seed": 42}
    return json.dumps(asked | more).encode()


def request_bytes(scenario: Scenario, target: Target) -> bytes:
    """The whole request as it goes over the wire."""
    key = f"Authorization: Bearer {target.key}\r\n" if target.key else ""
    head = (
        f"{scenario.method} {target.prefix}{scenario.path} HTTP/1.1\r\n"
        f"Host: {target.authority}\r\n{key}{scenario.head}"
        f"Content-Type: {scenario.content_type}\r\n"
        f"Content-Length: {len(scenario.body)}\r\n\r\n"
    )
    return head.encode("ascii") + scenario.body


def ask_once(scenario: Scenario, target: Target) -> Answer:
    """The answer of a target on this machine, waited for."""
    kind = {"Content-Type": scenario.content_type}
    return ask(target.port, scenario.method, scenario.path, scenario.body, **kind)


def answers_sevens(count: int) -> Callable[[bytes], bool]:
    """A check: `count` predictions, each a seven with ten probabilities."""

    def are_sevens(answer: Any) -> bool:
        return len(answer["predictions"]) == count and all(
            one["digit"] == DRAWN_DIGIT and len(one["probabilities"]) == 10
            for one in answer["predictions"]
        )

    return of_json(are_sevens)


def answers_labels(count: int) -> Callable[[bytes], bool]:
    """A check: one image's `count` labels, best first."""

    def are_labels(answer: Any) -> bool:
        (labels,) = answer["predictions"]
        scores = [label["score"] for label in labels]
        named = all(label["class_name"] and label["class_description"] for label in labels)
        return len(labels) == count and named and scores == sorted(scores, reverse=True)

    return of_json(are_labels)


def has_rows(name: str, count: int) -> Callable[[bytes], bool]:
    """A check: a list of `count` elements, all of them there."""
    return of_json(lambda answer: len(answer[name]) == count and None not in answer[name])


def always_the_same(length: int) -> Callable[[bytes], bool]:
    """A check: a text of `length` characters, the same as in the first answer."""
    expected: list[str] = []

    def is_the_same(answer: Any) -> bool:
        text = answer["generations"][0]["text"]
        expected.append(text)
        del expected[1:]
        return len(text) == length and bool(text == expected[0])

    return of_json(is_the_same)


def of_json(holds: Callable[[Any], bool]) -> Callable[[bytes], bool]:
    """A check of the value of a JSON body; what is none, or of another form, is wrong."""

    def is_right(body: bytes) -> bool:
        try:
            return holds(json.loads(body))
        except (ValueError, KeyError, TypeError, IndexError):
            return False

    return is_right


def same_image() -> Callable[[bytes], bool]:
    """A check: a PNG, byte by byte that of the first answer."""
    expected: list[bytes] = []

    def is_right(body: bytes) -> bool:
        expected.append(body)
        del expected[1:]
        return body.startswith(b"\x89PNG") and body == expected[0]

    return is_right


def streams_characters(length: int) -> Callable[[bytes], bool]:
    """A check: events whose texts have `length` characters in all, up to the last event."""

    def is_right(body: bytes) -> bool:
        events = list(EventReader().feed(body))
        try:
            texts = [json.loads(event).get("text", "") for event in events[:-1]]
        except (ValueError, AttributeError):
            return False
        return events[-1:] == ["[DONE]"] and sum(map(len, texts)) == length

    return is_right
