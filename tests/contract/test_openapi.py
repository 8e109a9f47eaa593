"""Every documented example of every route is sent, and the real answer is held against its schema."""

import base64
import json
import os
import re
import time

import httpx
import pytest
from jsonschema import Draft202012Validator

from tests.clients.python.serving import serving, write_all_models

FAKE_BODIES = {  # where an example names dimensions or directions that only the released models have
    "/v1/vae/decode": {"latents": [[0.0, 0.0]]},
    "/v1/gan/edit": {"latent": {"random_seed": 3}, "direction": "grey", "strength": [-2, 0, 2]},
}
UPLOAD = ("/v1/models/{model}", "post")  # takes a file, which no example can hold: see test_upload
MANAGED = ("/load", "/unload", "/serving")  # need an admin key, which only a service of our own has
KEY = "a key of the tests"
TOO_LARGE = b"0" * (2**24 + 1)
JSON = "application/json"


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A client of the app around one fake model of each task, or of the released models at TESTED_URL."""
    if url := os.environ.get("TESTED_URL"):
        with httpx.Client(base_url=url, trust_env=False, timeout=60) as found:
            yield found
        return
    folder = tmp_path_factory.mktemp("documented")
    write_all_models(folder)
    (folder / "digits" / "serving.json").write_text('{"labels": {"stable": 1}}')
    with (
        serving(folder, admin_key=KEY) as running,
        httpx.Client(
            base_url=running.url, headers={"X-API-Key": KEY}, trust_env=False, timeout=120
        ) as found,
    ):
        while found.get("/v2/health/ready").status_code != 200:
            time.sleep(0.01)
        yield found


@pytest.fixture(scope="module")
def document(client):
    return client.get("/openapi.json").json()


@pytest.fixture(scope="module")
def operations(document):
    """Path, method and description of every operation that is not the page's."""
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if (path, method) != UPLOAD and not ("TESTED_URL" in os.environ and path.endswith(MANAGED))
    ]


def address(path):
    """A path with names in place of its parameters: a model that does what the route is for."""
    if path.startswith("/v2/models/") and "/generate" in path:
        return path.format(model="text", version=1)
    return path.format(model="digits", version=1, label="stable")


def check(document, schema, value):
    """Fail with the place where a value leaves its schema."""
    whole = {**schema, "components": document["components"]}
    errors = sorted(Draft202012Validator(whole).iter_errors(value), key=lambda e: list(e.path))
    assert not errors, f"{errors[0].json_path}: {errors[0].message}"


def ask(client, operation, method, path, **changes):
    """Send the documented example of an operation."""
    url = address(path)
    content = operation.get("requestBody", {}).get("content", {}).get(JSON)
    bodies = {} if "TESTED_URL" in os.environ else FAKE_BODIES
    body = None if content is None else json.dumps(bodies.get(path, content["example"]))
    return client.request(method, url, **{"content": body, **changes})


def test_every_example_gets_the_answer_that_is_documented(client, document, operations):
    for path, method, operation in operations:
        where = f"{method} {path}"
        described = operation["responses"]["200"]
        response = ask(client, operation, method, path)
        if path.endswith(":regress"):  # a model with one number for each example is none of ours
            assert response.json()["error"].endswith("use :predict"), response.text
            continue
        assert response.status_code == 200, f"{where}: {response.text}"
        kind = response.headers["content-type"].partition(";")[0]
        if described.get("content"):
            assert kind in described["content"], where
        if kind == JSON:
            check(document, described["content"][JSON]["schema"], response.json())
        for header in described.get("headers", {}):
            assert header in response.headers, f"{where}: {header}"


def test_every_streamed_event_is_as_documented(client, document, operations):
    streams = 0
    for path, method, operation in operations:
        content = operation["responses"]["200"].get("content", {}).get("text/event-stream")
        if content is None:
            continue
        streams += 1
        example = operation["requestBody"]["content"][JSON]["example"]
        stream = (
            {"content": json.dumps({**example, "stream": True})}
            if "text" in operation["tags"]
            else {}
        )
        response = ask(
            client, operation, method, path, headers={"accept": "text/event-stream"}, **stream
        )
        lines = [line for line in response.text.splitlines() if line]
        assert response.headers["content-type"].startswith("text/event-stream"), path
        assert lines, path
        assert all(line.startswith("data: ") for line in lines)
        for line in lines:
            if line != "data: [DONE]":
                check(document, content["x-item-schema"], json.loads(line[6:]))
    assert streams == 5


@pytest.mark.parametrize(
    ("status", "change"),
    [
        (404, {"params": {"model": "nothing"}}),
        (422, {"params": {"version": "x"}}),
        (400, {"content": b"{"}),
        (413, {"content": TOO_LARGE}),
    ],
)
def test_every_documented_error_has_the_one_shape(client, document, operations, status, change):
    asked = 0
    for path, method, operation in operations:
        described = operation["responses"].get(str(status))
        takes_model = {"model", "version"} <= {p["name"] for p in operation.get("parameters", ())}
        if described is None or "{model}" in path or not takes_model:
            continue
        if status in (400, 413) and "requestBody" not in operation:
            continue
        asked += 1
        response = ask(client, operation, method, path, **change)
        assert response.status_code == status, f"{method} {path}: {response.text}"
        check(document, described["content"][JSON]["schema"], response.json())
    assert asked >= 10


def test_the_document_says_how_a_key_is_shown(document):
    assert set(document["components"]["securitySchemes"]) == {"bearer", "api_key"}
    assert {} in document["security"]  # where no keys are configured
    assert document["paths"]["/v2/health/live"]["get"]["security"] == []
    assert "security" not in document["paths"]["/metrics"]["get"]


def test_operation_ids_are_readable_and_every_tag_is_described(document, operations):
    names = [operation["operationId"] for _, _, operation in operations]
    tags = {tag["name"]: tag["description"] for tag in document["tags"]}

    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and not re.search(r"v\d_", name) for name in names)
    assert {tag for _, _, operation in operations for tag in operation["tags"]} <= set(tags)
    assert all(tags.values())


def test_the_example_image_is_an_image(document):
    body = document["paths"]["/v1/digits/classify"]["post"]["requestBody"]
    encoded = body["content"][JSON]["example"]["image"].partition(",")[2]

    assert base64.b64decode(encoded, validate=True).startswith(b"\x89PNG")
