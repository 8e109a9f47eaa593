"""The VAE routes over HTTP, around a model one can compute in one's head."""

import asyncio
import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from service.codecs import latents
from tests.fake_vae import FakeVaeEngine, write_vae_version
from tests.fakes import renew
from tests.service.apps import in_process, patient
from tests.waiting import until

pytestmark = pytest.mark.anyio
VAE = "/v1/vae"


@pytest.fixture(scope="module")
def engine():
    return FakeVaeEngine()


@pytest.fixture(autouse=True)
def as_new(engine):
    """The engine is shared, and what a test sets in it is not."""
    renew(engine)


@pytest.fixture(scope="module")
async def client(tmp_path_factory, engine):
    models = tmp_path_factory.mktemp("models")
    write_vae_version(models)
    write_vae_version(models, "vae")
    async with in_process(patient(models), engine) as client:
        yield client


def encoded_image(left=0, right=255):
    pixels = np.zeros((28, 28), np.uint8)
    pixels[1:27, 1:14], pixels[1:27, 14:27] = left, right
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def pixels(uri):
    png = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(png)))


async def asked(client, path, /, **body):
    response = await client.post(VAE + path, json=body)
    assert response.status_code == 200, response.text
    return response.json()


async def test_samples_come_with_their_seed_and_latents(client):
    answer = await asked(client, "/sample", n=3, random_seed=7, scale=0.5)

    assert answer["model"] == {"name": "vae", "version": 1}
    assert answer["random_seed"] == 7
    assert np.allclose(answer["latents"], 0.5 * latents.draw(7, 3, 2), atol=1e-6)
    assert [pixels(uri)[5, 0] for uri in answer["images"]] == [
        int(128 + 40 * z[0]) for z in answer["latents"]
    ]


async def test_without_a_seed_one_is_drawn_that_gives_the_same_again(client):
    first = await asked(client, "/sample")
    again = await asked(client, "/sample", random_seed=first["random_seed"])

    assert len(first["images"]) == 16
    assert again == first


async def test_the_same_bytes_come_alone_and_in_company(client, engine):
    alone = await client.post(f"{VAE}/sample", json={"n": 3, "random_seed": 7})
    together = await asyncio.gather(
        *(client.post(f"{VAE}/sample", json={"n": 3, "random_seed": 7}) for _ in range(8))
    )

    assert {response.content for response in together} == {alone.content}
    assert {rows for _, rows in engine.runs} == {4}  # each alone, filled up to a warm size


async def test_more_than_a_batch_runs_in_several(client, engine):
    answer = await asked(client, "/sample", n=20, random_seed=1)

    assert len(answer["images"]) == 20
    assert engine.runs == [("decode", 8), ("decode", 8), ("decode", 4)]


async def test_who_prefers_an_image_gets_a_grid(client):
    body = {"n": 4, "random_seed": 7}
    response = await client.post(f"{VAE}/sample", json=body, headers={"Accept": "image/png"})

    assert response.headers["content-type"] == "image/png"
    assert response.headers["x-random-seed"] == "7"
    assert response.headers["x-model"] == "vae/1"
    assert Image.open(io.BytesIO(response.content)).size == (57, 57)


async def test_an_image_is_encoded_as_a_distribution(client):
    response = await client.post(f"{VAE}/encode?return=input", content=encoded_image())
    [encoding] = response.json()["encodings"]

    mean = 255 * 26 * 13 / (28 * 14) / 255
    kl = 0.5 * (mean**2 + 2 * (0.25 - 1 - np.log(0.25)))
    assert encoding["z_mean"] == pytest.approx([0, mean], abs=1e-5)
    assert encoding["z_log_var"] == pytest.approx([np.log(0.25)] * 2)
    assert encoding["kl"] == pytest.approx(kl, abs=1e-4)
    assert np.array_equal(pixels(encoding["input"]["image"]), pixels_of(encoded_image()))


def pixels_of(png):
    return np.asarray(Image.open(io.BytesIO(png)))


