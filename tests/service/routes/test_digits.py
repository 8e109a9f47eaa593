"""`/v1/digits/*` keeps the contract, whatever comes."""

import asyncio
import base64
import io
import json

import numpy as np
import pytest
from PIL import Image, ImageDraw

from service.scheduling.run_cost import RunCost
from service.tasks import classify_digit
from tests.fakes import write_version
from tests.waiting import until_waiting

pytestmark = pytest.mark.anyio
URL = "/v1/digits/classify"


def data_uri(content):
    return "data:image/png;base64," + base64.b64encode(content).decode()


def digits_of(response):
    assert response.status_code == 200, response.text
    return [prediction["digit"] for prediction in response.json()["predictions"]]


def drawing(*strokes, size=280, background=255, ink=0):
    image = Image.new("L", (size, size), background)
    for stroke in strokes:
        ImageDraw.Draw(image).line(stroke, fill=ink, width=20, joint="curve")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


SEVEN = [(80, 60), (200, 60), (130, 220)]


async def test_a_raw_image_gets_the_answer_of_the_contract(shared_client, png):
    response = await shared_client.post(URL, content=png(7))

    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-model"] == "digits/1"
    assert response.headers["x-batch-size"] == "1"
    timing = [part.split(";")[0] for part in response.headers["server-timing"].split(", ")]
    assert timing == ["decode", "queue", "infer", "encode"]
    body = response.json()
    assert body["model"] == {"name": "digits", "version": 1}
    [prediction] = body["predictions"]
    assert set(prediction) == {"digit", "probability", "probabilities", "outlier", "outlier_score"}
    assert (prediction["digit"], prediction["probability"]) == (7, 1.0)
    assert len(prediction["probabilities"]) == 10
    assert prediction["outlier"] is False


@pytest.mark.parametrize(
    "content_type", ["image/png", "application/x-www-form-urlencoded", "text/plain", ""]
)
async def test_the_bytes_decide_not_the_content_type(shared_client, png, content_type):
    response = await shared_client.post(URL, content=png(4), headers={"content-type": content_type})

    assert digits_of(response) == [4]


async def test_several_files_of_a_form_are_answered_in_order(shared_client, png):
    files = [("file", ("a.png", png(3))), ("other", ("b.png", png(1))), ("file", ("c.png", png(8)))]

    assert digits_of(await shared_client.post(URL, files=files)) == [3, 1, 8]


async def test_json_images_are_taken_as_base64_data_uri_and_pixels(shared_client, png):
    pixels = np.zeros((28, 28), int)
    pixels[0, :5] = 255
    plain = base64.b64encode(png(2)).decode()

    assert digits_of(await shared_client.post(URL, json={"image": plain})) == [2]
    assert digits_of(await shared_client.post(URL, json={"images": [data_uri(png(6)), plain]})) == [
        6,
        2,
    ]
    assert digits_of(await shared_client.post(URL, json={"instances": [pixels.tolist()]})) == [5]
    with_channel = pixels[..., np.newaxis].tolist()
    assert digits_of(await shared_client.post(URL, json={"instances": [with_channel]})) == [5]


async def test_json_is_read_whatever_its_content_type(shared_client, png):
    body = b'  \n{"image": "' + base64.b64encode(png(9)) + b'"}'
    headers = {"content-type": "application/x-www-form-urlencoded"}

    assert digits_of(await shared_client.post(URL, content=body, headers=headers)) == [9]


async def test_return_input_gives_the_image_the_model_saw(shared_client):
    response = await shared_client.post(URL + "?return=input", content=drawing(SEVEN))
    [prediction] = response.json()["predictions"]
    png = base64.b64decode(prediction["input"]["image"].removeprefix("data:image/png;base64,"))
    seen = np.asarray(Image.open(io.BytesIO(png)))

    assert prediction["input"]["steps"][0] == "inverted"
    assert {"cropped", "centred"} <= set(prediction["input"]["steps"])
    assert seen.shape == (28, 28)
    assert seen[0].max() == 0
    assert seen.max() == 255


async def test_a_clean_dark_bordered_image_passes_unchanged(shared_client, png):
    response = await shared_client.post(URL + "?return=input", content=png(5))
    seen = response.json()["predictions"][0]["input"]

    assert seen["steps"] == []
    assert base64.b64decode(seen["image"].partition(",")[2])[:4] == b"\x89PNG"


