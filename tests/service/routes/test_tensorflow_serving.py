"""TensorFlow Serving's REST API on the fake digits: its shapes, its error strings, its statuses."""

import asyncio
import gzip
import json

import numpy as np
import pytest

from tests.fakes import write_version
from tests.waiting import until, until_waiting

pytestmark = pytest.mark.anyio

PREDICT = "/v1/models/digits:predict"


def image(lit=7):
    pixels = np.zeros(784, np.uint8)
    pixels[:lit] = 255
    return pixels.reshape(28, 28, 1).tolist()


def digits_of(answer):
    return [int(np.argmax(one["probabilities"])) for one in answer.json()["predictions"]]


async def test_rows_give_one_object_for_each_row(shared_client):
    answer = await shared_client.post(PREDICT, json={"instances": [image(3), image(8)]})

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-model"] == "digits/1"
    assert digits_of(answer) == [3, 8]
    assert answer.json()["predictions"][0]["outlier_score"] == 0.0


async def test_columns_give_whole_tensors(shared_client):
    for inputs in ([image(4)], {"images": [image(4)]}, {"images": [image(4)], "ignored": 1}):
        answer = await shared_client.post(PREDICT, json={"inputs": inputs})

        outputs = answer.json()["outputs"]
        assert np.argmax(outputs["probabilities"]) == 4
        assert outputs["outlier_score"] == [0.0]


async def test_named_rows_and_another_signature_are_taken(shared_client):
    body = {"signature_name": "activations", "instances": [{"images": image(5)}]}

    [row] = (await shared_client.post(PREDICT, json=body)).json()["predictions"]

    assert row["logits"][5] == 1.0
    assert np.shape(row["conv1"]) == (28, 28, 2)


@pytest.mark.parametrize("content_type", [None, "application/x-www-form-urlencoded", "text/plain"])
async def test_the_content_type_is_never_looked_at(shared_client, content_type):
    headers = {"content-type": content_type} if content_type else {}
    answer = await shared_client.post(
        PREDICT, content=json.dumps({"instances": [image()]}), headers=headers
    )

    assert digits_of(answer) == [7]


async def test_bytes_after_the_document_are_ignored_as_by_tensorflow_serving(shared_client):
    answer = await shared_client.post(
        PREDICT, content=json.dumps({"instances": [image()]}) + "}] rest"
    )

    assert digits_of(answer) == [7]


