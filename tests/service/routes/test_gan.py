"""The GAN routes over HTTP, around a model one can compute in one's head."""

import asyncio
import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from service.codecs import latents
from service.scheduling.run_cost import RunCost
from tests.fake_gan import FakeGanEngine, write_gan_version
from tests.fakes import renew
from tests.service.apps import in_process, on_a_socket, patient
from tests.waiting import until, until_waiting

pytestmark = pytest.mark.anyio
GAN = "/v1/gan"


@pytest.fixture(scope="module")
def engine():
    return FakeGanEngine()


@pytest.fixture(autouse=True)
def as_new(engine):
    """The engine is shared, and what a test sets in it is not."""
    renew(engine)


@pytest.fixture(scope="module")
async def client(tmp_path_factory, engine):
    models = tmp_path_factory.mktemp("models")
    write_gan_version(models)
    async with in_process(patient(models), engine) as client:
        yield client


@pytest.fixture
async def served(tmp_path, engine):
    write_gan_version(tmp_path)
    async with on_a_socket(patient(tmp_path, port=0), engine) as client:
        engine.runs.clear()
        yield client


def drawing(boxes=((4, 10),)):
    pixels = np.full((60, 60), 255, np.uint8)
    for left, width in boxes:
        pixels[10:50, left : left + width] = 0
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def grey(uri):
    png = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    return int(np.asarray(Image.open(io.BytesIO(png)))[5, 5])


async def asked(client, path, /, **body):
    response = await client.post(GAN + path, json=body)
    assert response.status_code == 200, response.text
    return response.json()


async def test_samples_are_of_the_digit_that_was_named(client):
    answer = await asked(client, "/sample", n=3, random_seed=7, digit=4, truncation=0.5)

    assert answer["digits"] == [4, 4, 4]
    assert np.allclose(answer["z"], latents.draw(7, 3, 2), atol=1e-6)
    assert np.allclose(np.array(answer["w"])[:, :2], 0.5 * np.array(answer["z"]), atol=1e-6)
    assert [grey(uri) for uri in answer["images"]] == [40, 40, 40]


async def test_digits_are_drawn_from_the_seed(client):
    first = await asked(client, "/sample", n=100)
    again = await asked(client, "/sample", n=100, random_seed=first["random_seed"])

    assert again == first
    assert len(set(first["digits"])) > 5
    assert set(first["digits"]) <= set(range(10))


async def test_the_same_bytes_come_alone_and_in_company(client, engine):
    alone = await client.post(f"{GAN}/sample", json={"n": 3, "random_seed": 7})
    together = await asyncio.gather(
        *(client.post(f"{GAN}/sample", json={"n": 3, "random_seed": 7}) for _ in range(8))
    )

    assert {response.content for response in together} == {alone.content}
    assert {rows for _, rows in engine.runs} == {4}


async def test_more_than_a_batch_runs_in_several(client, engine):
    await asked(client, "/sample", n=20)

    assert engine.runs == [("sample", 8), ("sample", 8), ("sample", 4)]


async def test_who_prefers_an_image_gets_a_grid(client):
    body = {"n": 4, "random_seed": 7}
    response = await client.post(f"{GAN}/sample", json=body, headers={"Accept": "image/png"})

    assert response.headers["content-type"] == "image/png"
    assert response.headers["x-random-seed"] == "7"
    assert Image.open(io.BytesIO(response.content)).size == (57, 57)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("Image/PNG", "image/png"),
        ("image/png, application/json", "image/png"),
        ("application/json;q=0.5, image/png;q=0.9", "image/png"),
        ("image/png;q=best", "image/png"),
        ("image/png;q=0", "application/json"),
        ("image/png;q=0.5, application/json", "application/json"),
        ("*/*", "application/json"),
    ],
)
async def test_the_preferred_form_of_an_answer_is_sent(client, accept, expected):
    response = await client.post(f"{GAN}/sample", json={"n": 1}, headers={"Accept": accept})

    assert response.headers["content-type"] == expected


async def test_image_addresses_are_kept_as_long_as_they_mean_the_same(client, engine):
    url = f"{GAN}/sample.png?random_seed=7&n=4&digit=3"
    first, named = await client.get(url), await client.get(url + "&version=1")
    engine.runs.clear()
    again = await client.get(url, headers={"If-None-Match": first.headers["etag"]})
    head, seedless = await client.head(url), await client.get(f"{GAN}/sample.png")

    assert (again.status_code, again.content) == (304, b"")
    every = await client.get(url, headers={"If-None-Match": "*"})

    assert every.status_code == 304
    assert "immutable" in named.headers["cache-control"]
    assert first.headers["cache-control"] == "public, no-cache"
    assert head.headers["etag"] == first.headers["etag"]
    assert seedless.headers["cache-control"] == "no-store"
    other = await client.get(url.replace("digit=3", "digit=4"))
    assert other.headers["etag"] != first.headers["etag"]