async def test_activations_shows_each_layer_in_order(shared_client, png):
    response = await shared_client.post("/v1/digits/activations", content=png(7))
    layers = response.json()["layers"]

    assert [layer["name"] for layer in layers] == ["conv1", "logits"]
    assert layers[0]["shape"] == [28, 28, 2]
    assert layers[0]["image"].startswith("data:image/png;base64,")
    assert "values" not in layers[0]
    assert len(layers[1]["values"]) == 10
    assert "image" not in layers[1]


@pytest.mark.parametrize("route", ["activations", "filter", "explain?method=occlusion"])
async def test_a_route_about_the_inside_returns_the_models_input(shared_client, png, route):
    url = f"/v1/digits/{route}{'&' if '?' in route else '?'}"
    plain = (await shared_client.post(f"{url}normalize=off", content=png(7))).json()
    answer = (await shared_client.post(f"{url}normalize=off&return=input", content=png(7))).json()

    seen = answer.pop("inputs")[0] if route.startswith("explain") else answer.pop("input")
    assert answer == plain
    assert seen["steps"] == []
    assert base64.b64decode(seen["image"].partition(",")[2])[:4] == b"\x89PNG"
    wrong = await shared_client.post(f"{url}return=pixels", content=png(7))
    assert wrong.status_code == 422


def test_each_map_of_a_layer_has_its_own_grey_scale():
    strong, weak, even = np.zeros((3, 2, 2), np.float32)
    strong[0, 0], weak[1, 1], even[:] = 900, 0.9, 7
    grey = classify_digit._to_grey(np.stack([strong, weak, even], axis=2))

    assert grey[0].tolist() == [[255, 0], [0, 0]]
    assert grey[1].tolist() == [[0, 0], [0, 255]]
    assert not grey[2].any()


async def test_activations_takes_exactly_one_image(shared_client, png):
    two = {"images": [data_uri(png(1)), data_uri(png(2))]}
    response = await shared_client.post("/v1/digits/activations", json=two)

    assert response.status_code == 413
    assert "must have exactly one image, got 2" in response.json()["error"]


async def test_model_and_version_can_be_chosen(tmp_path, start, png):
    write_version(tmp_path)
    write_version(tmp_path, version=2)
    (tmp_path / "digits" / "serving.json").write_text('{"versions": "all"}')
    write_version(tmp_path, "mine")
    client = await start()

    async def answered(query):
        return (await client.post(URL + query, content=png())).headers.get("x-model")

    for query in ("?version=2", "?version=1", "?model=mine"):
        while await answered(query) is None:  # still loading
            await asyncio.sleep(0.01)
    assert await answered("") == "digits/2"
    assert await answered("?model=mine") == "mine/1"
    assert await answered("?version=1") == "digits/1"


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("?model=cats", 404, "model_not_found"),
        ("?model=../../etc/passwd", 404, "model_not_found"),
        ("?model=flowers", 404, "model_not_found"),
        ("?version=9", 404, "version_not_found"),
        ("?version_label=stable", 404, "version_not_found"),
        ("?version=one", 422, "invalid_value"),
        ("?version=-1", 422, "invalid_value"),
        ("?version=%D9%A3", 422, "invalid_value"),
        ("?normalize=maybe", 422, "invalid_value"),
        ("?return=everything", 422, "invalid_value"),
    ],
)
async def test_a_wrong_query_is_told_what_would_be_right(tmp_path, start, png, query, status, code):
    write_version(tmp_path)
    write_version(tmp_path, "flowers", task="classify_image")
    client = await start()
    response = await client.post(URL + query, content=png())

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.json()["request_id"] == response.headers["x-request-id"]


def gif(size):
    buffer = io.BytesIO()
    Image.new("L", size).save(buffer, "GIF")
    return buffer.getvalue()


