"""What holds on every route: errors, ids, keys, health, cards, documents, the page."""

import asyncio
import json
import logging
from pathlib import Path

import httpx
import pytest

from service.app import create_app
from service.settings import Settings
from tests.fakes import FakeEngine, every, write_version

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]
PROBLEM = {"$ref": "#/components/schemas/Problem"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "route_not_found"),
        ("POST", "/v1/gan/paint", 404, "route_not_found"),
        ("GET", "/v1/digits/classify/", 404, "route_not_found"),
        ("GET", "/v1/digits/classify", 405, "method_not_allowed"),
        ("DELETE", "/v1/models/digits", 405, "method_not_allowed"),
        ("GET", "/v1/models/digits:paint", 404, "route_not_found"),
        ("GET", "/v1/models/cats", 404, "model_not_found"),
        ("GET", "/v1/models/cats/card", 404, "model_not_found"),
        ("GET", "/v1/models/digits/card?version=7", 404, "version_not_found"),
        ("GET", "/page/../service/app.py", 404, "route_not_found"),
        ("GET", "/page/nothing.js", 404, "route_not_found"),
        ("GET", "/docs/%2e%2e", 404, "route_not_found"),
    ],
)
async def test_every_error_has_the_one_shape(shared_client, method, path, status, code):
    response = await shared_client.request(method, path)

    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert set(response.json()) == {"error", "code", "request_id"}
    assert response.json()["code"] == code


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/v1/digits/classify", "POST"), ("DELETE", "/v1/models/digits", "GET, HEAD, POST")],
)
async def test_a_wrong_method_is_told_the_right_ones(shared_client, method, path, allowed):
    response = await shared_client.request(method, path)

    assert response.headers["allow"] == allowed
    right = allowed.replace(", ", " or ")
    assert response.json()["error"] == f"the method of {path!r} must be {right}, got {method!r}"


async def test_a_request_id_is_echoed_or_made(shared_client):
    echoed = await shared_client.get("/v1/models", headers={"x-request-id": "abc-123"})
    made = [(await shared_client.get("/v1/models")).headers["x-request-id"] for _ in range(2)]

    assert echoed.headers["x-request-id"] == "abc-123"
    assert made[0] != made[1]


@pytest.mark.parametrize("hostile", ["a b", "x" * 129, "ä".encode(), b"\xff"])
async def test_a_request_id_that_could_forge_a_log_line_is_replaced(shared_client, hostile):
    response = await shared_client.get("/v1/models", headers={"x-request-id": hostile})

    assert response.headers["x-request-id"].isalnum()


async def test_health_tells_live_from_ready(tmp_path, start, engine):
    write_version(tmp_path)
    engine.gate.clear()
    client = await start(wait=False)
    live, waiting = await client.get("/v2/health/live"), await client.get("/v2/health/ready")
    asked = await client.post("/v1/digits/classify", content=b"x")
    engine.gate.set()
    while (ready := await client.get("/v2/health/ready")).status_code != 200:
        await asyncio.sleep(0.01)

    assert (live.status_code, live.json()) == (200, {"live": True, "ready": False})
    assert (waiting.status_code, waiting.json()["ready"]) == (503, False)
    assert "digits/1: loading" in waiting.json()["error"]
    assert (asked.status_code, asked.json()["code"]) == (503, "not_ready")
    assert ready.json() == {"live": True, "ready": True}


async def test_models_are_listed_for_openai_and_kserve_clients_alike(shared_client):
    body = (await shared_client.get("/v1/models")).json()

    assert body["object"] == "list"
    assert body["models"] == ["digits", "digits-course"]
    assert body["data"][0]["id"] == "digits"
    assert body["data"][0]["object"] == "model"


async def test_model_status_is_the_union_of_two_protocols(shared_client):
    body = (await shared_client.get("/v1/models/digits")).json()

    assert (body["name"], body["ready"]) == ("digits", True)
    assert body["model_version_status"] == [
        {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    ]


async def test_a_model_that_failed_says_why(tmp_path, start):
    write_version(tmp_path)
    broken = write_version(tmp_path, version=2)
    (broken / "saved_model.pb").write_bytes(b"half")
    client = await start()
    while True:
        statuses = (await client.get("/v1/models/digits")).json()["model_version_status"]
        if statuses[0]["state"] == "END":
            break
        await asyncio.sleep(0.01)

    assert statuses[0]["status"]["error_code"] == "UNKNOWN"
    assert "sha256 differs" in statuses[0]["status"]["error_message"]
    assert statuses[1]["state"] == "AVAILABLE"


async def test_the_card_carries_signatures_and_digest(shared_client):
    card = (await shared_client.get("/v1/models/digits/card")).json()

    assert card["model"] == {"name": "digits", "version": 1}
    assert card["summary"] == "counts lit pixels"
    assert card["signatures"]["serving_default"]["inputs"] == {"images": "uint8 [B,28,28,1]"}
    assert card["digest"].startswith("sha256:")


async def test_with_keys_set_every_route_but_health_and_page_needs_one(start, png):
    client = await start(api_keys="sesame,other")
    refused = await client.post("/v1/digits/classify", content=png())

    assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
    assert refused.headers["www-authenticate"] == "Bearer"
    for headers in ({"x-api-key": "sesame"}, {"authorization": "Bearer other"}):
        answer = await client.post("/v1/digits/classify", content=png(), headers=headers)
        assert answer.status_code == 200
    wrong = {"x-api-key": "sesam"}
    for path in ("/v1/models", "/metrics", "/docs", "/openapi.json", "/nothing"):
        assert (await client.get(path, headers=wrong)).status_code == 401
    for path in ("/", "/page/index.html", "/v2/health/live", "/v2/health/ready"):
        assert (await client.get(path)).status_code == 200


async def test_only_named_origins_may_call_from_a_browser(start):
    client = await start(cors_origins="https://example.org")
    preflight = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "x-api-key",
    }
    allowed = await client.options(
        "/v1/digits/classify", headers={"origin": "https://example.org", **preflight}
    )
    refused = await client.options(
        "/v1/digits/classify", headers={"origin": "https://evil.example", **preflight}
    )
    answer = await client.get("/v1/models", headers={"origin": "https://example.org"})

    assert allowed.headers["access-control-allow-origin"] == "https://example.org"
    assert "access-control-allow-origin" not in refused.headers
    assert "Server-Timing" in answer.headers["access-control-expose-headers"]