async def test_a_way_through_w_leads_from_digit_to_digit(client):
    ends = {"from": {"random_seed": 3, "digit": 2}, "to": [0, 0, 6]}
    answer = await asked(client, "/interpolate", **ends, steps=5)

    assert [grey(uri) for uri in answer["images"]] == [20, 30, 40, 50, 60]
    assert answer["latents"][-1] == [0, 0, 6]


async def test_a_way_through_z_is_of_one_digit(client):
    ends = {"from": {"random_seed": 3, "digit": 2}, "to": {"random_seed": 8}}
    answer = await asked(client, "/interpolate", **ends, steps=3, space="z", path="slerp")

    assert np.allclose(answer["z"][-1], latents.draw(8, 1, 2)[0])
    assert [grey(uri) for uri in answer["images"]] == [20, 20, 20]


async def test_mixing_takes_the_fine_part_of_the_other(client):
    answer = await asked(client, "/mix", coarse=[1, 2, 3], fine=[4, 5, 6])

    assert answer["latents"] == [[1, 2, 6]]


async def test_an_edit_moves_along_a_direction_by_sigmas(client):
    answer = await asked(client, "/edit", latent=[0, 0, 5], direction="grey", strength=[-1, 0, 1.5])
    one = await asked(
        client, "/edit", image=base64.b64encode(drawing()).decode(), direction="grey", strength=1
    )

    assert answer["latents"] == [[0, 0, 3], [0, 0, 5], [0, 0, 8]]
    assert len(one["images"]) == 1


async def test_directions_say_how_well_they_were_measured(client):
    [direction] = (await client.get(f"{GAN}/directions")).json()["directions"]

    assert (direction["name"], direction["sigma"], direction["rho"]) == ("grey", 2, 1)
    assert "vector" not in direction


async def test_the_discriminator_takes_any_image(client):
    response = await client.post(f"{GAN}/discriminate?return=input", content=drawing())
    [prediction] = response.json()["predictions"]

    assert 0 < prediction["probability_real"] < 1
    assert prediction["input"]["steps"]


async def test_a_projection_makes_its_steps_in_short_runs(client, engine):
    url = f"{GAN}/project?steps=12&start=mean&return=input"
    answer = (await client.post(url, content=drawing())).json()

    assert engine.runs == [("project", 1)] * 3  # 5, 5 and 2 steps
    assert answer["latents"][0] == pytest.approx([1.2, 1.2, 6.2], abs=1e-5)
    assert answer["losses"] == [pytest.approx(1 / 13)]
    assert answer["psnr"][0] > 0
    assert answer["inputs"][0]["steps"]


async def test_many_images_are_projected_in_runs_that_the_model_allows(client, engine):
    files = [("f", drawing()) for _ in range(6)]
    answer = (await client.post(f"{GAN}/project?steps=5", files=files)).json()

    assert len(answer["latents"]) == 6
    assert engine.runs == [("encode", 8), ("project", 4), ("project", 2)]


async def test_a_projection_can_be_an_image(client):
    response = await client.post(
        f"{GAN}/project?steps=1", content=drawing(), headers={"Accept": "image/png"}
    )

    assert Image.open(io.BytesIO(response.content)).size == (28, 28)


def events_of(text):
    parts = text.removesuffix("\n\n").split("\n\n")
    assert parts.pop() == "data: [DONE]"
    return [json.loads(part.removeprefix("data: ")) for part in parts]


async def test_a_streamed_projection_ends_with_what_the_whole_one_answers(served):
    url = f"{GAN}/project?steps=12"
    streamed = await served.post(url + "&stream=true", content=drawing())
    whole = await served.post(url, content=drawing())
    *steps, last = events_of(streamed.text)

    assert streamed.headers["content-type"].startswith("text/event-stream")
    assert [step["step"] for step in steps] == [0, 5, 10, 12]
    assert steps[0].keys() == {"index", "step", "loss", "image"}
    assert last == whole.json()


@pytest.mark.usefixtures("quick_leaving")
async def test_a_client_that_leaves_ends_the_projection(served, engine):
    engine.seconds_each_run = 0.02
    url = f"{GAN}/project?steps=1000"
    async with served.stream("POST", url + "&stream=true", content=drawing()) as response:
        await anext(response.aiter_text())
    await until_waiting(served, 0, "gan")
    whole = asyncio.create_task(served.post(url, content=drawing()))
    await until_waiting(served, 1, "gan")
    whole.cancel()
    await until_waiting(served, 0, "gan")

    assert len(engine.runs) < 300  # of the four hundred that the two need


@pytest.mark.usefixtures("no_estimates")
async def test_a_projection_that_takes_too_long_says_so(served, engine):
    engine.seconds_each_run = 0.05
    response = await served.post(
        f"{GAN}/project?steps=1000", content=drawing(), headers={"X-Timeout-Ms": "700"}
    )

    assert (response.status_code, response.json()["code"]) == (504, "deadline_exceeded")