def bomb():
    buffer = io.BytesIO()
    Image.new("1", (5_001, 5_001)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("body", "status", "code", "words"),
    [
        (b"", 415, "unsupported_image", "empty"),
        (b"hello, what digit am I?", 415, "unsupported_image", "PNG"),
        (b"%PDF-1.7 ...", 415, "unsupported_image", "PNG"),
        (b"<svg xmlns='x'/>", 415, "unsupported_image", "PNG"),
        (drawing(SEVEN)[:200], 422, "invalid_image", ""),
        (drawing(SEVEN)[:20], 422, "invalid_image", ""),
        (drawing(SEVEN).replace(b"\r\n", b"").replace(b"\n", b""), 422, "invalid_image", "--data-binary"),
        (drawing(), 422, "invalid_image", "blank"),
        (drawing([(40, 60), (40, 220)], [(200, 60), (200, 220)]), 422, "invalid_image", "2"),
        (bomb(), 413, "image_too_large", "pixels"),
        (b"{", 400, "invalid_json", ""),
        (b'{"image": NaN}', 400, "invalid_json", ""),
        (b'{"image": "\\ud800"}', 400, "invalid_json", ""),
        (b"[" * 100_000, 400, "invalid_json", ""),
        (b"{}", 422, "invalid_value", "image"),
        (b'{"image": 7}', 422, "invalid_value", "image"),
        (b'{"images": []}', 422, "invalid_value", "images"),
        (b'{"instances": [[[0.1, 0.9]]]}', 422, "invalid_value", "255"),
        (b'{"instances": [[[0, 256]]]}', 422, "invalid_value", "255"),
        (b'{"instances": [[[1], [2, 3]]]}', 422, "invalid_value", ""),
        (b'{"image": "!!!"}', 422, None, ""),
        (b'{"image": "http://example.org/7.png"}', 422, None, ""),
    ],
    ids=[
        "empty", "text", "pdf", "svg", "truncated", "header-only", "mangled-by-curl", "blank", "two-digits",
        "bomb", "half-json", "nan", "surrogate", "deep", "no-field", "number", "no-images", "unit-scale",
        "out-of-range", "ragged", "not-base64", "url",
    ],
)  # fmt: skip
async def test_bad_input_gets_the_contracts_error(shared_client, png, body, status, code, words):
    response = await shared_client.post(URL, content=body)
    problem = response.json()

    assert response.headers["content-type"] == "application/json"
    assert response.status_code == status, problem
    assert set(problem) == {"error", "code", "request_id"}
    assert code in (None, problem["code"])
    assert words in problem["error"]
    assert len(problem["error"]) < 400
    assert digits_of(await shared_client.post(URL, content=png(3))) == [3]


async def test_one_bad_image_fails_the_request_and_is_named(shared_client, png):
    images = [data_uri(png(1)), data_uri(png(2)), data_uri(drawing())]
    response = await shared_client.post(URL, json={"images": images})

    assert response.status_code == 422
    assert response.json()["error"].startswith("image 3: ")


async def test_a_wrong_size_is_refused_only_with_normalize_off(shared_client):
    body = drawing(SEVEN)

    assert (await shared_client.post(URL, content=body)).status_code == 200
    refused = await shared_client.post(URL + "?normalize=off", content=body)
    assert refused.status_code == 422
    assert "28" in refused.json()["error"]
    assert "280" in refused.json()["error"]


async def test_limits_on_body_pixels_and_images_name_limit_and_what_came(start, png):
    client = await start(max_body_bytes=2048, max_image_pixels=2000, max_images=3)
    large = await client.post(URL, content=b"x" * 3000)
    many = await client.post(URL, json={"images": [data_uri(png())] * 4})
    pixels = await client.post(URL, json={"images": [data_uri(png())] * 3})

    assert (large.status_code, large.json()["code"]) == (413, "body_too_large")
    assert "2048" in large.json()["error"]
    assert (many.status_code, many.json()["code"]) == (413, "too_many_images")
    assert (pixels.status_code, pixels.json()["code"]) == (413, "image_too_large")
    assert "2,000" in pixels.json()["error"]


async def test_a_chunked_body_is_limited_too(start):
    client = await start(max_body_bytes=2048)

    async def endless():
        for _ in range(1000):
            yield b"x" * 1000

    response = await client.post(URL, content=endless())

    assert response.status_code == 413


async def test_a_compressed_body_is_refused_by_name(shared_client, png):
    response = await shared_client.post(URL, content=png(), headers={"content-encoding": "gzip"})

    assert response.status_code == 415
    assert "gzip" in response.json()["error"]