async def test_without_origins_there_is_no_cors(shared_client):
    answer = await shared_client.get("/v1/models", headers={"origin": "https://example.org"})

    assert "access-control-allow-origin" not in answer.headers


async def test_browsers_get_the_page_and_others_a_sign_of_life(shared_client):
    page = await shared_client.get("/", headers={"accept": "text/html,application/xhtml+xml"})
    other = await shared_client.get("/")
    again = await shared_client.get(
        "/", headers={"accept": "text/html", "if-none-match": page.headers["etag"]}
    )

    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert other.json() == {"status": "alive"}
    assert page.headers["vary"] == "Accept, Accept-Encoding"
    assert other.headers["vary"] == "Accept"
    assert again.status_code == 304


async def test_docs_load_nothing_from_another_host(shared_client):
    page = await shared_client.get("/docs")

    assert "://" not in page.text
    for file in ("swagger-ui.css", "swagger-ui-bundle.js", "start.js"):
        assert (await shared_client.get(f"/docs/{file}")).status_code == 200


def validate(document):
    """With the only target of the schema's dynamic references, which jsonschema looks for 5,000 times, written out."""
    import openapi_spec_validator
    from jsonschema import Draft202012Validator

    schema = json.dumps(dict(openapi_spec_validator.schemas.schema_v31))
    written_out = schema.replace('"$dynamicRef": "#meta"', '"$ref": "#/$defs/schema"')

    class QuickValidator(openapi_spec_validator.OpenAPIV31SpecValidator):
        schema_validator = Draft202012Validator(json.loads(written_out))

    openapi_spec_validator.validate(document, cls=QuickValidator)


async def test_the_openapi_document_is_valid_and_says_everything(shared_client):
    document = (await shared_client.get("/openapi.json")).json()
    validate(document)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert "200" in operation["responses"], where
            for status, response in operation["responses"].items():
                if status >= "400":
                    [media] = response["content"].values()
                    assert media["schema"] == PROBLEM, f"{where} {status}"
    classify = document["paths"]["/v1/digits/classify"]["post"]
    assert set(classify["requestBody"]["content"]) >= {
        "image/png",
        "multipart/form-data",
        "application/json",
    }
    assert set(classify["responses"]) >= {
        "200",
        "400",
        "404",
        "413",
        "415",
        "422",
        "429",
        "503",
        "504",
    }
    assert {p["name"] for p in classify["parameters"]} >= {
        "model",
        "version",
        "normalize",
        "return",
    }


async def test_the_example_of_the_document_works_as_it_stands(shared_client):
    document = (await shared_client.get("/openapi.json")).json()
    body = document["paths"]["/v1/digits/classify"]["post"]["requestBody"]
    response = await shared_client.post(
        "/v1/digits/classify", json=body["content"]["application/json"]["example"]
    )

    assert response.status_code == 200


@pytest.mark.parametrize("path", ["/v1/text/generate", "/v1/text/score", "/v1/completions"])
async def test_the_examples_of_the_text_routes_work_as_they_stand(shared_texts, path):
    operation = (await shared_texts.get("/openapi.json")).json()["paths"][path]["post"]
    content = operation["requestBody"]["content"]["application/json"]
    response = await shared_texts.post(path, json=content["example"])
    refused = await shared_texts.post(path, json={"no_field": 1})

    assert response.status_code == 200, response.text
    assert set(operation["responses"]) >= {"200", "400", "404", "413", "422", "429", "503", "504"}
    fields = set(content["schema"]["properties"])
    named = refused.json()["error"].partition("one of ")[2].partition(", got ")[0].split(", ")
    assert fields == set(named)
    assert ("text/event-stream" in operation["responses"]["200"]["content"]) is (
        path != "/v1/text/score"
    )


