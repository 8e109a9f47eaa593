"""What the client sends: only what was said, where the service reads it."""

import contextlib
import json

import httpx
import numpy as np
import pytest

from vitrine_client import InvalidValue, LatentSource, UnexpectedAnswer, UnreadableImage, Vitrine

PNG = b"\x89PNG\r\n\x1a\nsmall"


class Sent(Exception):
    """Ends a call when its request is known."""


def request_of(what):
    """The request of a call."""
    found = []

    def take(request):
        found.append(request)
        raise Sent

    with Vitrine("http://service.test", transport=httpx.MockTransport(take)) as vitrine:
        with contextlib.suppress(Sent):
            next(what(vitrine))  # of a stream; a call does not get so far
        [request] = found
        return request


IMAGES = [
    (lambda v: v.digits.classify(b"d"), "digits/classify", {}),
    (
        lambda v: v.digits.classify(b"d", model="m", version=0, normalize="off", return_input=True),
        "digits/classify",
        {"model": "m", "version": "0", "normalize": "off", "return": "input"},
    ),
    (
        lambda v: v.digits.classify(b"d", model=None, version=None, return_input=False),
        "digits/classify",
        {},
    ),
    (
        lambda v: v.digits.activations(b"d", version_label="stable"),
        "digits/activations",
        {"version_label": "stable"},
    ),
    (lambda v: v.images.label(b"d", top=0), "images/label", {"top": "0"}),
    (lambda v: v.images.features(b"d", model="m"), "images/features", {"model": "m"}),
    (lambda v: v.fashion.classify(b"d", head="svm"), "fashion/classify", {"head": "svm"}),
    (lambda v: v.fashion.classify_both(b"d"), "fashion/classify", {"head": "both"}),
    (lambda v: v.vae.encode(b"d"), "vae/encode", {}),
    (lambda v: v.vae.reconstruct(b"d", random_seed=0), "vae/reconstruct", {"random_seed": "0"}),
    (lambda v: v.gan.discriminate(b"d", version=2), "gan/discriminate", {"version": "2"}),
    (
        lambda v: v.gan.project(b"d", steps=5, loss="pixel", start="mean"),
        "gan/project",
        {"steps": "5", "loss": "pixel", "start": "mean"},
    ),
    (
        lambda v: v.gan.stream_projection(b"d", steps=5),
        "gan/project",
        {"steps": "5", "stream": "true"},
    ),
]


@pytest.mark.parametrize(("what", "path", "query"), IMAGES)
def test_an_image_is_the_body_and_options_are_the_query(what, path, query):
    request = request_of(what)

    assert request.method == "POST"
    assert request.url.path == f"/v1/{path}"
    assert dict(request.url.params) == query
    assert request.content == b"d"


FIELDS = [
    (lambda v: v.text.generate(), "text/generate", {}, {}),
    (
        lambda v: v.text.generate("", diversity=[0, 1], stop=["x"], model="m", version=2),
        "text/generate",
        {"model": "m", "version": "2"},
        {"seed": "", "diversity": [0, 1], "stop": ["x"]},
    ),
    (
        lambda v: v.text.score("a", unknown="replace", version_label="stable"),
        "text/score",
        {"version_label": "stable"},
        {"text": "a", "unknown": "replace"},
    ),
    (lambda v: v.vae.sample(), "vae/sample", {}, {}),
    (
        lambda v: v.vae.sample(n=1, random_seed=0, scale=0, model="m"),
        "vae/sample",
        {"model": "m"},
        {"n": 1, "random_seed": 0, "scale": 0},
    ),
    (
        lambda v: v.vae.decode(np.array([[1, 2]], np.float32)),
        "vae/decode",
        {},
        {"latents": [[1, 2]]},
    ),
    (
        lambda v: v.vae.interpolate(3, b"d", steps=2, path="slerp", normalize="off"),
        "vae/interpolate",
        {"normalize": "off"},
        {"from": {"random_seed": 3}, "to": "ZA==", "steps": 2, "path": "slerp"},
    ),
    (
        lambda v: v.gan.sample(digit=0, truncation=None, version=1),
        "gan/sample",
        {"version": "1"},
        {"digit": 0},
    ),
    (
        lambda v: v.gan.interpolate(
            LatentSource(random_seed=0, digit=0), (1, 2), space="z", model="m"
        ),
        "gan/interpolate",
        {"model": "m"},
        {"from": {"random_seed": 0, "digit": 0}, "to": [1, 2], "space": "z"},
    ),
    (
        lambda v: v.gan.mix(LatentSource(z=np.ones(2), digit=1), np.int64(4), normalize="off"),
        "gan/mix",
        {"normalize": "off"},
        {"coarse": {"z": [1, 1], "digit": 1}, "fine": {"random_seed": 4}},
    ),
    (
        lambda v: v.gan.edit(b"d", "slant", 1.5),
        "gan/edit",
        {},
        {"image": "ZA==", "direction": "slant", "strength": 1.5},
    ),
    (
        lambda v: v.gan.edit(np.ones(2), "slant", [0, 1]),
        "gan/edit",
        {},
        {"latent": [1, 1], "direction": "slant", "strength": [0, 1]},
    ),
]


