"""The scenarios: pictures, requests, and checks of answers."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from clients.load.scenario import answers_sevens, request_bytes, scenarios
from clients.load.target import Target

SEVEN = {"digit": 7, "probability": 0.9, "probabilities": [0.1] * 10}


def pixels(png):
    with Image.open(io.BytesIO(png)) as picture:
        return np.asarray(picture.convert("L"))


def test_the_digit_is_28_by_28_light_on_a_dark_border():
    image = pixels(scenarios()["digit"].body)
    assert image.shape == (28, 28)
    assert image[[0, -1]].max() == image[:, [0, -1]].max() == 0
    assert image.max() > 200


def test_the_drawing_is_280_by_280_dark_on_a_light_border():
    image = pixels(scenarios()["drawing"].body)
    assert image.shape == (280, 280)
    assert image[[0, -1]].min() == image[:, [0, -1]].min() == 255
    assert image.min() < 50


def test_ten_holds_ten_pictures_in_one_json_body():
    every = scenarios()
    images = json.loads(every["ten"].body)["images"]
    assert [base64.b64decode(image) for image in images] == [every["digit"].body] * 10
    assert every["ten"].content_type == "application/json"


def test_the_same_pictures_are_drawn_each_time():
    assert scenarios()["drawing"].body == scenarios()["drawing"].body


def test_a_request_says_where_it_goes_and_how_long_it_is():
    digit = scenarios()["digit"]
    head, _, body = request_bytes(digit, Target("::1", 9, "/vitrine")).partition(b"\r\n\r\n")
    assert body == digit.body
    assert head.decode().split("\r\n") == [
        "POST /vitrine/v1/digits/classify HTTP/1.1",
        "Host: [::1]:9",
        "Content-Type: image/png",
        f"Content-Length: {len(digit.body)}",
    ]


def test_as_many_sevens_as_asked_for_are_right():
    body = json.dumps({"model": {}, "predictions": [SEVEN, SEVEN]}).encode()
    assert answers_sevens(2)(body)
    assert not answers_sevens(1)(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b'{"predictions": null}',
        b'{"predictions": [7]}',
        b'{"predictions": [{}]}',
        json.dumps({"predictions": [SEVEN | {"digit": 1}]}).encode(),
        json.dumps({"predictions": [SEVEN | {"probabilities": [1.0]}]}).encode(),
    ],
)
def test_anything_else_is_wrong(body):
    assert not answers_sevens(1)(body)
