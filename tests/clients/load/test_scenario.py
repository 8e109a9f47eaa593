"""The scenarios: images, requests, and checks of answers."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from clients.load.images import USUAL_PHOTO
from clients.load.scenario import (
    MIX,
    answers_sevens,
    paragraph,
    photo,
    request_bytes,
    scenarios,
    stream,
)
from clients.load.target import Target

SEVEN = {"digit": 7, "probability": 0.9, "probabilities": [0.1] * 10}


def pixels(png):
    with Image.open(io.BytesIO(png)) as opened:
        return np.asarray(opened.convert("L"))


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


def test_ten_holds_ten_images_in_one_json_body():
    every = scenarios()
    images = json.loads(every["ten"].body)["images"]
    assert [base64.b64decode(image) for image in images] == [every["digit"].body] * 10
    assert every["ten"].content_type == "application/json"


def test_the_same_images_are_drawn_each_time():
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


def generation(text):
    return json.dumps({"generations": [{"text": text}]}).encode()


def test_a_paragraph_is_right_if_it_is_the_same_as_the_first():
    is_right = paragraph("text", 3).is_right

    assert is_right(generation("abc"))
    assert is_right(generation("abc"))
    assert not is_right(generation("xyz"))
    assert not is_right(b"{}")


def test_a_paragraph_is_right_if_it_is_long_enough():
    assert not paragraph("text", 3).is_right(generation("ab"))


def test_a_stream_is_right_if_its_characters_and_its_end_are_there():
    is_right = stream("text", 4).is_right
    chunk = b'data: {"index": 0, "text": "ab"}\n\n'

    assert is_right(chunk * 2 + b"data: [DONE]\n\n")
    assert not is_right(chunk * 2)
    assert not is_right(chunk + b"data: [DONE]\n\n")
    assert not is_right(b"")


def test_texts_name_their_model_and_always_the_same_numbers():
    body = json.loads(stream("text-course", 9).body)

    assert stream("text-course", 9).path == "/v1/text/generate?model=text-course"
    assert (len(body["seed"]), body["random_seed"], body["stream"]) == (40, 42, True)


def test_samples_are_right_as_long_as_they_are_the_same_image():
    samples = scenarios()["vae"]

    assert samples.method == "GET"
    assert samples.is_right(b"\x89PNG one")
    assert samples.is_right(b"\x89PNG one")
    assert not samples.is_right(b"\x89PNG two")
    assert not samples.is_right(b'{"error": "busy"}')


def test_the_photo_is_a_jpeg_of_the_size_photo_models_take():
    asked = scenarios()["photo"]
    with Image.open(io.BytesIO(asked.body)) as opened:
        assert (opened.format, opened.size, opened.mode) == ("JPEG", (224, 224), "RGB")
    assert asked.path == "/v1/images/label?top=5"
    assert photo("flowers").path == "/v1/images/label?top=5&model=flowers"
    assert asked == scenarios()["photo"]._replace(is_right=asked.is_right)


def test_a_usual_photo_is_as_large_as_in_photo_collections():
    body = photo("labels", USUAL_PHOTO).body
    with Image.open(io.BytesIO(body)) as opened:
        assert (opened.format, opened.size, opened.mode) == ("JPEG", (500, 375), "RGB")
    assert 80_000 < len(body) < 120_000


def labels(*scores):
    named = [{"class_name": "n1", "class_description": "one", "score": s} for s in scores]
    return json.dumps({"predictions": [named]}).encode()


def test_five_labels_best_first_are_right():
    is_right = photo().is_right

    assert is_right(labels(0.5, 0.2, 0.1, 0.1, 0.05))
    assert not is_right(labels(0.5, 0.2, 0.1, 0.1))
    assert not is_right(labels(0.1, 0.2, 0.1, 0.1, 0.05))
    assert not is_right(b'{"predictions": []}')
    assert not is_right(b"{}")


def test_every_part_of_the_mix_is_a_scenario():
    assert set(MIX) <= set(scenarios())