async def test_a_gzipped_body_is_inflated_up_to_the_body_limit(start):
    client = await start(max_body_bytes=20_000)
    headers = {"content-encoding": "gzip"}
    body = gzip.compress(json.dumps({"instances": [image(2)]}).encode())
    bomb = gzip.compress(b" " * 10_000_000)

    assert digits_of(await client.post(PREDICT, content=body, headers=headers)) == [2]
    refused = await client.post(PREDICT, content=bomb, headers=headers)
    broken = await client.post(PREDICT, content=body[:50], headers=headers)
    unknown = await client.post(PREDICT, content=body, headers={"content-encoding": "br"})

    assert (refused.status_code, refused.json()["code"]) == (413, "body_too_large")
    assert broken.status_code == unknown.status_code == 400
    assert "whole gzip data" in broken.json()["error"]
    assert "gzip, deflate or identity" in unknown.json()["error"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "JSON Parse error: The document is empty"),
        ("{", "JSON Parse error: "),
        ("[1]", "JSON Value: [1] Is not object"),
        ("{}", "Missing 'inputs' or 'instances' key"),
        ('{"instances": [], "inputs": []}', "expecting only one of 'inputs' or 'instances' keys"),
        ('{"instances": 1}', "Expecting 'instances' to be an list/array"),
        ('{"instances": []}', "No values in 'instances' array"),
        ('{"signature_name": 1, "instances": [1]}', "'signature_name' key must be a string value."),
        (
            '{"signature_name": "foo", "instances": [1]}',
            'Serving signature name: "foo" not found in signature def',
        ),
        ('{"instances": [[1], {"images": [1]}]}', "Expecting value/list but got object at item 1"),
        ('{"instances": [{"images": [1]}, [1]]}', "Expecting object but got list at item 1"),
        ('{"instances": [{"x": 1}]}', "JSON object: does not have named input: x"),
        ('{"instances": [{}]}', "keys must be equal to: images"),
        (
            '{"instances": [[1, 2], [1, 2, 3]]}',
            "Failed to process element: 1 of 'instances' list. Error: Expecting tensor size: 2 but got: 3",
        ),
        (
            '{"instances": [[1, 2, 3, 4], [[1, 2], [3, 4]]]}',
            "Expecting shape [4] but got: [2,2]",
        ),
        ('{"instances": [1.5]}', "JSON Value: 1.5 Type: Number is not of expected type: uint8"),
        ('{"instances": [256]}', "JSON Value: 256 Type: Number is not of expected type: uint8"),
        ('{"instances": [-1]}', "JSON Value: -1 Type: Number is not of expected type: uint8"),
        ('{"instances": ["a"]}', 'JSON Value: "a" Type: String is not of expected type: uint8'),
        ('{"instances": [true]}', "is not of expected type: uint8"),
        ('{"instances": [null]}', "JSON Value: null Type: Null is not of expected type: uint8"),
        ('{"instances": [NaN]}', "is not of expected type: uint8"),
        ('{"instances": [{"b64": "aGk="}]}', "Type: Object is not of expected type: uint8"),
        ('{"inputs": {"x": [1]}}', "Missing named input: images in 'inputs' object."),
        (
            '{"inputs": [[1, 2], [1, 2, 3]]}',
            "Encountered list at unexpected size: 3 at level: 1 expected size: 2",
        ),
        ('{"inputs": [[[1]], [1]]}', "found at incorrect level"),
        ('{"instances": [1]}', "unexpected shape for input 'images' for model 'digits'"),
        ('{"instances": [1, "\\ud800"]}', "JSON Parse error: "),
        ('{"instances": ' + "[" * 100_000, "JSON Parse error: "),
        ('{"instances": ' + "1" * 100_000 + "}", "400"),
    ],
)
async def test_a_wrong_body_is_told_in_tensorflow_servings_words(shared_client, body, message):
    answer = await shared_client.post(PREDICT, content=body)

    assert answer.status_code == 400
    assert message in answer.json()["error"] or message == "400"
    assert set(answer.json()) == {"error", "code", "request_id"}
    assert len(answer.content) < 1000


async def test_more_json_values_than_allowed_name_the_binary_form(shared_client):
    answer = await shared_client.post(PREDICT, content='{"instances": [' + "0," * 1_000_001 + "0]}")

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert "Inference-Header-Content-Length" in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/v1/models/foo:predict", 404, "Servable not found for request: Latest(foo)"),
        (
            "/v1/models/digits/versions/50:predict",
            404,
            "Servable not found for request: Specific(digits, 50)",
        ),
        (
            "/v1/models/digits/labels/canary:predict",
            404,
            "Unrecognized servable version label: canary",
        ),
    ],
)
async def test_unknown_models_versions_and_labels_are_not_found(
    shared_client, path, status, message
):
    answer = await shared_client.post(path, json={"instances": [image()]})

    assert (answer.status_code, answer.json()["error"]) == (status, message)


async def test_a_version_can_be_named(shared_client):
    answer = await shared_client.post(
        "/v1/models/digits/versions/1:predict", json={"inputs": [image(6)]}
    )

    assert np.argmax(answer.json()["outputs"]["probabilities"]) == 6