async def test_waiting_requests_share_a_run_and_each_gets_its_own_answer(client, png, engine):
    engine.gate.clear()
    waiting = [asyncio.create_task(client.post(URL, content=png(n))) for n in range(1, 9)]
    await until_waiting(client, 8)
    engine.gate.set()
    responses = await asyncio.gather(*waiting)

    assert [digits_of(response) for response in responses] == [[n % 10] for n in range(1, 9)]
    assert max(int(response.headers["x-batch-size"]) for response in responses) > 1


async def test_an_overfull_queue_refuses_the_excess_with_retry_after(start, png, engine):
    client = await start(queue_size=2)
    engine.gate.clear()
    accepted = [asyncio.create_task(client.post(URL, content=png(n))) for n in (1, 2)]
    await until_waiting(client, 2)
    refused = await client.post(URL, content=png())
    engine.gate.set()

    assert (refused.status_code, refused.json()["code"]) == (429, "overloaded")
    assert int(refused.headers["retry-after"]) >= 1
    assert [digits_of(response) for response in await asyncio.gather(*accepted)] == [[1], [2]]
    assert digits_of(await client.post(URL, content=png(3))) == [3]


async def test_a_deadline_that_passes_is_504(client, png, engine, monkeypatch):
    # Nothing is expected to take longer than the deadline, however long it took on a busy machine.
    monkeypatch.setattr(RunCost, "seconds", lambda *_, **__: 0.0)
    engine.gate.clear()
    response = await client.post(URL, content=png(), headers={"x-timeout-ms": "30"})
    engine.gate.set()

    assert (response.status_code, response.json()["code"]) == (504, "deadline_exceeded")


@pytest.mark.parametrize("value", ["soon", "-1", "0", "nan", "1e99"])
async def test_a_deadline_that_is_none_is_refused(shared_client, png, value):
    response = await shared_client.post(URL, content=png(), headers={"x-timeout-ms": value})

    assert (response.status_code, response.json()["code"]) == (422, "invalid_value")


async def test_a_model_that_fails_on_an_image_fails_that_request_alone(client, png, engine, caplog):
    engine.fail_on_digit = 4
    good, bad = await asyncio.gather(
        client.post(URL, content=png(3)), client.post(URL, content=png(4))
    )

    assert digits_of(good) == [3]
    assert bad.status_code == 500
    assert bad.json()["code"] == "internal_error"
    assert "cannot run" not in bad.text
    assert "cannot run" in caplog.text


FILTER = "/v1/digits/filter"


async def test_a_map_comes_with_what_it_is_computed_from(shared_client, png):
    response = await shared_client.post(f"{FILTER}?layer=conv1&map=1", content=png(7))

    assert response.status_code == 200, response.text
    answer = response.json()
    assert answer["model"] == {"name": "digits", "version": 1}
    assert (answer["layer"], answer["map"], answer["below"]) == ("conv1", 1, "input")
    assert (answer["kernel"], answer["bias"], answer["relu"]) == ([[[1.0]]], 0.0, True)
    assert np.shape(answer["inputs"]) == (28, 28, 1)
    assert np.allclose(np.squeeze(answer["inputs"]), answer["values"], atol=1e-3)
    assert np.max(answer["values"]) == 255


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("layer=conv9", "layer must be one of conv1, got 'conv9'"),
        ("layer=conv1&map=2", "map must be a whole number from 0 to 1 for conv1, got 2"),
        ("layer=conv1&map=x", "map must be a whole number"),
    ],
)
async def test_a_layer_or_map_that_is_not_there_is_422(shared_client, png, query, message):
    response = await shared_client.post(f"{FILTER}?{query}", content=png(7))

    assert response.status_code == 422, response.text
    assert message in response.json()["error"]


async def test_filters_need_exactly_one_image(shared_client, png):
    files = [("a", ("a.png", png(1))), ("b", ("b.png", png(2)))]

    assert (await shared_client.post(f"{FILTER}?layer=conv1", files=files)).status_code == 413


async def test_a_model_exported_without_filters_says_so(start, tmp_path, png):
    directory = write_version(tmp_path)
    manifest_file = directory / "assets.extra" / "manifest.json"
    manifest = json.loads(manifest_file.read_text())
    del manifest["files"]["assets.extra/filters.npz"]
    manifest_file.write_text(json.dumps(manifest))

    client = await start()
    response = await client.post(f"{FILTER}?layer=conv1", content=png(7))

    assert response.status_code == 422
    assert "model must have filters in its export" in response.json()["error"]