@pytest.mark.parametrize(("query", "images"), [("steps=1000", 1), ("steps=50", 40)])
@pytest.mark.parametrize("stream", ["", "&stream=true"])
async def test_what_cannot_be_done_in_time_is_refused_at_once(
    served, engine, query, images, stream, monkeypatch
):
    # Not what is measured, which depends on the machine.
    monkeypatch.setattr(RunCost, "seconds", lambda _, rows, steps=1: 1.0 * steps)
    hurried = {"X-Timeout-Ms": "60000"}
    url = f"{GAN}/project?start=mean&"
    engine.runs.clear()
    files = [("f", drawing())] * images
    refused = await served.post(url + query + stream, files=files, headers=hurried)
    runs = list(engine.runs)
    short = await served.post(f"{url}steps=5{stream}", content=drawing(), headers=hurried)

    assert (refused.status_code, refused.json()["code"]) == (429, "overloaded")
    assert "ask for fewer steps, or for more time with X-Timeout-Ms" in refused.json()["error"]
    assert int(refused.headers["retry-after"]) >= 1
    assert runs == []
    assert short.status_code == 200


async def test_only_one_digit_can_be_projected(client):
    for content in (drawing(()), drawing(((4, 8), (40, 8)))):
        response = await client.post(f"{GAN}/project", content=content)
        assert (response.status_code, response.json()["code"]) == (422, "invalid_image")


POINTS = {"from": [0, 0, 0], "to": [0, 0, 0]}
BAD = [
    ("/sample", {"n": 0}, "n must be a whole number from 1 to 256, got 0"),
    ("/sample", {"n": 10**6}, "n must be a whole number"),
    ("/sample", {"digit": 10}, "digit must be a whole number from 0 to 9"),
    ("/sample", {"truncation": 3}, "truncation must be a number from 0 to 2"),
    (
        "/interpolate",
        {**POINTS, "from": [0, 0]},
        "from must be a latent vector of 3 values for this model, got a list of 2",
    ),
    ("/interpolate", {**POINTS, "from": [0, 0, 1e30]}, "got 1e+30"),
    (
        "/interpolate",
        {**POINTS, "space": "z"},
        "from must be a latent vector of 2 values for this model, got a list of 3",
    ),
    ("/interpolate", {"from": [0, 0], "to": [0, 0], "space": "z"}, "digit must be given with z"),
    (
        "/interpolate",
        {"from": {"z": [0, 0], "digit": 1}, "to": {"z": [0, 0], "digit": 2}, "space": "z"},
        "the same digit if space is z, got 1 and 2: use space=w",
    ),
    ("/interpolate", {**POINTS, "steps": 10**9}, "steps must be a whole number from 2 to 64"),
    ("/mix", {"coarse": [0, 0, 0]}, "fine must be an image, a w"),
    ("/mix", {"coarse": {"random_seed": 3, "z": [0, 0]}, "fine": [0, 0, 0]}, "coarse must be"),
    ("/mix", {"coarse": {"z": [0, 0]}, "fine": [0, 0, 0]}, "digit must be given with z"),
    ("/edit", {"latent": [0, 0, 0], "direction": "age", "strength": 1}, "direction must be 'grey"),
    ("/edit", {"direction": "grey", "strength": 1}, "exactly one of latent and image"),
    (
        "/edit",
        {"latent": [0, 0, 0], "direction": "grey"},
        "strength must be a number from -10 to 10 or a list of 1 to 64",
    ),
    (
        "/edit",
        {"latent": [0, 0, 0], "direction": "grey", "strength": 99},
        "strength must be a number",
    ),
]


@pytest.mark.parametrize(("path", "body", "message"), BAD)
async def test_what_cannot_be_is_named(client, path, body, message):
    response = await client.post(GAN + path, json=body)

    assert (response.status_code, response.json()["code"]) == (422, "invalid_value")
    assert message in response.json()["error"]


async def test_values_of_addresses_are_checked(client):
    for query in ("steps=0", "steps=1000000000", "loss=l1", "start=zero", "stream=perhaps"):
        response = await client.post(f"{GAN}/project?{query}", content=drawing())
        assert (response.status_code, response.json()["code"]) == (422, "invalid_value")
    for query in ("truncation=nan", "truncation=-1", "digit=10", "n=257"):
        response = await client.get(f"{GAN}/sample.png?{query}")
        assert (response.status_code, response.json()["code"]) == (422, "invalid_value")


@pytest.mark.parametrize(
    "changes", [{"without": ["project"], "batch_limits": {}}, {"latents": None}, {"w_mean": [0]}]
)
async def test_a_model_that_lacks_something_is_not_loaded(start, tmp_path, changes):
    write_gan_version(tmp_path, **changes)
    client = await start(wait=False)

    async def is_told():
        ready = (await client.get("/v1/models/gan")).text
        return any(word in ready for word in ("needs the signature", "latents", "w_mean"))

    await until(is_told)
    assert "AVAILABLE" not in (await client.get("/v1/models/gan")).text
