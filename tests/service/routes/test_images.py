"""The routes of image classes over HTTP, around models one can compute in one's head."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from service.runtime.manifest import ManifestError, read_manifest
from tests.fake_images import (
    FakePhotoEngine,
    fake_engine,
    write_clothes_version,
    write_photo_version,
)
from tests.fakes import FakeEngine, every, write_version
from tests.service.apps import in_process, patient

pytestmark = pytest.mark.anyio
LABEL, FEATURES, FASHION = "/v1/images/label", "/v1/images/features", "/v1/fashion/classify"


PHOTOS = FakePhotoEngine()


@pytest.fixture
def photos(client):
    PHOTOS.runs.clear()
    return PHOTOS


@pytest.fixture(scope="module")
async def client(tmp_path_factory):
    models = tmp_path_factory.mktemp("models")
    write_photo_version(models)
    for name in ("fashion-dense", "fashion-svm", "my-fashion"):
        write_clothes_version(models, name)
    write_version(models)

    def load(directory, manifest):
        name = directory.parent.name
        engines = {"digits": FakeEngine(), "labels": PHOTOS}
        return every(engines.get(name) or fake_engine(name))(directory, manifest)

    async with in_process(patient(models), None, load_engines=load) as client:
        yield client


def encoded_image(colour=(200, 0, 0), size=(40, 30), kind="PNG", mode="RGB", **options):
    buffer = io.BytesIO()
    Image.new(mode, size, colour).save(buffer, kind, **options)
    return buffer.getvalue()


def clothing(lit=5, size=28, light=False):
    pixels = np.zeros((size, size), np.uint8)
    pixels[size // 2, size // 4 : size // 4 + lit] = 255
    buffer = io.BytesIO()
    Image.fromarray(255 - pixels if light else pixels).save(buffer, "PNG")
    return buffer.getvalue()


async def asked(client, url, content, **options):
    response = await client.post(url, content=content, **options)
    assert response.status_code == 200, response.text
    return response.json()


async def refused(client, url, content=b"", **options):
    response = await client.post(url, content=content, **options)
    assert 400 <= response.status_code < 500, response.text
    return response.status_code, response.json()["code"], response.json()["error"]


async def test_a_photo_gets_labels_as_decode_predictions_gives_them(client):
    answer = await asked(client, f"{LABEL}?top=2", encoded_image())

    assert answer["model"] == {"name": "labels", "version": 1}
    [labels] = answer["predictions"]
    assert [label["class_name"] for label in labels] == ["n01", "n04"]
    assert [label["class_description"] for label in labels] == ["red", "none"]
    assert [label["score"] for label in labels] == pytest.approx([200 / 201, 1 / 201])


async def test_without_top_there_are_five_labels_or_as_many_as_there_are(client):
    [labels] = (await asked(client, LABEL, encoded_image((0, 9, 0))))["predictions"]

    assert len(labels) == 4
    assert labels[0]["class_description"] == "green"


@pytest.mark.parametrize("top", ["0", "5", "5000", "-1", "two", ""])
async def test_top_is_from_one_to_the_number_of_classes(client, top):
    status, code, message = await refused(client, f"{LABEL}?top={top}", encoded_image())

    assert (status, code) == (422, "invalid_value")
    expected = "from 1 to 4" if top in ("5", "5000") else "of at least 1"
    assert message.startswith(f"top must be a whole number {expected}")
    assert f"got '{top}'" in message or f"got {top}" in message


async def test_features_come_alone_or_with_labels_of_the_same_run(client, photos):
    alone = await asked(client, FEATURES, encoded_image((200, 10, 0)))
    both = await asked(client, f"{FEATURES}?top=1", encoded_image((200, 10, 0)))

    assert alone["features"] == both["features"] == [[200, 10, 0]]
    assert "predictions" not in alone
    assert both["predictions"][0][0]["class_name"] == "n01"
    assert [signature for signature, _ in photos.runs] == ["features", "features_and_probabilities"]


async def test_a_model_without_features_says_so(client):
    status, code, message = await refused(client, f"{FEATURES}?model=my-fashion", clothing())

    assert (status, code) == (422, "invalid_value")
    assert "the signature features, got my-fashion" in message


async def test_a_model_of_another_task_is_refused_by_the_task_that_is_wanted(client):
    status, code, message = await refused(client, f"{LABEL}?model=digits", encoded_image())

    assert (status, code) == (404, "model_not_found")
    assert message.startswith("model must be one of task classify_image")


async def test_the_centre_of_a_photo_is_what_counts(client, photos):
    wide = Image.new("RGB", (64, 16), (0, 0, 200))
    wide.paste((200, 0, 0), (24, 0, 40, 16))
    buffer = io.BytesIO()
    wide.save(buffer, "PNG")

    await asked(client, LABEL, buffer.getvalue())

    assert photos.runs == [("serving_default", (1, 16, 16, 3))]
    assert (photos.images == (200, 0, 0)).all()


async def test_return_input_shows_what_the_model_saw(client):
    answer = await asked(
        client, f"{LABEL}?return=input", encoded_image(size=(640, 480), kind="JPEG")
    )
    [seen] = answer["inputs"]

    png = base64.b64decode(seen["image"].partition(",")[2])
    assert Image.open(io.BytesIO(png)).size == (16, 16)
    assert seen["steps"] == ["cropped", "resized"]


async def test_normalize_off_takes_only_an_image_of_the_right_size(client):
    answer = await asked(
        client, f"{LABEL}?normalize=off&return=input", encoded_image(size=(16, 16))
    )
    status, code, message = await refused(client, f"{LABEL}?normalize=off", encoded_image())

    assert answer["inputs"][0]["steps"] == []
    assert (status, code) == (422, "invalid_image")
    assert "16 × 16 pixels, got 40 × 30" in message


def orientated():
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded_image(kind="JPEG", exif=exif)


def animated():
    buffer = io.BytesIO()
    second = Image.new("RGB", (20, 20), (0, 0, 200))
    Image.new("RGB", (20, 20), (200, 0, 0)).save(
        buffer, "GIF", save_all=True, append_images=[second]
    )
    return buffer.getvalue()


def transparent_palette():
    image = Image.new("P", (20, 20), 1)
    image.putpalette([0, 0, 0, 200, 0, 0])
    buffer = io.BytesIO()
    image.save(buffer, "PNG", transparency=0)
    return buffer.getvalue()


REDDISH = {
    "one pixel": encoded_image(size=(1, 1)),
    "1 × 5000": encoded_image(size=(1, 5000)),
    "5000 × 1": encoded_image(size=(5000, 1)),
    "28 × 28": encoded_image(size=(28, 28)),
    "large": encoded_image(size=(2000, 1500)),
    "CMYK": encoded_image((0, 255, 255, 55), kind="JPEG", mode="CMYK"),
    "palette with transparency": transparent_palette(),
    "alpha": encoded_image((200, 0, 0, 255), mode="RGBA"),
    "animated": animated(),
    "turned by EXIF": orientated(),
}


@pytest.mark.parametrize("content", REDDISH.values(), ids=REDDISH)
async def test_strange_photos_are_labelled_all_the_same(client, content):
    [labels] = (await asked(client, LABEL, content))["predictions"]

    assert labels[0]["class_description"] == "red"


async def test_sixteen_bits_of_grey_become_three_equal_colours(client, photos):
    await asked(client, LABEL, encoded_image(200 * 257, mode="I;16"))

    assert (photos.images == 200).all()


async def test_a_corrupt_photo_is_named_among_good_ones(client):
    files = [("a", encoded_image()), ("b", encoded_image(kind="JPEG", size=(99, 99))[:400])]
    response = await client.post(LABEL, files=files)

    assert response.status_code == 422
    assert response.json()["code"] == "invalid_image"
    assert response.json()["error"].startswith("image 2: the JPEG is truncated or corrupt")


async def test_pixels_of_all_photos_of_a_request_count_together(client):
    large = encoded_image(size=(1000, 1000))
    files = [(f"p{number}", large) for number in range(64)]
    response = await client.post(LABEL, files=files)

    assert response.status_code == 413
    assert response.json()["code"] == "image_too_large"
    assert "64,000,000 in 64 images" in response.json()["error"]


async def test_many_photos_are_answered_in_order_in_several_batches(client, photos):
    colours = [(200, 0, 0), (0, 200, 0), (0, 0, 200)] * 7
    files = [(f"p{number}", encoded_image(colour)) for number, colour in enumerate(colours)]
    response = await client.post(f"{LABEL}?top=1", files=files)

    found = [labels[0]["class_description"] for labels in response.json()["predictions"]]
    assert found == ["red", "green", "blue"] * 7
    assert [shape[0] for _, shape in photos.runs] == [8, 8, 8]


async def test_clothing_is_classified_by_the_dense_head(client):
    answer = await asked(client, FASHION, clothing(5))

    assert answer["model"]["name"] == "fashion-dense"
    [prediction] = answer["predictions"]
    assert prediction == {
        "label": "Sandal",
        "label_index": 5,
        "scores": [0, 0, 0, 0, 0, 1, 0, 0, 0, 0],
        "head": "dense",
        "outlier": False,
        "outlier_score": 0.0,
    }


async def test_what_is_no_garment_is_said_by_each_head(client):
    noise = clothing(28, size=28)
    whole = np.full((28, 28), 255, np.uint8)
    whole[[0, -1]] = whole[:, [0, -1]] = 0
    buffer = io.BytesIO()
    Image.fromarray(whole).save(buffer, "PNG")
    answer = await asked(client, f"{FASHION}?head=both", buffer.getvalue())
    [pair] = answer["predictions"]

    assert [pair[head]["outlier"] for head in ("svm", "dense")] == [True, True]
    assert pair["dense"]["outlier_score"] == 1
    assert (await asked(client, FASHION, noise))["predictions"][0]["outlier"] is False


async def test_both_heads_answer_side_by_side(client):
    answer = await asked(client, f"{FASHION}?head=both&return=input", clothing(5))

    assert answer["model"]["name"] == "fashion-dense"
    [pair] = answer["predictions"]
    assert (pair["dense"]["label_index"], pair["svm"]["label_index"]) == (5, 6)
    assert (pair["dense"]["head"], pair["svm"]["head"]) == ("dense", "svm")
    assert pair["agree"] is False
    assert pair["input"]["steps"] == []


async def test_one_head_can_be_chosen(client):
    answer = await asked(client, f"{FASHION}?head=svm", clothing(5))

    assert answer["model"]["name"] == "fashion-svm"
    assert answer["predictions"][0]["label"] == "Shirt"


async def test_another_model_of_28_pixels_answers_in_the_same_shape(client):
    answer = await asked(client, f"{FASHION}?model=my-fashion", clothing(3))

    assert answer["model"]["name"] == "my-fashion"
    assert answer["predictions"][0]["label"] == "Dress"
    assert "head" not in answer["predictions"][0]
    assert "outlier" not in answer["predictions"][0]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("head=cnn", "head must be 'dense' or 'svm' or 'both'"),
        ("head=svm&model=my-fashion", "only one of head and model must be given"),
        ("head=both&version=1", "use head=dense or head=svm"),
        ("model=labels", "post to /v1/images/label?model=labels"),
        ("return=output", "return must be 'input'"),
        ("normalize=no", "normalize must be 'auto' or 'off'"),
    ],
)
async def test_what_contradicts_is_refused(client, query, told):
    status, code, message = await refused(client, f"{FASHION}?{query}", clothing())

    assert (status, code) == (422, "invalid_value")
    assert told in message


async def test_a_light_background_turns_dark_and_nothing_is_refused_as_blank(client):
    light = await asked(client, f"{FASHION}?return=input", clothing(5, light=True))
    blank = await asked(client, FASHION, encoded_image((255, 255, 255)))
    photo = await asked(
        client, f"{FASHION}?return=input", encoded_image((9, 9, 9), size=(3000, 2000))
    )

    assert light["predictions"][0]["label_index"] == 5
    assert light["predictions"][0]["input"]["steps"] == ["inverted"]
    assert blank["predictions"][0]["label_index"] == 0
    assert photo["predictions"][0]["input"]["steps"] == ["fitted"]


async def test_clothing_gets_labels_in_the_shape_of_decode_predictions_too(client):
    [labels] = (await asked(client, f"{LABEL}?model=fashion-dense&top=1", clothing(2)))[
        "predictions"
    ]

    assert labels == [{"class_name": "Pullover", "class_description": "Pullover", "score": 1.0}]


def write_with(root, **changes):
    directory = write_photo_version(root)
    path = directory / "assets.extra" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return directory


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"labels": [["n01", "red"]]}, "one value for each of the 1 labels"),
        ({"input": None}, "must have an input of 1 or 3 channels"),
        ({"input": {"height": 9, "width": 9, "channels": 3}}, r"uint8 \[B,9,9,3\]"),
        ({"input": {"height": 16, "width": 16, "channels": 3, "crop": 0}}, "input.crop"),
        ({"input": {"height": 16, "width": 16, "channels": 3, "resize": "cubic"}}, "bilinear"),
    ],
)
def test_a_classifier_whose_manifest_contradicts_itself_is_not_served(tmp_path, changes, told):
    with pytest.raises(ManifestError, match=told):
        read_manifest(write_with(tmp_path, **changes))
