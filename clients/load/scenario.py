"""What is asked, as data: each scenario is one request, sent again and again, and a check of its answer.

The pictures are drawn here, with a few strokes; no data set is needed.
"""

import base64
import io
import json
from collections.abc import Callable
from typing import NamedTuple

from PIL import Image, ImageDraw

from clients.load.target import Target

DRAWN_DIGIT = 7
STROKES = ((0.27, 0.19), (0.72, 0.19), (0.43, 0.83))  # a seven, in shares of the picture's side
OVERSAMPLING = 4  # drawn larger, then shrunk: soft edges, as a pen or a browser gives
CLASSIFY = "/v1/digits/classify"


class Scenario(NamedTuple):
    """One request and what its right answer looks like."""

    name: str
    method: str
    path: str
    body: bytes
    content_type: str
    is_right: Callable[[bytes], bool]


def scenarios() -> dict[str, Scenario]:
    """Every scenario by its name, with pictures freshly drawn."""
    digit, drawing = digit_png(), drawing_png()
    ten = json.dumps({"images": [base64.b64encode(digit).decode()] * 10}).encode()
    every = (
        Scenario("digit", "POST", CLASSIFY, digit, "image/png", answers_sevens(1)),
        Scenario("drawing", "POST", CLASSIFY, drawing, "image/png", answers_sevens(1)),
        Scenario("ten", "POST", CLASSIFY, ten, "application/json", answers_sevens(10)),
    )
    return {scenario.name: scenario for scenario in every}


def request_bytes(scenario: Scenario, target: Target) -> bytes:
    """The whole request as it goes over the wire."""
    head = (
        f"{scenario.method} {target.prefix}{scenario.path} HTTP/1.1\r\n"
        f"Host: {target.authority}\r\n"
        f"Content-Type: {scenario.content_type}\r\n"
        f"Content-Length: {len(scenario.body)}\r\n\r\n"
    )
    return head.encode("ascii") + scenario.body


def digit_png() -> bytes:
    """A 28×28 seven as the data set has them: light ink on black, which the service takes unchanged."""
    return _png(_seven(28, ink=255, paper=0))


def drawing_png() -> bytes:
    """A 280×280 seven as a page's canvas gives it: dark ink on white, RGBA."""
    return _png(_seven(280, ink=0, paper=255).convert("RGBA"))


def answers_sevens(count: int) -> Callable[[bytes], bool]:
    """A check: `count` predictions, each a seven with ten probabilities."""

    def is_right(body: bytes) -> bool:
        try:
            predictions = json.loads(body)["predictions"]
            return len(predictions) == count and all(
                one["digit"] == DRAWN_DIGIT and len(one["probabilities"]) == 10
                for one in predictions
            )
        except (ValueError, KeyError, TypeError):
            return False

    return is_right


def _seven(side: int, ink: int, paper: int) -> Image.Image:
    large = side * OVERSAMPLING
    picture = Image.new("L", (large, large), paper)
    points = [(x * large, y * large) for x, y in STROKES]
    ImageDraw.Draw(picture).line(points, fill=ink, width=large // 11, joint="curve")
    return picture.resize((side, side), Image.Resampling.LANCZOS)


def _png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()
