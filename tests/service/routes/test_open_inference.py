"""Open Inference Protocol v2 on the fake digits: JSON and binary tensors, to the byte."""

import json
import zlib

import numpy as np
import pytest

pytestmark = pytest.mark.anyio

INFER = "/v2/models/digits/infer"
LENGTH = "inference-header-content-length"


def pixels(*digits):
    images = np.zeros((len(digits), 784), np.uint8)
    for row, lit in zip(images, digits, strict=True):
        row[:lit] = 255
    return images.reshape(-1, 28, 28, 1)


def tensor(images, **more):
    return {"name": "images", "datatype": "UINT8", "shape": list(images.shape), **more}


def json_request(*digits, **more):
    images = pixels(*digits)
    return {"inputs": [tensor(images, data=images.reshape(-1).tolist())], **more}


def binary_request(head, *parts):
    text = json.dumps(head).encode()
    return text + b"".join(parts), {LENGTH: str(len(text))}


async def test_json_tensors_are_answered_flat(shared_client):
    answer = await shared_client.post(INFER, json=json_request(3, 8, id="42", model_name="ignored"))

    body = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert (body["id"], body["model_name"], body["model_version"]) == ("42", "digits", "1")
    probabilities, outliers = body["outputs"]
    assert probabilities["shape"] == [2, 10]
    assert np.reshape(probabilities["data"], (2, 10)).argmax(axis=1).tolist() == [3, 8]
    assert probabilities["datatype"] == "FP32"
    assert outliers == {"name": "outlier_score", "datatype": "FP32", "shape": [2], "data": [0, 0]}
    assert "parameters" not in probabilities


async def test_nested_data_is_taken_like_flat_data_and_an_empty_id_is_left_out(shared_client):
    images = pixels(6)
    body = {"id": "", "inputs": [tensor(images, data=images.tolist())]}

    answer = (await shared_client.post(INFER, json=body)).json()

    assert "id" not in answer
    assert np.argmax(answer["outputs"][0]["data"]) == 6


async def test_binary_tensors_come_and_go_behind_the_header(shared_client):
    images = pixels(5, 9)
    head = {
        "inputs": [tensor(images, parameters={"binary_data_size": images.nbytes})],
        "parameters": {"binary_data_output": True},
    }
    content, headers = binary_request(head, images.tobytes())

    answer = await shared_client.post(INFER, content=content, headers=headers)

    assert answer.headers["content-type"] == "application/octet-stream"
    length = int(answer.headers[LENGTH])
    described = json.loads(answer.content[:length])["outputs"]
    assert described[0] == {
        "name": "probabilities",
        "datatype": "FP32",
        "shape": [2, 10],
        "parameters": {"binary_data_size": 80},
    }
    raw = np.frombuffer(answer.content[length:], "<f4")
    assert raw.size == 22
    assert raw[:20].reshape(2, 10).argmax(axis=1).tolist() == [5, 9]


async def test_each_output_says_for_itself_whether_it_is_binary(shared_client):
    outputs = [
        {"name": "outlier_score", "parameters": {"binary_data": False}},
        {"name": "probabilities", "parameters": {"binary_data": True}},
    ]
    answer = await shared_client.post(INFER, json=json_request(2, outputs=outputs))

    length = int(answer.headers[LENGTH])
    described = json.loads(answer.content[:length])["outputs"]
    assert [one["name"] for one in described] == ["outlier_score", "probabilities"]
    assert described[0]["data"] == [0.0]
    assert np.frombuffer(answer.content[length:], "<f4").argmax() == 2


async def test_a_raw_body_is_the_only_input_and_every_output_is_binary(shared_client):
    answer = await shared_client.post(INFER, content=pixels(7).tobytes(), headers={LENGTH: "0"})

    length = int(answer.headers[LENGTH])
    assert json.loads(answer.content[:length])["outputs"][0]["shape"] == [1, 10]
    assert np.frombuffer(answer.content[length : length + 40], "<f4").argmax() == 7


