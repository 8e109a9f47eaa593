"""What an earlier version exported is served by this one, in as few runs.

`tests/fixtures/format_1` was exported before manifests had a format: a text model of six units and 15
characters, trained for two epochs on random words. It is never exported again.
"""

import json
from pathlib import Path

import httpx
import pytest

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