async def test_classify_names_every_class_of_every_example(shared_client):
    lit = np.ravel(image(3)).tolist()
    body = {"context": {"images": lit}, "examples": [{}, {"images": np.ravel(image(9)).tolist()}]}

    results = (await shared_client.post("/v1/models/digits:classify", json=body)).json()["results"]

    assert [max(row, key=lambda pair: pair[1])[0] for row in results] == ["3", "9"]
    assert len(results[0]) == 10


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "When method is classify, key 'examples' is expected and was not found"),
        ({"examples": 1}, "Expecting 'examples' value to be an list/array"),
        ({"examples": []}, "'examples' value is an empty array"),
        ({"examples": [1]}, "Example must be JSON object but got JSON Number"),
        ({"examples": [{"images": [[1]]}]}, "has element with unexpected JSON type: Array"),
        ({"examples": [{"images": [1, "a"]}]}, "Unexpected element type in feature: images"),
        ({"examples": [{}]}, "example 0 must have the feature 'images'"),
        ({"examples": [{"images": [1, 2]}]}, "must have the number of values of the model's input"),
    ],
)
async def test_a_wrong_example_is_told(shared_client, body, message):
    answer = await shared_client.post("/v1/models/digits:classify", json=body)

    assert answer.status_code == 400
    assert message in answer.json()["error"]


async def test_regress_needs_one_number_for_each_example(shared_client):
    body = {"examples": [{"images": np.ravel(image(3)).tolist()}]}
    answer = await shared_client.post("/v1/models/digits:regress", json=body)

    assert answer.status_code == 400
    assert "use :predict" in answer.json()["error"]


async def test_status_and_metadata_have_tensorflow_servings_shape(client):
    status = (await client.get("/v1/models/digits/versions/1")).json()
    described = (await client.get("/v1/models/digits/metadata")).json()

    assert status == {
        "model_version_status": [
            {
                "version": "1",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }
    assert described["model_spec"] == {"name": "digits", "signature_name": "", "version": "1"}
    signature = described["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["method_name"] == "tensorflow/serving/predict"
    assert signature["inputs"]["images"]["dtype"] == "DT_UINT8"
    assert [d["size"] for d in signature["inputs"]["images"]["tensor_shape"]["dim"]] == [
        "-1",
        "28",
        "28",
        "1",
    ]
    missing = await client.get("/v1/models/digits/versions/9")
    assert missing.status_code == 404
    assert missing.json()["error"] == "Could not find version 9 of model digits"


async def test_rows_of_several_clients_share_a_run(client, engine):
    engine.batch_sizes.clear()
    engine.gate.clear()
    first = asyncio.create_task(client.post(PREDICT, json={"instances": [image(1)]}))
    await until_waiting(client, 1)
    await until(lambda: engine.running)
    others = [
        asyncio.create_task(client.post(PREDICT, json={"instances": [image(n)]})) for n in (2, 3)
    ]
    await until_waiting(client, 3)
    engine.gate.set()

    answers = await asyncio.gather(first, *others)

    assert [digits_of(answer) for answer in answers] == [[1], [2], [3]]
    assert engine.batch_sizes == [1, 2]


async def test_tensors_that_the_model_refuses_are_the_callers_mistake(client, engine):
    engine.fail_on_digit = 4
    bad = await client.post(PREDICT, json={"instances": [image(4)]})
    good = await client.post(PREDICT, json={"instances": [image(5)]})

    assert bad.status_code == 400
    assert "an image this engine cannot run" not in bad.text
    assert digits_of(good) == [5]


async def test_a_model_that_still_loads_is_not_ready(start, tmp_path):
    broken = write_version(tmp_path, "later")
    (broken / "saved_model.pb").write_bytes(b"half a copy")
    write_version(tmp_path)
    client = await start(wait=False)

    answer = await client.post("/v1/models/later:predict", json={"instances": [image()]})

    assert answer.status_code == 503
    assert answer.headers["retry-after"]


async def test_an_unknown_verb_is_an_unknown_route(shared_client):
    response = await shared_client.post("/v1/models/digits:foo", json={})

    assert (response.status_code, response.json()["code"]) == (404, "route_not_found")