async def test_a_header_as_long_as_the_body_means_json(shared_client):
    content, headers = binary_request(json_request(4))

    answer = await shared_client.post(INFER, content=content, headers=headers)

    assert np.argmax(answer.json()["outputs"][0]["data"]) == 4


async def test_classification_gives_score_index_and_label(shared_client):
    outputs = [{"name": "probabilities", "parameters": {"classification": 2}}]

    [output] = (await shared_client.post(INFER, json=json_request(3, 8, outputs=outputs))).json()[
        "outputs"
    ]

    assert (output["datatype"], output["shape"]) == ("BYTES", [2, 2])
    assert output["data"] == ["1.000000:3:3", "0.000000:0:0", "1.000000:8:8", "0.000000:0:0"]


async def test_another_signature_is_named_by_a_parameter(shared_client):
    answer = await shared_client.post(
        INFER, json=json_request(5, parameters={"signature_name": "activations"})
    )
    described = (await shared_client.get("/v2/models/digits?signature_name=activations")).json()

    assert [one["name"] for one in answer.json()["outputs"]] == ["conv1", "logits"]
    assert [one["name"] for one in described["outputs"]] == ["conv1", "logits"]


async def test_outputs_come_in_the_order_of_the_metadata(client, engine, monkeypatch):
    run = engine.run
    monkeypatch.setattr(engine, "run", lambda *args: dict(reversed(run(*args).items())))

    answer = await client.post(INFER, json=json_request(3))
    described = (await client.get("/v2/models/digits")).json()

    names = [one["name"] for one in answer.json()["outputs"]]
    assert names == [one["name"] for one in described["outputs"]] != sorted(names)


async def test_a_deflated_body_is_inflated(shared_client):
    body = zlib.compress(json.dumps(json_request(1)).encode())

    answer = await shared_client.post(INFER, content=body, headers={"content-encoding": "deflate"})

    assert np.argmax(answer.json()["outputs"][0]["data"]) == 1


@pytest.mark.parametrize(("encoding", "binary"), [("gzip", True), ("deflate", False)])
async def test_a_large_answer_is_compressed_for_who_accepts_that(shared_client, encoding, binary):
    parameters = {"signature_name": "activations", "binary_data_output": binary}
    body = json_request(3, parameters=parameters)

    plain = await shared_client.post(INFER, json=body, headers={"accept-encoding": "identity"})
    packed = await shared_client.post(INFER, json=body, headers={"accept-encoding": encoding})
    short = await shared_client.post(
        INFER, json=json_request(3), headers={"accept-encoding": encoding}
    )
    wrong = await shared_client.post(INFER, json={}, headers={"accept-encoding": encoding})

    assert packed.headers["content-encoding"] == encoding
    assert int(packed.headers["content-length"]) < len(plain.content) / 4
    assert packed.content == plain.content  # httpx has inflated it
    assert packed.headers.get(LENGTH) == plain.headers.get(LENGTH)  # of the JSON, uncompressed
    for answer in (plain, short, wrong):
        assert "content-encoding" not in answer.headers


