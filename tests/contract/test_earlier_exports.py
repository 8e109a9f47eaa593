"""What an earlier version exported is served by this one, in as few runs.

`tests/fixtures/format_1` was exported before manifests had a format: a text model of six units and 15
characters, trained for two epochs on random words. It is never exported again. The digits of that time are
`digits-large`, exported under their name then and without what exports have learned since.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.contract.pages import ROOT
from tests.running import running_service

pytestmark = pytest.mark.tensorflow
FORMAT_1 = Path(__file__).parents[1] / "fixtures" / "format_1"
EXTRA = FORMAT_1 / "words" / "1" / "assets.extra"
GREEDY = {"seed": "moo", "diversity": 0, "length": 256, "random_seed": 1}


@pytest.fixture(scope="module")
def client():
    with (
        running_service(FORMAT_1) as (_, port),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=120) as client,
    ):
        yield client


def runs_of(client):
    lines = client.get("/metrics").text.splitlines()
    return sum(
        float(line.rpartition(" ")[2])
        for line in lines
        if line.startswith('vitrine_batch_rows_count{model="words"')
    )


def test_the_fixture_is_of_the_first_format():
    assert "format" not in json.loads((EXTRA / "manifest.json").read_text())


def test_a_text_model_of_format_1_writes_in_runs_of_all_its_steps(client):
    before = runs_of(client)
    answer = client.post("/v1/text/generate?model=words", json=GREEDY)
    runs = runs_of(client) - before

    assert answer.status_code == 200, answer.text
    [generation] = answer.json()["generations"]
    vocabulary = json.loads((EXTRA / "manifest.json").read_text())["vocabulary"]
    assert len(generation["text"]) == GREEDY["length"]
    assert set(generation["text"]) <= set(vocabulary)
    assert 1 <= runs <= 4  # one for the seed; 256 characters one by one would be 256


def test_its_card_is_given(client):
    card = client.get("/v1/models/words/card").json()

    assert card["job"] == "text-course"
    assert card["configuration"]["units"] == 6


@pytest.fixture(scope="module")
def former_digits(tmp_path_factory):
    """A folder of models with `digits` as it was: the larger network, no ONNX graph, no filters, no format."""
    folder = tmp_path_factory.mktemp("former")
    command = [sys.executable, "-m", "training", "export", "digits-large", "--models", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (folder / "digits-large").rename(folder / "digits")
    extra = folder / "digits" / "1" / "assets.extra"
    shutil.rmtree(extra / "onnx")
    (extra / "filters.npz").unlink()
    manifest = json.loads((extra / "manifest.json").read_text())
    for key in ("format", "engines"):
        del manifest[key]
    gone = ("assets.extra/onnx/", "assets.extra/filters.npz")
    manifest["files"] = {k: v for k, v in manifest["files"].items() if not k.startswith(gone)}
    (extra / "manifest.json").write_text(json.dumps(manifest | {"name": "digits"}))
    return folder


@pytest.mark.nightly
def test_the_former_digits_are_served_as_they_were_exported(former_digits):
    seven = (ROOT / "docs" / "seven.png").read_bytes()

    with running_service(former_digits) as (_, port):
        url = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=url, trust_env=False, timeout=120) as client:
            [prediction] = client.post("/v1/digits/classify", content=seven).json()["predictions"]
            layers = client.post("/v1/digits/activations", content=seven).json()["layers"]
            card = client.get("/v1/models/digits/card").json()
            refused = client.post("/v1/digits/filter?layer=conv1&map=0", content=seven)

    assert (prediction["digit"], prediction["outlier"]) == (7, False)
    assert [layer["name"] for layer in layers] == [*(f"conv{n}" for n in range(1, 8)), "logits"]
    assert card["parameters"] == 326_826
    assert refused.status_code == 422
    assert "filters in its export" in refused.json()["error"]
