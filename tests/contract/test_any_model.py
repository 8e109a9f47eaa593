"""Any SavedModel: without a manifest it is served under both protocols, by a real service and TensorFlow."""

import base64
import json
import shutil
import subprocess

import httpx
import numpy as np
import pytest

from tests.running import running_service

pytestmark = pytest.mark.tensorflow
tf = pytest.importorskip("tensorflow")


class Table(tf.Module):
    @tf.function(
        input_signature=[
            tf.TensorSpec([None, 2], tf.float32, "x"),
            tf.TensorSpec([None], tf.string, "word"),
        ]
    )
    def rows(self, x, word):
        return {"sum": tf.reduce_sum(x, axis=1), "loud": tf.strings.upper(word)}

    @tf.function(
        input_signature=[tf.TensorSpec([3], tf.int32, "x"), tf.TensorSpec([], tf.string, "s")]
    )
    def alone(self, x, s):
        return {"sum": tf.reduce_sum(x), "text_bytes": tf.strings.join([s, "!"])}

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int64, "x")])
    def ragged(self, x):
        return {"y": x + 1}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    def positive(self, x):
        return {"y": tf.boolean_mask(x, x > 0)}


class HalfPlusTwo(tf.Module):
    """The model of TensorFlow Serving's documentation, x / 2 + 2."""

    def __init__(self):
        self.a, self.b = tf.Variable(0.5), tf.Variable(2.0)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    def predict(self, x):
        return {"y": self.a * x + self.b}


class Writer(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    def __call__(self, x):
        tf.print(x, output_stream="file:///tmp/never")
        return {"y": x}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    root = tmp_path_factory.mktemp("any") / "models"
    table, writer = Table(), Writer()
    signatures = {
        "serving_default": table.rows,
        "alone": table.alone,
        "ragged": table.ragged,
        "positive": table.positive,
    }
    tf.saved_model.save(table, str(root / "table" / "1"), signatures)
    half = HalfPlusTwo()
    tf.saved_model.save(half, str(root / "half" / "1"), {"serving_default": half.predict})
    tf.saved_model.save(writer, str(root / "writer" / "1"), {"serving_default": writer.__call__})
    with (
        running_service(root) as (_, port),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=120) as client,
    ):
        yield client
    shutil.rmtree(root)


def test_rows_and_columns_under_tensorflow_serving(client):
    rows = [{"x": [1, 2], "word": "a"}, {"x": [3, 4], "word": {"b64": "Yg=="}}]
    answer = client.post("/v1/models/table:predict", json={"instances": rows})
    columns = {"x": [[1, 2]], "word": ["c"]}

    assert answer.json() == {"predictions": [{"loud": "A", "sum": 3.0}, {"loud": "B", "sum": 7.0}]}
    assert client.post("/v1/models/table:predict", json={"inputs": columns}).json() == {
        "outputs": {"loud": ["C"], "sum": [3.0]}
    }


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_curl_of_tensorflow_servings_documentation_works_with_the_models_name_changed(client):
    url = f"{client.base_url}/v1/models/half:predict"
    command = ["curl", "-s", "-d", '{"instances": [1.0, 2.0, 5.0]}', "-X", "POST", url]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert json.loads(answer) == {"predictions": [2.5, 3.0, 4.5]}
    assert answer.replace(" ", "") == '{"predictions":[2.5,3.0,4.5]}'


def test_a_signature_without_rows_runs_alone(client):
    body = {"signature_name": "alone", "inputs": {"x": [1, 2, 3], "s": "hi"}}
    answer = client.post("/v1/models/table:predict", json=body)

    encoded = base64.b64encode(b"hi!").decode()
    assert answer.json() == {"outputs": {"sum": 6, "text_bytes": {"b64": encoded}}}


@pytest.mark.parametrize("width", [1, 5, 3])
def test_free_dimensions_may_differ_between_requests(client, width):
    x = np.arange(width, dtype=np.int64)[None]
    tensor = {"name": "x", "datatype": "INT64", "shape": [1, width], "data": x.tolist()}
    body = {"inputs": [tensor], "parameters": {"signature_name": "ragged"}}

    [output] = client.post("/v2/models/table/infer", json=body).json()["outputs"]

    assert output == {
        "name": "y",
        "datatype": "INT64",
        "shape": [1, width],
        "data": (x + 1)[0].tolist(),
    }


def test_strings_under_the_open_inference_protocol(client):
    inputs = [
        {"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [1, 2]},
        {"name": "word", "datatype": "BYTES", "shape": [1], "data": ["abc"]},
    ]
    answer = client.post("/v2/models/table/infer", json={"inputs": inputs}).json()
    described = client.get("/v2/models/table").json()

    assert {one["name"]: one["data"] for one in answer["outputs"]} == {"loud": ["ABC"], "sum": [3]}
    assert described["inputs"] == [
        {"name": "word", "datatype": "BYTES", "shape": [-1]},
        {"name": "x", "datatype": "FP32", "shape": [-1, 2]},
    ]


def test_a_model_that_would_write_files_is_not_served_and_says_why(client):
    status = client.get("/v1/models/writer").json()
    answer = client.post("/v1/models/writer:predict", json={"instances": [1.0]})

    reason = status["model_version_status"][0]["status"]["error_message"]
    assert "PrintV2" in reason
    assert answer.status_code == 503
    assert client.get("/v2/health/ready").status_code == 200


def test_it_answers_on_no_task_route(client):
    answer = client.post("/v1/digits/classify?model=table", content=b"x")

    assert answer.status_code == 404


def test_outputs_with_another_number_of_rows_than_the_inputs_are_refused(client):
    url = "/v1/models/table:predict"
    fitting = client.post(url, json={"signature_name": "positive", "instances": [1.0, 2.0]})
    fewer = client.post(url, json={"signature_name": "positive", "instances": [1.0, -2.0]})
    tensor = {"name": "x", "datatype": "FP32", "shape": [2], "data": [1.0, -2.0]}
    body = {"inputs": [tensor], "parameters": {"signature_name": "positive"}}
    inferred = client.post("/v2/models/table/infer", json=body)

    assert fitting.json() == {"predictions": [1.0, 2.0]}
    for refused in (fewer, inferred):
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_input")
    again = client.post(url, json={"signature_name": "positive", "instances": [3.0]})
    assert again.json() == {"predictions": [3.0]}