async def test_metrics_count_answers_by_route_and_status_and_nothing_a_stranger_says(client, png):
    await client.post("/v1/digits/classify", content=png())
    await client.post("/v1/digits/classify?model=evil", content=png())
    await client.get("/evil/path")
    text = (await client.get("/metrics")).text

    assert (
        'vitrine_requests_total{method="POST",route="/v1/digits/classify",status="200"} 1.0' in text
    )
    assert (
        'vitrine_requests_total{method="POST",route="/v1/digits/classify",status="404"} 1.0' in text
    )
    assert 'route="unmatched",status="404"' in text
    assert "evil" not in text
    assert 'vitrine_waiting_requests{model="digits"} 0.0' in text
    assert 'vitrine_batch_rows_count{model="digits"} 1.0' in text


async def test_an_unexpected_failure_is_a_500_in_the_one_shape_and_stays_in_the_log(
    caplog, tmp_path
):
    async def broken(request):
        raise RuntimeError("secret detail")

    app = create_app(Settings(models=tmp_path), every(FakeEngine()))
    app.add_route("/broken", broken)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://vitrine") as client:
        with caplog.at_level(logging.ERROR):
            response = await client.get("/broken")

    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert "secret" not in response.text
    assert "secret detail" in caplog.text


async def test_every_setting_route_and_error_code_is_in_the_docs():
    from service import errors
    from service.settings import Settings

    text = (ROOT / "README.md").read_text() + (ROOT / "docs" / "api.md").read_text()
    codes = [
        c.code for c in vars(errors).values() if isinstance(c, type) and issubclass(c, Exception)
    ]

    assert [
        code
        for code in codes
        if f"`{code}`" not in text and code not in ("too_large", "not_found", "forbidden")
    ] == []
    assert [n for n in Settings.model_fields if f"VITRINE_{n.upper()}" not in text] == []


async def test_metrics_tell_queue_runs_refusals_loads_and_memory_apart(client, png):
    for _ in range(3):
        await client.post("/v1/digits/classify", content=png())
    await client.post("/v1/digits/classify", content=b"no image")
    await client.get("/nothing")
    text = (await client.get("/metrics")).text

    for line in (
        'vitrine_queue_seconds_count{model="digits"} 3.0',
        'vitrine_run_seconds_count{model="digits"} 3.0',
        'vitrine_errors_total{code="unsupported_image"} 1.0',
        'vitrine_errors_total{code="route_not_found"} 1.0',
        'vitrine_model_loads_total{model="digits",result="ok"} 1.0',
        "vitrine_bytes_in_flight ",
        "process_resident_memory_bytes ",
    ):
        assert line in text, line


async def test_blanks_around_a_timeout_are_no_part_of_it(shared_client, png):
    answer = await shared_client.post(
        "/v1/digits/classify", content=png(), headers={"x-timeout-ms": " 30000\t"}
    )

    assert answer.status_code == 200


@pytest.mark.parametrize("value", ["0", "0.5", "3600001", "-1", "nan", "inf", "1_000", " ", "1e3"])
async def test_a_timeout_outside_its_range_is_refused(shared_client, png, value):
    answer = await shared_client.post(
        "/v1/digits/classify", content=png(), headers={"x-timeout-ms": value}
    )

    assert answer.status_code == 422
    assert answer.json()["error"].startswith("X-Timeout-Ms must be a number from 1 to 3600000")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/gan/sample.png", "GET, HEAD"),
        ("GET", "/v1/digits/classify", "POST"),
        ("DELETE", "/v1/models/digits", "GET, HEAD, POST"),
        ("GET", "/v1/models/digits:predict", "POST"),
        ("PUT", "/v1/models/digits/versions/1:classify", "POST"),
        ("HEAD", "/v1/models/digits/labels/stable:regress", "POST"),
        ("GET", "/v2/models/digits/infer", "POST"),
    ],
)
async def test_a_wrong_method_is_told_every_right_one(shared_client, method, path, allowed):
    answer = await shared_client.request(method, path)

    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed


async def test_a_refused_preflight_has_the_one_error_shape_and_is_counted(start):
    client = await start(cors_origins=("https://example.org",))
    headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    answer = await client.options("/v1/digits/classify", headers=headers)

    assert answer.status_code == 400
    assert answer.json()["code"] == "origin_refused"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert 'method="OPTIONS",route="unmatched",status="400"' in (await client.get("/metrics")).text


@pytest.mark.parametrize(
    ("authorization", "status"),
    [("Bearer secret", 200), ("bearer secret", 200), ("secret", 401), ("Basic secret", 401)],
)
async def test_a_key_is_read_behind_its_scheme_in_any_case(start, authorization, status):
    client = await start(api_keys=("secret",))
    answer = await client.get("/v1/models", headers={"authorization": authorization})

    assert answer.status_code == status


async def test_another_tasks_model_is_not_named_among_others(shared_client, png):
    answer = await shared_client.post("/v1/images/label?model=digits", content=png())

    assert answer.status_code == 404
    assert "digits-course" not in answer.text
