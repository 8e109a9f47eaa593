"""The explain routes over HTTP, around classifiers one can compute in one's head."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from tests.fake_images import FakePhotoEngine, write_photo_version
from tests.fakes import FakeEngine, every, renew, write_files, write_version
from tests.service.apps import in_process, patient

pytestmark = pytest.mark.anyio
IMAGES, DIGITS = "/v1/images/explain", "/v1/digits/explain"


class FakeMapsEngine(FakePhotoEngine):
    """FakePhotoEngine with class activation maps: the mean of the class' channel in each quarter."""

    def run(self, signature, inputs):
        if signature != "classify_and_explain":
            return super().run(signature, inputs)
        images = inputs["images"].astype(np.float32)
        count, height, width, _ = images.shape
        quarters = images.reshape(count, 2, height // 2, 2, width // 2, 3).mean(axis=(2, 4))
        scores = super().run("serving_default", inputs)["probabilities"]
        self.runs[-1] = (signature, images.shape)
        return {"probabilities": scores, "heatmaps": quarters[..., [0, 1, 2, 2]]}


def write_maps_version(root, name="maps"):
    """A version of 8×8 pixels and four colours, with class activation maps."""
    inputs = {"images": np.zeros((1, 8, 8, 3), np.uint8)}
    taken, scores = {"images": "uint8 [B,8,8,3]"}, {"probabilities": "float32 [B,4]"}
    outputs = {
        "serving_default": scores,
        "classify_and_explain": scores | {"heatmaps": "float32 [B,2,2,4]"},
    }
    golden = {}
    for key in outputs:
        golden[f"{key}/inputs/images"] = inputs["images"]
        golden |= {f"{key}/outputs/{k}": a for k, a in FakeMapsEngine().run(key, inputs).items()}
    manifest = {
        "name": name, "version": 1, "task": "classify_image", "framework": "fake 1.0",
        "input": {"height": 8, "width": 8, "channels": 3},
        "labels": [["n01", "red"], ["n02", "green"], ["n03", "blue"], ["n04", "none"]],
        "signatures": {key: {"inputs": taken, "outputs": given} for key, given in outputs.items()},
        "max_batch_size": 8,
    }  # fmt: skip
    write_files(root, manifest, golden, {})


@pytest.fixture(scope="module")
def engines():
    return {"labels": FakePhotoEngine(), "maps": FakeMapsEngine(), "digits": FakeEngine()}


@pytest.fixture(autouse=True)
def as_new(engines):
    """The engines are shared, and what a test sets in them is not."""
    for engine in engines.values():
        renew(engine)


@pytest.fixture(scope="module")
async def client(tmp_path_factory, engines):
    models = tmp_path_factory.mktemp("models")
    write_photo_version(models)
    write_maps_version(models)
    write_version(models)

    def load(directory, manifest):
        return every(engines[directory.parent.name])(directory, manifest)

    async with in_process(patient(models), None, load_engines=load) as client:
        yield client


def png(array):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def red_corner():
    """Red at the lower right, a little green at the upper left, on black."""
    image = np.zeros((8, 8, 3), np.uint8)
    image[4:, 4:, 0] = 240
    image[:4, :4, 1] = 120
    return png(image)


async def test_a_class_activation_map_is_high_where_the_class_is(client, engines):
    answer = (await client.post(f"{IMAGES}?model=maps&top=2", content=red_corner())).json()
    red, green = answer["explanations"][0]

    assert answer["model"] == {"name": "maps", "version": 1}
    assert (red["class_name"], red["class_description"], red["method"]) == ("n01", "red", "cam")
    assert red["score"] > green["score"] > 0
    assert red["heatmap"] == [[0, 0], [0, 1]]
    assert green["heatmap"] == [[1, 0], [0, 0]]
    assert [name for name, _ in engines["maps"].runs] == ["classify_and_explain"]


async def test_occlusion_finds_the_same_place_without_a_signature_for_it(client):
    answer = await client.post(f"{IMAGES}?model=maps&method=occlusion", content=red_corner())
    [[red]] = answer.json()["explanations"]
    heat = np.array(red["heatmap"])

    assert red["method"] == "occlusion"
    assert heat.max() == 1
    assert heat[len(heat) // 2 :, heat.shape[1] // 2 :].mean() > 4 * heat[:3, :3].mean()


async def test_a_model_without_maps_is_occluded_in_runs_of_two_and_a_hundred_windows(
    client, engines
):
    answer = await client.post(f"{IMAGES}?top=4", content=red_corner())
    runs = engines["labels"].runs

    assert {row["method"] for row in answer.json()["explanations"][0]} == {"occlusion"}
    assert {shape[0] for _, shape in runs[1:]} <= {1, 2}
    assert sum(shape[0] for _, shape in runs[1:]) <= 100


@pytest.mark.parametrize("asked", ["n02", "green", "1"])
async def test_one_class_is_asked_for_by_id_label_or_index(client, asked):
    answer = await client.post(f"{IMAGES}?model=maps&class={asked}", content=red_corner())
    [[only]] = answer.json()["explanations"]

    assert (only["class_description"], only["heatmap"]) == ("green", [[1, 0], [0, 0]])


async def test_several_images_are_explained_in_order(client):
    blue = np.zeros((8, 8, 3), np.uint8)
    blue[:4, 4:, 2] = 200
    files = [("a", red_corner()), ("b", png(blue))]
    answer = (await client.post(f"{IMAGES}?model=maps", files=files)).json()

    assert [row[0]["class_description"] for row in answer["explanations"]] == ["red", "blue"]


async def test_the_overlay_comes_as_a_png(client):
    headers = {"Accept": "image/png"}
    answer = await client.post(f"{IMAGES}?model=maps", content=red_corner(), headers=headers)
    image = np.asarray(Image.open(io.BytesIO(answer.content)))

    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-model"] == "maps/1"
    assert image.shape == (224, 224, 3)
    assert image[200, 200, 0] > image[20, 200, 0]


async def test_the_json_holds_the_same_overlay(client):
    [[row]] = (await client.post(f"{IMAGES}?model=maps", content=red_corner())).json()[
        "explanations"
    ]
    image = Image.open(
        io.BytesIO(base64.b64decode(row["image"].removeprefix("data:image/png;base64,")))
    )

    assert image.size == (224, 224)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?method=cam", "method must be 'occlusion' for labels"),
        ("?method=gradient", "method"),
        (
            "?model=maps&class=dog",
            "class must be an id, a label or an index from 0 to 3, got 'dog'",
        ),
        ("?model=maps&class=red&top=2", "send only one"),
        ("?model=maps&top=5", "top"),
        ("?model=maps&top=x", "top"),
    ],
)
async def test_what_cannot_be_explained_is_refused_in_words(client, query, words):
    answer = await client.post(IMAGES + query, content=red_corner())

    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_value"
    assert words in answer.json()["error"]