async def test_a_reconstruction_is_of_the_mean_unless_a_seed_says_otherwise(client):
    plain = (await client.post(f"{VAE}/reconstruct", content=encoded_image())).json()
    [row] = plain["reconstructions"]
    assert row["noise"] == [0, 0]
    assert row["z"] == pytest.approx([0, 26 * 13 / (28 * 14)], abs=1e-5)
    assert row["anomaly_score"] == pytest.approx(row["reconstruction_loss"] + row["kl"])
    assert "random_seed" not in plain

    drawn = (await client.post(f"{VAE}/reconstruct?random_seed=3", content=encoded_image())).json()
    [other] = drawn["reconstructions"]
    assert drawn["random_seed"] == 3
    assert other["noise"] == pytest.approx(latents.draw(3, 1, 2)[0].tolist())
    assert other["z"] == pytest.approx(np.add(row["z"], np.multiply(0.5, other["noise"])), abs=1e-5)


async def test_blank_images_and_photos_are_encoded_too(client):
    photo = io.BytesIO()
    Image.effect_noise((640, 480), 80).save(photo, "JPEG")
    for content in (encoded_image(0, 0), photo.getvalue()):
        assert (await client.post(f"{VAE}/encode", content=content)).status_code == 200


async def test_a_way_leads_from_an_image_to_a_seed(client):
    encoded = base64.b64encode(encoded_image()).decode()
    ends = {"from": encoded, "to": {"random_seed": 8}}
    answer = await asked(client, "/interpolate", **ends, steps=5, path="slerp")

    assert len(answer["images"]) == len(answer["latents"]) == 5
    assert answer["latents"][0] == pytest.approx([0, 26 * 13 / (28 * 14)], abs=1e-5)
    assert answer["latents"][-1] == pytest.approx(latents.draw(8, 1, 2)[0].tolist())
    rows = pixels_of(encoded_image()).tolist()
    again = await asked(client, "/interpolate", **{"from": rows, "to": {"random_seed": 8}})
    assert again["latents"][0] == answer["latents"][0]


async def test_a_named_version_of_an_image_is_kept_for_ever(client):
    url = f"{VAE}/sample.png?random_seed=7&n=4"
    response = await client.get(url)
    named = await client.get(url + "&version=1")

    assert response.headers["cache-control"] == "public, no-cache"
    assert named.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert named.content == response.content
    assert named.headers["etag"] == response.headers["etag"]
    other = await client.get(f"{VAE}/sample.png?random_seed=8&n=4")
    assert other.headers["etag"] != response.headers["etag"]


async def test_who_has_the_image_gets_none_and_no_model_runs(client, engine):
    url = f"{VAE}/manifold.png?size=3"
    first = await client.get(url)
    engine.runs.clear()
    second = await client.get(url, headers={"If-None-Match": first.headers["etag"]})

    assert Image.open(io.BytesIO(first.content)).size == (84, 84)
    assert (second.status_code, second.content, engine.runs) == (304, b"", [])


async def test_images_without_a_seed_are_not_stored(client):
    response = await client.get(f"{VAE}/sample.png")

    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-random-seed"].isdigit()


async def test_head_tells_what_get_would(client):
    response = await client.head(f"{VAE}/sample.png?random_seed=7")

    assert response.status_code == 200
    assert "etag" in response.headers