IMAGE = tensor(pixels(1), data=[0] * 784)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Unable to parse 'inputs'"),
        ({"inputs": [1]}, "Unable to parse 'inputs'"),
        ({"inputs": []}, "expected 1 inputs but got 0 inputs for model 'digits'"),
        ({"inputs": [{**IMAGE, "name": "x"}]}, "unexpected inference input 'x'"),
        ({"inputs": [{**IMAGE, "name": 3}]}, "Unable to parse 'name'"),
        ({"inputs": [IMAGE, IMAGE]}, "input 'images' must be given once"),
        ({"inputs": [{**IMAGE, "datatype": "INT9"}]}, "datatype of input 'images' must be one of"),
        ({"inputs": [{**IMAGE, "datatype": "FP32"}]}, "data-type is 'FP32', but model 'digits'"),
        ({"inputs": [{**IMAGE, "datatype": "FP16"}]}, "use the binary data format"),
        ({"inputs": [{**IMAGE, "datatype": "BYTES"}]}, "is not of expected type: string"),
        ({"inputs": [{**IMAGE, "shape": [1, 28, 28]}]}, "Expected [-1,28,28,1], got [1,28,28]"),
        ({"inputs": [{**IMAGE, "shape": [1, 784]}]}, "Expected [-1,28,28,1], got [1,784]"),
        ({"inputs": [{**IMAGE, "shape": [-1, 28, 28, 1]}]}, "must be a list of at most 32 sizes"),
        ({"inputs": [{**IMAGE, "shape": [2**40, 28, 28, 1]}]}, "must be a list of at most 32"),
        ({"inputs": [{**IMAGE, "shape": [2**31 - 1] * 4}]}, "Shape does not match true shape"),
        ({"inputs": [{**IMAGE, "shape": [0, 28, 28, 1], "data": []}]}, "unexpected shape"),
        ({"inputs": [{**IMAGE, "shape": "1"}]}, "must be a list of at most 32 sizes"),
        ({"inputs": [{**IMAGE, "data": [0] * 783}]}, "Shape does not match true shape of 'data'"),
        ({"inputs": [{**IMAGE, "data": [0] * 783 + [999]}]}, "is not of expected type: uint8"),
        ({"inputs": [{**IMAGE, "data": 5}]}, "data of input 'images' must be a list"),
        (
            {"inputs": [{**IMAGE, "parameters": {"binary_data_size": 784}}]},
            "more than one field is set",
        ),
        (
            {"inputs": [{**IMAGE, "parameters": {"shared_memory_region": "a"}}]},
            "shared memory of input 'images' is not supported",
        ),
        ({"inputs": [tensor(pixels(1))]}, "But no field is set"),
        (
            {"inputs": [tensor(pixels(1), parameters={"binary_data_size": 784})]},
            "expecting 784 additional bytes for model 'digits'",
        ),
        (
            {"inputs": [tensor(pixels(1), parameters={"binary_data_size": -1})]},
            "must be a number of bytes",
        ),
        ({"inputs": [IMAGE], "outputs": [{"name": "x"}]}, "unexpected inference output 'x'"),
        ({"inputs": [IMAGE], "outputs": [3]}, "Unable to parse 'outputs'"),
        (
            {
                "inputs": [IMAGE],
                "outputs": [{"name": "probabilities", "parameters": {"classification": -1}}],
            },
            "must be a number of classes from 1",
        ),
        ({"inputs": [IMAGE], "parameters": {"triton_x": 1}}, "reserved"),
        ({"inputs": [IMAGE], "parameters": {"signature_name": "x"}}, "must be one of"),
        ({"inputs": [IMAGE], "parameters": {"a": [1]}}, "must be a string, number or boolean"),
        ({"inputs": [IMAGE], "parameters": 3}, "must be an object"),
        ({"inputs": [IMAGE], "id": 3}, "id must be a string"),
        (json_request(*[1] * 9), "inference request batch-size must be <= 8 for 'digits'"),
    ],
)
async def test_a_wrong_request_is_told_in_the_protocols_words(shared_client, body, message):
    answer = await shared_client.post(INFER, json=body)

    assert answer.status_code == 400
    assert message in answer.json()["error"]
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("cut", "extra", "message"),
    [
        (1, b"", "expecting 1 additional bytes for model 'digits'"),
        (0, b"x", "unexpected additional input data for model 'digits'"),
    ],
)
async def test_binary_data_has_exactly_the_announced_size(shared_client, cut, extra, message):
    images = pixels(5)
    head = {"inputs": [tensor(images, parameters={"binary_data_size": images.nbytes})]}
    content, headers = binary_request(head, images.tobytes()[: images.nbytes - cut], extra)

    answer = await shared_client.post(INFER, content=content, headers=headers)

    assert answer.status_code == 400
    assert message in answer.json()["error"]


