"""`on_error=report`: an image that cannot be used is told of in its place; the others are answered."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from tests.fake_gan import FakeGanEngine, write_gan_version
from tests.fake_images import fake_engine, write_clothes_version, write_photo_version
from tests.fake_vae import FakeVaeEngine, write_vae_version
from tests.fakes import FakeEngine, every, write_version
from tests.service.apps import in_process, patient

pytestmark = pytest.mark.anyio
ROUTES = [  # path, query, the columns of its answer
    ("/v1/digits/classify", "", ["predictions"]),
    ("/v1/digits/classify", "return=input", ["predictions"]),
    ("/v1/digits/explain", "", ["explanations"]),
    ("/v1/images/label", "top=2", ["predictions"]),
    ("/v1/images/label", "return=input", ["predictions", "inputs"]),
    ("/v1/images/features", "", ["features"]),
    ("/v1/images/features", "top=1", ["features", "predictions"]),
    ("/v1/images/explain", "top=2", ["explanations"]),
    ("/v1/fashion/classify", "", ["predictions"]),
    ("/v1/fashion/classify", "head=both&return=input", ["predictions"]),
    ("/v1/vae/encode", "", ["encodings"]),
    ("/v1/vae/reconstruct", "random_seed=3", ["reconstructions"]),
    ("/v1/gan/discriminate", "return=input", ["predictions"]),
    ("/v1/gan/project", "steps=4", ["images", "latents", "losses", "psnr"]),
    ("/v1/gan/project", "steps=4&return=input", ["images", "latents", "losses", "psnr", "inputs"]),
]
IDS = [f"{path}?{query}" for path, query, _ in ROUTES]


class NotFinite:
    """An engine whose floats are NaN for an image whose last pixel is 77."""

    def __init__(self, engine):
        self._engine = engine

    def __getattr__(self, name):
        return getattr(self._engine, name)

    def run(self, signature, inputs):
        outputs = self._engine.run(signature, inputs)
        if "images" not in inputs:
            return outputs
        bad = inputs["images"][:, -1, -1, 0] == 77
        for array in outputs.values():
            if array.dtype.kind == "f":
                array[bad] = np.nan
        return outputs


@pytest.fixture(scope="module")
async def client(tmp_path_factory):
    models = tmp_path_factory.mktemp("models")
    write_version(models)
    write_photo_version(models)
    write_clothes_version(models, "fashion-dense")
    write_clothes_version(models, "fashion-svm")
    write_vae_version(models, "vae")
    write_gan_version(models)
    engines = {"digits": FakeEngine, "vae": FakeVaeEngine, "gan": FakeGanEngine}

    def load(directory, manifest):
        name = directory.parent.name
        engine = NotFinite(engines[name]() if name in engines else fake_engine(name))
        return every(engine)(directory, manifest)

    async with in_process(patient(models), None, load_engines=load) as client:
        yield client


def drawing(left, corner=0):
    pixels = np.zeros((28, 28), np.uint8)
    pixels[6:22, left : left + 4] = 255
    pixels[0, 0] = corner
    return encoded(pixels)


def encoded(pixels):
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


GOOD = [drawing(8), drawing(14)]
NO_IMAGE, CUT_OFF = b"no image at all", drawing(9)[:60]


async def post(client, path, query, images):
    files = [("f", (f"{number}.png", image)) for number, image in enumerate(images)]
    return await client.post(f"{path}?{query}", files=files)


@pytest.mark.parametrize(("path", "query", "columns"), ROUTES, ids=IDS)
async def test_the_good_images_are_answered_as_if_they_were_alone(client, path, query, columns):
    alone = (await post(client, path, query, GOOD)).json()
    images = [NO_IMAGE, GOOD[0], CUT_OFF, GOOD[1]]

    response = await post(client, path, f"{query}&on_error=report", images)

    assert response.status_code == 200, response.text
    answer = response.json()
    assert answer["model"] == alone["model"]
    for column in columns:
        assert [answer[column][place] for place in (1, 3)] == alone[column]
        first, second = answer[column][0], answer[column][2]
        assert first["code"] == "unsupported_image"
        assert second["code"] == "invalid_image"
        assert "truncated or corrupt" in second["error"]
        assert not first["error"].startswith("image ")
        assert set(first) == {"error", "code"}


@pytest.mark.parametrize(("path", "query", "columns"), ROUTES, ids=IDS)
async def test_without_it_one_image_that_cannot_be_used_fails_the_request(
    client, path, query, columns
):
    for asked in (query, f"{query}&on_error=fail"):
        response = await post(client, path, asked, [GOOD[0], CUT_OFF])

        assert response.status_code == 422
        assert response.json()["error"].startswith("image 2: ")
        assert columns[0] not in response.json()


@pytest.mark.parametrize(("path", "query", "columns"), ROUTES, ids=IDS)
async def test_where_no_image_can_be_used_every_place_says_why(client, path, query, columns):
    response = await post(client, path, f"{query}&on_error=report", [NO_IMAGE, CUT_OFF])

    assert response.status_code == 200, response.text
    for column in columns:
        codes = [place["code"] for place in response.json()[column]]
        assert codes == ["unsupported_image", "invalid_image"]


START = ("/v1/gan/project", "steps=4&start=mean&return=input", ["images", "latents", "inputs"])
NAN = [*ROUTES, START]


@pytest.mark.parametrize(
    ("path", "query", "columns"), NAN, ids=[f"{path}?{query}" for path, query, _ in NAN]
)
async def test_an_image_for_which_the_model_gives_nan_is_named_or_reported(
    client, path, query, columns
):
    query += "&normalize=off"
    size = 16 if "/images/" in path else 28  # what the fake model takes as it is
    good, bad = (
        encoded(np.pad(np.full((1, 1), corner, np.uint8), (size - 1, 0))) for corner in (0, 77)
    )
    alone = (await post(client, path, query, [good])).json()
    failed = await post(client, path, query, [good, bad])
    reported = await post(client, path, f"{query}&on_error=report", [good, bad, good])

    assert failed.status_code == 422
    assert failed.json()["error"].startswith("image 2: the model must give finite numbers")
    assert reported.status_code == 200, reported.text
    for column in columns:
        first, second, _ = reported.json()[column]
        assert "finite numbers" in second["error"]
        assert json.dumps(first) == json.dumps(alone[column][0]) or path == "/v1/vae/reconstruct"


async def test_where_no_projection_stays_finite_every_place_says_why(client):
    bad = np.zeros((28, 28), np.uint8)
    bad[-1, -1] = 77
    for start in ("encoder", "mean"):
        query = f"steps=4&normalize=off&on_error=report&start={start}"
        response = await post(client, "/v1/gan/project", query, [encoded(bad)] * 2)

        assert response.status_code == 200
        assert [place["code"] for place in response.json()["losses"]] == ["invalid_image"] * 2


async def test_events_of_a_projection_name_the_place_in_the_request(client):
    images = [NO_IMAGE, GOOD[0]]
    query = "steps=4&stream=true&on_error=report"

    response = await post(client, "/v1/gan/project", query, images)

    events = [
        json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: {")
    ]
    assert {event["index"] for event in events[:-1]} == {1}
    assert events[-1]["images"][0]["code"] == "unsupported_image"
    assert events[-1]["images"][1].startswith("data:image/png")


async def test_what_is_over_a_limit_fails_the_request_all_the_same(client):
    wide = encoded(np.zeros((5001, 5001), np.uint8))

    too_many = await post(client, "/v1/digits/classify", "on_error=report", GOOD * 33)
    too_large = await post(client, "/v1/digits/classify", "on_error=report", [GOOD[0], wide])

    assert (too_many.status_code, too_large.status_code) == (413, 413)
    assert too_many.json()["code"] == "too_many_images"
    assert too_large.json()["code"] == "image_too_large"


async def test_another_word_for_it_is_refused(client):
    response = await post(client, "/v1/digits/classify", "on_error=ignore", GOOD)

    assert response.status_code == 422
    assert response.json()["error"] == "on_error must be 'fail' or 'report', got 'ignore'"


async def test_the_report_works_for_images_in_json_too(client):
    body = {"images": ["not base64!", [[0, 255] * 14] * 28]}

    response = await client.post("/v1/vae/encode?on_error=report", json=body)

    first, second = response.json()["encodings"]
    assert first["code"] == "invalid_value"
    assert set(second) == {"z_mean", "z_log_var", "kl"}