BAD = [
    ("/sample", {"n": 0}, "n must be a whole number from 1 to 256, got 0"),
    ("/sample", {"n": 10**6}, "n must be a whole number"),
    ("/sample", {"scale": -1}, "scale must be a number from 0 to 10"),
    ("/sample", {"random_seed": -1}, "random_seed must be a whole number"),
    ("/sample", {"latents": [[0, 0]]}, "got 'latents'"),
    ("/decode", {}, "latents must be a list of 1 to 256"),
    ("/decode", {"latents": []}, "latents must be a list of 1 to 256"),
    ("/decode", {"latents": [0, 0]}, "each a number from -1,000 to 1,000"),
    (
        "/decode",
        {"latents": [[0, 0, 0]]},
        "latents must be a latent vector of 2 values for this model, got a list of 3",
    ),
    ("/decode", {"latents": [[0, 1e30]]}, "a number from -1,000 to 1,000, got 1e+30 in it"),
    ("/decode", {"latents": [[0, True]]}, "got true in it"),
    ("/decode", {"latents": [[0, 0]] * 257}, "latents must be a list of 1 to 256"),
    ("/interpolate", {"to": [0, 0]}, "from must be an image, a latent vector, or"),
    (
        "/interpolate",
        {"from": [0], "to": [0, 0]},
        "from must be a latent vector of 2 values for this model, got a list of 1",
    ),
    (
        "/interpolate",
        {"from": [], "to": [0, 0]},
        "from must be a latent vector of 2 values for this model, got a list of 0",
    ),
    ("/interpolate", {"from": {"random_seed": 2**32}, "to": [0, 0]}, "from.random_seed"),
    ("/interpolate", {"from": {"digit": 3}, "to": [0, 0]}, "from must be an image"),
    ("/interpolate", {"from": [0, 0], "to": [0, 0], "steps": 65}, "steps must be a whole number"),
    (
        "/interpolate",
        {"from": [0, 0], "to": [0, 0], "path": "round"},
        "path must be 'lerp' or 'slerp'",
    ),
]


@pytest.mark.parametrize(("path", "body", "message"), BAD)
async def test_what_cannot_be_is_named(client, path, body, message):
    response = await client.post(VAE + path, json=body)

    assert response.status_code == 422
    assert response.json()["code"] == "invalid_value"
    assert message in response.json()["error"]


async def test_numbers_that_json_does_not_know_are_no_json(client):
    response = await client.post(f"{VAE}/decode", content=b'{"latents": [[NaN, 0]]}')

    assert (response.status_code, response.json()["code"]) == (400, "invalid_json")


async def test_values_of_addresses_are_checked(client):
    for query in ("sample.png?n=257", "sample.png?random_seed=x", "manifold.png?size=41"):
        response = await client.get(f"{VAE}/{query}")
        assert (response.status_code, response.json()["code"]) == (422, "invalid_value")


async def test_only_two_dimensions_fit_on_an_image(start, tmp_path, engine):
    engine.size = 3
    write_vae_version(tmp_path, size=3)
    client = await start()

    response = await client.get(f"{VAE}/manifold.png")

    assert response.status_code == 422
    assert "must have 2 latent dimensions" in response.json()["error"]


async def test_a_model_that_cannot_reconstruct_is_not_loaded(start, tmp_path, caplog):
    write_vae_version(tmp_path, without=["reconstruct"])
    client = await start(wait=False)

    def reasons():
        return [getattr(record, "error", "") for record in caplog.records]

    await until(lambda: any("reconstruct" in reason for reason in reasons()))
    assert any("needs the signature reconstruct" in reason for reason in reasons())
    image = {"instances": [[[0] * 28] * 28]}
    assert (await client.post("/v1/vae/reconstruct", json=image)).status_code in (404, 503)


async def test_images_that_are_not_the_golden_ones_are_refused(start, tmp_path, engine):
    directory = write_vae_version(tmp_path)
    path = directory / "assets.extra" / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "tolerance": {"images": 1.0}}))
    decode = engine.run
    engine.run = lambda name, inputs: {
        key: array + np.uint8(2) if key == "images" else array
        for key, array in decode(name, inputs).items()
    }
    client = await start(wait=False)

    async def is_told():
        return "images differs from golden by 2" in (await client.get("/v2/health/ready")).text

    await until(is_told)
    assert (await client.get("/v2/health/ready")).status_code == 503


async def test_of_many_wrong_numbers_only_the_first_is_looked_at(client, monkeypatch):
    noted = []
    monkeypatch.setattr("service.schemas.base._message", lambda _, found: noted.append(found) or "")

    answer = await client.post("/v1/vae/decode", json={"latents": [["a"] * 20_000] * 2})

    assert answer.status_code == 422
    assert [len(found) for found in noted] == [1]


async def test_fields_of_too_many_values_are_refused_before_they_are_parsed(client):
    answer = await client.post("/v1/vae/decode", json={"latents": [[0] * 200_001]})

    assert answer.status_code == 413
    assert "at most 200,000 JSON values" in answer.json()["error"]
