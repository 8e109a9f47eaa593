"""From a text file to texts over HTTP: a small model is trained, exported, served and asked."""

import asyncio
import json
import os
import signal
import threading
from pathlib import Path

import httpx
import numpy as np
import openai
import pytest

import vitrine_command
from service.codecs.random_streams import uniforms
from service.runtime.manifest import read_manifest
from service.runtime.version_files import check_files
from tests.contract.text_under_load import alone, make_requests, under_load
from tests.running import running_service
from tests.waiting import until

pytestmark = pytest.mark.tensorflow
ROOT = Path(__file__).parents[2]
SEED = "For the purposes of this License, Deriv"
SMALL = ["--units", "16", "--layers", "1", "--epochs", "1", "--batch-size", "4", "--window", "32"]


@pytest.fixture(scope="module")
def text_models(tmp_path_factory):
    """A folder with a model of the licence's text."""
    folder = tmp_path_factory.mktemp("texts")
    places = ["--models", str(folder / "models"), "--workdir", str(folder / "run")]
    command = ["train", "text", "--text", str(ROOT / "LICENSE"), *SMALL, *places]
    assert vitrine_command.main(command) == 0  # in this process, which imports TensorFlow anyway
    return folder / "models"


@pytest.fixture(scope="module")
def url(text_models):
    with running_service(text_models) as (_, port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def client(url):
    with httpx.Client(base_url=url, trust_env=False, timeout=120) as client:
        yield client


@pytest.fixture(scope="module")
def graph(text_models):
    """Runs a signature of the SavedModel itself, at the batch size and steps of its manifest."""
    import tensorflow as tf

    directory = text_models / "text" / "1"
    signatures = tf.saved_model.load(str(directory)).signatures
    manifest = read_manifest(directory)

    def run(name, **rows):
        inputs = {}
        for key, row in rows.items():
            array = np.zeros((manifest.max_batch_size, *np.shape(row)), np.asarray(row).dtype)
            array[0] = row
            inputs[key] = tf.constant(array)
        return {key: value.numpy()[0] for key, value in signatures[name](**inputs).items()}

    run.manifest = manifest
    return run


def padded(values, size):
    return np.pad(values, (0, size - len(values)))


def generate(client, **body):
    response = client.post("/v1/text/generate", json=body)
    assert response.status_code == 200, response.text
    return response.json()["generations"][0]


def test_the_exported_directory_is_what_its_manifest_says(text_models):
    manifest = read_manifest(text_models / "text" / "1")
    check_files(text_models / "text" / "1", manifest)

    assert manifest.task == "generate_text"
    assert {"\n", " ", "L"} <= set(manifest.vocabulary)
    assert {"prefill", "read", "generate", "score"} <= set(manifest.signatures)


@pytest.mark.parametrize("diversity", [0, 0.5, 1.0])
def test_a_text_over_http_is_the_one_the_graph_draws(client, graph, diversity):
    vocabulary, steps = graph.manifest.vocabulary, graph.manifest.steps
    ids = np.array([vocabulary.index(c) for c in SEED], np.int32)
    read = {"token_ids": padded(ids, steps), "lengths": np.int32(len(ids))}
    state = graph("prefill", **read)["state"]
    drawn = graph(
        "generate",
        state=state,
        uniforms=uniforms(7, 0, 0, steps),
        lengths=np.int32(steps),
        temperature=np.float32(diversity),
        top_k=np.int32(0),
        top_p=np.float32(1),
    )
    found = generate(
        client, seed=SEED, diversity=diversity, length=steps, random_seed=7, logprobs=3
    )

    assert found["text"] == "".join(vocabulary[i] for i in drawn["token_ids"])
    logprobs = [entry["logprob"] for entry in found["logprobs"]]
    np.testing.assert_allclose(logprobs, drawn["logprobs"], atol=1e-4)


def test_a_score_over_http_is_the_one_of_the_graph(client, graph):
    vocabulary, steps = graph.manifest.vocabulary, graph.manifest.steps
    ids = np.array([vocabulary.index(c) for c in SEED], np.int32)
    expected = graph("score", token_ids=padded(ids, steps))["logprobs"][: len(SEED)]
    answer = client.post("/v1/text/score", json={"text": SEED}).json()

    found = [entry["logprob"] for entry in answer["characters"]]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert answer["nats_per_character"] == pytest.approx(-expected.mean(), abs=1e-4)
    assert answer["nats_per_character"] < np.log(len(vocabulary)) + 1


def test_texts_are_the_same_under_load_and_after_a_restart(url, text_models):
    requests = make_requests(20)
    expected = asyncio.run(alone(url, requests))
    loaded = asyncio.run(under_load(url, requests, 150))
    with running_service(text_models) as (_, port):
        restarted = asyncio.run(under_load(f"http://127.0.0.1:{port}", requests, 60))

    assert len(loaded) == 150
    assert [found == expected[number] for number, found in loaded] == [True] * 150
    assert [found == expected[number] for number, found in restarted] == [True] * 60


def test_parts_joined_by_continuations_are_one_longer_text(client):
    whole = generate(client, seed=SEED, length=300, random_seed=5, diversity=0.8)
    text, token = "", None
    for length in (1, 63, 64, 65, 107):
        begin = {"seed": SEED, "random_seed": 5, "diversity": 0.8}
        part = generate(client, length=length, **({"continuation": token} if token else begin))
        text, token = text + part["text"], part["continuation"]

    assert text == whole["text"]
    assert token == whole["continuation"]  # the state too, to the last bit


def test_the_openai_client_streams_what_it_gets_whole(url):
    with openai.OpenAI(api_key="none", base_url=f"{url}/v1") as client:
        ask = {"model": "text", "prompt": SEED, "max_tokens": 150, "seed": 3}
        whole = client.completions.create(**ask)
        stream = client.completions.create(**ask, stream=True)
        streamed = "".join(choice.text for chunk in stream for choice in chunk.choices)

    assert whole.choices[0].text == streamed
    assert whole.usage.completion_tokens == len(streamed) == 150


def test_a_client_that_leaves_after_the_first_characters_leaves_nothing(client):
    body = {"length": 10_000, "stream": True, "n": 8}
    for _ in range(5):
        with client.stream("POST", "/v1/text/generate", json=body) as response:
            next(response.iter_raw())
    nothing = 'vitrine_active_streams{model="text"} 0.0'
    asyncio.run(until(lambda: nothing in client.get("/metrics").text))
    metrics = [client.get("/metrics").text for _ in range(2)]

    assert 'vitrine_active_streams{model="text"} 0.0' in metrics[0]
    assert 'vitrine_waiting_requests{model="text"} 0.0' in metrics[0]
    drawn = [
        line for line in metrics[0].splitlines() if line.startswith("vitrine_characters_total")
    ]
    assert all(line in metrics[1] for line in drawn)


@pytest.mark.skipif(
    os.environ.get("TESTED_MODULE") == "service.cluster",
    reason="a cluster that is stopped ends what is under way",
)
def test_a_real_stop_lets_a_stream_finish(text_models):
    with running_service(text_models, VITRINE_DRAIN_SECONDS="0.2") as (process, port):
        body = {"length": 10_000, "stream": True, "random_seed": 1}
        url = f"http://127.0.0.1:{port}/v1/text/generate"
        with httpx.stream("POST", url, json=body, trust_env=False, timeout=120) as response:
            lines = response.iter_lines()
            first = next(lines)
            threading.Thread(target=os.kill, args=(process.pid, signal.SIGTERM)).start()
            rest = [line for line in lines if line]
        assert process.wait(120) == 0

    assert json.loads(first.removeprefix("data: "))["text"]
    assert rest[-1] == "data: [DONE]"
    assert json.loads(rest[-2].removeprefix("data: "))["finish_reason"] == "length"
