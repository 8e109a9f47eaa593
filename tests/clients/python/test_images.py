"""The client's calls about photos, clothes and the GAN: what they send, what comes back."""

import base64
import json

import httpx
import pytest

from clients.python import ProjectionAnswer, Vitrine
from clients.python.decoding import decode

PNG = b"\x89PNG\r\n\x1a\nsmall"
URI = "data:image/png;base64," + base64.b64encode(PNG).decode()
GRID = {"Content-Type": "image/png", "X-Model": "gan/2"}
TABBY = {"class_name": "n02123045", "class_description": "tabby", "score": 0.5}
BOOT = {"label": "Ankle boot", "label_index": 9, "scores": [0] * 9 + [1], "head": "svm"}
ANSWERS = {
    "label": {"predictions": [[TABBY]]},
    "features": {"features": [[1, 2]]},
    "classify": {"predictions": [BOOT]},
    "sample": {"random_seed": 7, "images": [URI], "digits": [3], "z": [[1]], "w": [[2]]},
    "project": {"latents": [[2]], "images": [URI], "losses": [0.25], "psnr": [21.5]},
}


@pytest.fixture
def requests():
    return []


@pytest.fixture
def vitrine(requests):
    def answer(request):
        requests.append(request)
        if request.headers["accept"] == "image/png":
            return httpx.Response(200, content=PNG, headers=GRID)
        route = request.url.path.rpartition("/")[2]
        return httpx.Response(200, json={"model": {"name": "m", "version": 1}, **ANSWERS[route]})

    with Vitrine("http://service.test", transport=httpx.MockTransport(answer)) as client:
        yield client


def test_photos_get_their_labels(vitrine, requests):
    [[label]] = vitrine.images.label(b"photo", top=1, model="flowers").predictions

    assert (label.class_name, label.class_description, label.score) == ("n02123045", "tabby", 0.5)
    assert requests[-1].url.path == "/v1/images/label"
    assert dict(requests[-1].url.params) == {"top": "1", "model": "flowers"}


def test_photos_get_their_features(vitrine, requests):
    assert vitrine.images.features(b"photo").features == ((1.0, 2.0),)
    assert requests[-1].url.path == "/v1/images/features"


def test_clothes_are_classified_by_the_head_asked_for(vitrine, requests):
    [boot] = vitrine.fashion.classify(b"picture", head="svm").predictions

    assert (boot.label, boot.label_index, boot.head) == ("Ankle boot", 9, "svm")
    assert dict(requests[-1].url.params) == {"head": "svm"}


def test_drawn_digits_come_with_both_latent_vectors(vitrine, requests):
    answer = vitrine.gan.sample(n=1, digit=3, random_seed=7)

    assert json.loads(requests[-1].content) == {
        "n": 1,
        "digit": 3,
        "random_seed": 7,
    }
    assert (answer.images, answer.digits, answer.z, answer.w) == ((PNG,), (3,), ((1,),), ((2,),))


def test_a_projection_tells_how_near_it_came(vitrine, requests):
    answer = vitrine.gan.project(b"digit", steps=5, loss="pixel", start="mean")

    assert dict(requests[-1].url.params) == {"steps": "5", "loss": "pixel", "start": "mean"}
    assert (answer.latents, answer.losses, answer.psnr) == (((2,),), (0.25,), (21.5,))


def test_a_projection_without_any_difference_has_no_psnr():
    body = {
        "model": {"name": "gan", "version": 1},
        "latents": [[2]],
        "images": [URI],
        "losses": [0],
        "psnr": [None],
    }

    assert decode(ProjectionAnswer, body).psnr == (None,)