@pytest.mark.parametrize("length", ["-1", "99999999", "x", "1.5", "٣"])
async def test_the_header_length_lies_within_the_body(shared_client, length):
    answer = await shared_client.post(
        INFER, content=json.dumps(json_request(1)), headers={LENGTH: length.encode()}
    )

    assert answer.status_code == 400
    assert "inference header size should be in range (0, " in answer.json()["error"]


async def test_a_raw_body_of_a_wrong_size_is_refused(shared_client):
    answer = await shared_client.post(INFER, content=b"123", headers={LENGTH: "0"})

    assert answer.status_code == 400
    assert (
        "unexpected total byte size 3 for input 'images', expecting 784" in answer.json()["error"]
    )


async def test_server_and_model_describe_themselves(client):
    server = (await client.get("/v2")).json()
    model = (await client.get("/v2/models/digits")).json()
    config = (await client.get("/v2/models/digits/versions/1/config")).json()

    assert {"binary_tensor_data", "classification", "statistics"} <= set(server["extensions"])
    assert model == {
        "name": "digits",
        "versions": ["1"],
        "platform": "tensorflow_savedmodel",
        "inputs": [{"name": "images", "datatype": "UINT8", "shape": [-1, 28, 28, 1]}],
        "outputs": [
            {"name": "probabilities", "datatype": "FP32", "shape": [-1, 10]},
            {"name": "outlier_score", "datatype": "FP32", "shape": [-1]},
        ],
    }
    assert config["max_batch_size"] == 8
    assert config["input"] == [
        {"name": "images", "data_type": "TYPE_UINT8", "dims": [28, 28, 1], "format": "FORMAT_NHWC"}
    ]
    assert (await client.get("/v2/models")).json() == {"models": ["digits", "digits-course"]}
    assert (await client.get("/v2/models/digits/ready")).json() == {"name": "digits", "ready": True}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/v2/models/x", "Request for unknown model: 'x' is not found"),
        ("/v2/models/x/ready", "Request for unknown model: 'x' is not found"),
        (
            "/v2/models/digits/versions/9",
            "Request for unknown model: 'digits' version 9 is not found",
        ),
        ("/v2/models/digits/versions/x/config", "version must be a number"),
    ],
)
async def test_what_is_unknown_is_not_found(shared_client, path, message):
    answer = await shared_client.get(path)

    assert answer.status_code == 404
    assert message in answer.json()["error"]


async def test_a_wrong_method_names_the_right_one(shared_client):
    answer = await shared_client.get(INFER)

    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


async def test_the_index_lists_versions_with_an_empty_body_or_a_filter(shared_client):
    ready = {"name": "digits", "version": "1", "state": "READY", "reason": ""}

    for content in (b"", b'{"ready": true}'):
        answer = await shared_client.post("/v2/repository/index", content=content)
        assert ready in answer.json()
    wrong = await shared_client.post("/v2/repository/index", content=b'{"ready": 1}')
    assert wrong.status_code == 400


async def test_statistics_count_rows_runs_and_failures(client, engine):
    await client.post(INFER, json=json_request(1, 2))
    await client.post(INFER, json=json_request(3))
    engine.fail_on_digit = 4
    await client.post(INFER, json=json_request(4))

    [entry] = (await client.get("/v2/models/digits/stats")).json()["model_stats"]
    everything = (await client.get("/v2/models/stats")).json()["model_stats"]

    assert (entry["name"], entry["version"], entry["inference_count"]) == ("digits", "1", 3)
    assert entry["inference_stats"]["success"]["count"] == 2
    assert entry["inference_stats"]["fail"]["count"] == 1
    assert entry["inference_stats"]["compute_output"]["count"] == 2
    assert [one["batch_size"] for one in entry["batch_stats"]] == [1, 2]
    assert all(
        type(entry["inference_stats"][key][unit]) is int
        for key in ("success", "queue", "compute_input", "compute_infer", "cache_hit", "cache_miss")
        for unit in ("count", "ns")
    )
    assert [one["name"] for one in everything] == ["digits", "digits-course"]
