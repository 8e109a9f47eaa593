"""The client's VAE calls: what they send, and the typed values that come back."""

import base64
import json

import httpx
import pytest

from clients.python import InvalidValue, UnexpectedAnswer, Vitrine

PNG = b"\x89PNG\r\n\x1a\nsmall"
URI = "data:image/png;base64," + base64.b64encode(PNG).decode()
GRID = {"Content-Type": "image/png", "X-Model": "vae/2"}
MODEL = {"name": "vae", "version": 2}
ROW = {
    "image": URI, "z": [1, 2], "noise": [0, 0], "reconstruction_loss": 70, "kl": 20, "anomaly_score": 90,
}  # fmt: skip
ANSWERS = {
    "sample": {"random_seed": 7, "images": [URI], "latents": [[1, 2]]},
    "encode": {"encodings": [{"z_mean": [1, 2], "z_log_var": [0, 0], "kl": 3, "new": 1}]},
    "decode": {"images": [URI]},
    "reconstruct": {"reconstructions": [ROW]},
    "interpolate": {"images": [URI, URI], "latents": [[1, 2], [3, 4]]},
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
        return httpx.Response(200, json={"model": MODEL, **ANSWERS[route]})

    with Vitrine("http://service.test", transport=httpx.MockTransport(answer)) as client:
        yield client


def sent(requests):
    return json.loads(requests[-1].content)


def test_samples_are_pictures_and_latent_vectors(vitrine, requests):
    answer = vitrine.vae.sample(n=1, random_seed=7, scale=0.5, model="mine")

    assert sent(requests) == {"n": 1, "random_seed": 7, "scale": 0.5}
    assert requests[-1].url.params["model"] == "mine"
    assert answer.images == (PNG,)
    assert answer.latents == ((1.0, 2.0),)
    assert answer.random_seed == 7


def test_a_grid_is_asked_for_as_a_picture(vitrine, requests):
    assert vitrine.vae.sample_grid(n=4).png == PNG
    assert sent(requests) == {"n": 4}


def test_pictures_are_encoded_and_reconstructed(vitrine, requests):
    assert vitrine.vae.encode(b"picture").encodings[0].z_mean == (1.0, 2.0)
    assert requests[-1].content == b"picture"

    [row] = vitrine.vae.reconstruct(b"picture", random_seed=3).reconstructions
    assert requests[-1].url.params["random_seed"] == "3"
    assert (row.image, row.z, row.anomaly_score) == (PNG, (1.0, 2.0), 90.0)


def test_latent_vectors_are_decoded(vitrine, requests):
    assert vitrine.vae.decode([[1, 2]]).images == (PNG,)
    assert sent(requests) == {"latents": [[1.0, 2.0]]}


@pytest.mark.parametrize(
    ("end", "wire"),
    [(3, {"random_seed": 3}), ([1, 2], [1.0, 2.0]), (b"picture", "cGljdHVyZQ==")],
)
def test_an_end_is_a_seed_a_vector_or_a_picture(vitrine, requests, end, wire):
    answer = vitrine.vae.interpolate(end, 8, steps=2, path="slerp")

    assert sent(requests) == {"from": wire, "to": {"random_seed": 8}, "steps": 2, "path": "slerp"}
    assert len(answer.images) == 2


def test_a_refusal_of_a_grid_is_the_error_it_mirrors():
    refusal = {"error": "n is a whole number", "code": "invalid_value", "request_id": "1"}
    transport = httpx.MockTransport(lambda _: httpx.Response(422, json=refusal))
    with Vitrine("http://service.test", transport=transport) as client, pytest.raises(InvalidValue):
        client.vae.sample_grid(n=0)


def test_an_answer_that_is_none_is_unexpected():
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"images": "no"}))
    with (
        Vitrine("http://service.test", transport=transport) as client,
        pytest.raises(UnexpectedAnswer),
    ):
        client.vae.decode([[0, 0]])
