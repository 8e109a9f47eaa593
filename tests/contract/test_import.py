"""A model of one's own answers over HTTP: what `docs/your-own-model.md` says, as it stands."""

import json
import time

import httpx
import numpy as np
import pytest

from tests.contract.pages import ROOT, blocks, follow, follow_commands
from tests.running import running_service

pytestmark = pytest.mark.tensorflow
PAGE = ROOT / "docs" / "your-own-model.md"


def shell(word):
    return [block for block in blocks(PAGE, "sh") if word in block.text]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where a reader follows the page up to the first question: models/flowers/1 and 2, and images."""
    folder = tmp_path_factory.mktemp("reader")
    follow("python", blocks(PAGE, "python"), folder)
    # A head.json comes from the page in a browser.
    blocks_here = [block for block in shell("vitrine import") if "head.json" not in block.text]
    follow_commands(blocks_here, folder)
    (folder / "models" / "flowers" / "serving.json").write_text('{"versions": "all"}')
    return folder


@pytest.fixture(scope="module")
def client(folder):
    with (
        running_service(folder / "models") as (_, port),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=120) as client,
    ):
        yield client


def test_the_question_of_the_page_is_answered_with_its_labels(client, folder):
    question, _ = shell("curl")
    [answer] = follow("sh", [question], folder, str(client.base_url))
    [labels] = json.loads(answer)["predictions"]
    assert json.loads(answer)["model"] == {"name": "flowers", "version": 2}
    assert len(labels) == 2
    assert {label["class_description"] for label in labels} < {"daisy", "rose", "tulip"}
    assert labels[0]["class_name"] == labels[0]["class_description"]
    assert labels[0]["score"] >= labels[1]["score"]


def test_the_scores_are_those_of_the_keras_model(client, folder):
    import keras

    image = np.random.default_rng(3).integers(0, 256, (64, 64, 3), np.uint8)
    model = keras.saving.load_model(folder / "flowers.keras")
    logits = model.predict(image[np.newaxis] / np.float32(255), verbose=0)
    expected = np.exp(logits[0]) / np.exp(logits[0]).sum()

    for version in (1, 2):
        response = client.post(
            f"/v1/images/label?model=flowers&version={version}",
            content=json.dumps({"instances": [image.tolist()]}),
        )
        [labels] = response.json()["predictions"]
        scores = {label["class_name"]: label["score"] for label in labels}
        found = [scores[name] for name in ("daisy", "rose", "tulip")]
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_features_card_and_too_high_a_top_answer(client, folder):
    image = (folder / "docs" / "seven.png").read_bytes()
    features = client.post("/v1/images/features?model=flowers&version=1", content=image)
    without = client.post("/v1/images/features?model=flowers&version=2", content=image)
    both = client.post("/v1/images/features?model=flowers&version=1&top=2", content=image)
    most = client.post("/v1/images/label?model=flowers&top=4", content=image)
    card = client.get("/v1/models/flowers/card?version=1").json()

    assert len(features.json()["features"][0]) == 16
    assert "features" in without.json()["error"]
    assert without.status_code < 500
    assert both.status_code < 500
    assert most.status_code == 422
    assert "3" in most.json()["error"]
    assert card["parameters"] == 499


@pytest.mark.nightly  # half a minute; tests/training/pretrained trains on a folder at every change
def test_a_folder_of_images_is_trained_on_and_answers(client, folder):
    follow("sh", shell("vitrine train fashion-dense"), folder)
    deadline = time.monotonic() + 120
    while (states := states_of(client)).get("3") != "AVAILABLE":
        assert time.monotonic() < deadline, states
        time.sleep(0.2)

    _, question = shell("curl")
    follow("sh", [question], folder, str(client.base_url))
    card = client.get("/v1/models/flowers/card").json()
    assert card["data"]["labels"] == ["daisy", "rose", "tulip"]
    assert card["metrics"]["test_accuracy"]["count"] == 3


def states_of(client):
    status = client.get("/v1/models/flowers").json()
    return {version["version"]: version["state"] for version in status["model_version_status"]}