@pytest.mark.parametrize(("what", "path", "query", "fields"), FIELDS)
def test_fields_are_the_body_and_the_model_is_the_query(what, path, query, fields):
    request = request_of(what)

    assert request.headers["Content-Type"] == "application/json"
    assert request.url.path == f"/v1/{path}"
    assert dict(request.url.params) == query
    assert json.loads(request.content) == fields


ADDRESSES = [
    (lambda v: v.vae.sample_png(n=4, random_seed=7), "/v1/vae/sample.png?n=4&random_seed=7"),
    (lambda v: v.vae.manifold_png(model="ae-2d"), "/v1/vae/manifold.png?model=ae-2d"),
    (lambda v: v.gan.sample_png(digit=3, version=1), "/v1/gan/sample.png?digit=3&version=1"),
    (lambda v: v.gan.directions(model="mine"), "/v1/gan/directions?model=mine"),
    (lambda v: v.models.list(), "/v1/models"),
    (lambda v: v.models.status("a b"), "/v1/models/a%20b"),
    (lambda v: v.models.card("a/b?", version=2), "/v1/models/a%2Fb%3F/card?version=2"),
    (lambda v: v.health.live(), "/v2/health/live"),
    (lambda v: v.health.ready(), "/v2/health/ready"),
]


@pytest.mark.parametrize(("what", "address"), ADDRESSES)
def test_what_is_only_read_is_an_address(what, address):
    request = request_of(what)

    assert request.method == "GET"
    assert request.url.raw_path.decode() == address


def test_a_grid_is_asked_for_as_an_image():
    request = request_of(lambda v: v.vae.sample_grid(n=4))

    assert request.headers["Accept"] == "image/png"
    assert json.loads(request.content) == {"n": 4}


def test_an_image_that_cannot_be_read_ends_the_call_before_anything_is_sent():
    transport = httpx.MockTransport(lambda _: pytest.fail("was sent"))
    with Vitrine("http://service.test", transport=transport) as vitrine:
        for ask in (vitrine.digits.classify, lambda name: vitrine.gan.mix(1, name)):
            with pytest.raises(UnreadableImage, match=r"nowhere\.png"):
                ask("nowhere.png")


def answered(response, what):
    transport = httpx.MockTransport(lambda _: response)
    with Vitrine("http://me:hidden@service.test", transport=transport) as vitrine:
        return what(vitrine)


def test_a_refusal_of_a_grid_is_the_error_it_mirrors():
    refusal = {"error": "n is a whole number", "code": "invalid_value", "request_id": "1"}

    with pytest.raises(InvalidValue):
        answered(httpx.Response(422, json=refusal), lambda v: v.vae.sample_grid(n=0))


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "image/png"},
        {"Content-Type": "image/png", "X-Model": "vae"},
        {"Content-Type": "image/png", "X-Model": "vae/1", "X-Random-Seed": "seven"},
        {"Content-Type": "text/html", "X-Model": "vae/1"},
    ],
    ids=["no model", "no version", "no seed", "no image"],
)
def test_an_image_from_elsewhere_is_no_grid(headers):
    with pytest.raises(UnexpectedAnswer, match="no Vitrine service"):
        answered(httpx.Response(200, content=PNG, headers=headers), lambda v: v.vae.sample_grid())


def test_the_address_of_a_grid_tells_no_password():
    headers = {"Content-Type": "image/png", "X-Model": "vae/1"}

    grid = answered(
        httpx.Response(200, content=PNG, headers=headers), lambda v: v.vae.sample_png(n=1)
    )

    assert grid.url == "http://service.test/v1/vae/sample.png?n=1"
    assert grid.random_seed is None