async def test_a_digit_is_explained_by_occlusion(client, engines):
    image = np.zeros((28, 28), np.uint8)
    image[20, 20] = 255  # one lit pixel: FakeEngine reads a 1
    [[row]] = (await client.post(DIGITS, content=png(image))).json()["explanations"]
    heat = np.array(row["heatmap"])

    assert (row["digit"], row["probability"], row["method"]) == (1, 1.0, "occlusion")
    assert heat[7, 7] == 1
    assert heat[0, 0] == 0
    assert sum(engines["digits"].batch_sizes[1:]) == 100


async def test_another_digit_may_be_asked_for(client):
    image = np.zeros((28, 28), np.uint8)
    image[20, 20] = 255
    [[row]] = (await client.post(f"{DIGITS}?class=0", content=png(image))).json()["explanations"]
    answer = await client.post(f"{DIGITS}?class=10", content=png(image))

    assert (row["digit"], row["probability"]) == (0, 0.0)
    assert answer.status_code == 422


async def test_an_explanation_that_would_be_late_is_refused(client, engines):
    image = np.zeros((28, 28), np.uint8)
    image[20, 20] = 255
    await client.post(DIGITS, content=png(image))  # how long it takes is known now
    many = [("image", png(image))] * 60
    answer = await client.post(DIGITS, files=many, headers={"X-Timeout-Ms": "1"})

    assert answer.status_code in (429, 504)
