"""Versions, labels and management over HTTP, as an operator uses them."""

import asyncio
import json
import os
import re
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from tests.fakes import FakeEngine, NumberedEngine, every, write_version
from tests.service.apps import in_process, patient

pytestmark = pytest.mark.anyio

ADMIN = {"authorization": "Bearer sesame"}
SERVING = "/v1/models/digits/serving"


def tensor(digit=7):
    images = np.zeros((1, 784), np.uint8)
    images[0, :digit] = 255
    return {"instances": images.reshape(1, 28, 28, 1).tolist()}


@pytest.fixture
async def admin(tmp_path, start):
    for version in (1, 2, 3):
        write_version(tmp_path, version=version)
    return await start(admin_key="sesame", poll_seconds=0.02)


async def version_of(client, path="/v1/models/digits:predict"):
    answer = await client.post(path, json=tensor())
    return answer.headers.get("x-model") if answer.status_code == 200 else answer.status_code


async def test_a_rollback_is_one_call_and_answers_when_it_is_done(admin):
    before = await admin.get(SERVING)
    answer = await admin.put(SERVING, json={"versions": [2]}, headers=ADMIN)

    assert answer.status_code == 200
    assert await version_of(admin) == "digits/2"
    assert (
        before.headers["etag"]
        != answer.headers["etag"]
        == (await admin.get(SERVING)).headers["etag"]
    )
    known = {"if-none-match": answer.headers["etag"]}
    assert (await admin.get(SERVING, headers=known)).status_code == 304
    assert before.json()["versions"] == {"latest": 1}
    assert answer.json() == {"versions": [2], "labels": {}, "weight": 1.0, "unloaded": False}


async def test_labels_choose_versions_on_every_kind_of_route(admin, png):
    await admin.put(SERVING, json={"labels": {"stable": 1, "canary": 3}}, headers=ADMIN)

    for path, expected in [
        ("/v1/models/digits/labels/stable:predict", "digits/1"),
        ("/v1/models/digits/labels/canary:predict", "digits/3"),
        ("/v1/models/digits/versions/1:predict", "digits/1"),
        ("/v1/models/digits:predict", "digits/3"),
        ("/v1/models/digits/versions/2:predict", 404),
    ]:
        assert await version_of(admin, path) == expected
    task = await admin.post("/v1/digits/classify?version_label=stable", content=png())
    status = (await admin.get("/v1/models/digits/labels/stable")).json()
    assert task.json()["model"] == {"name": "digits", "version": 1}
    assert status["model_version_status"][0]["version"] == "1"


async def test_a_label_on_a_version_that_does_not_load_is_refused_and_changes_nothing(
    admin, tmp_path
):
    (tmp_path / "digits" / "2" / "saved_model.pb").write_bytes(b"half a copy")
    before = (await admin.get(SERVING)).content

    broken = await admin.put(SERVING, json={"labels": {"stable": 2}}, headers=ADMIN)
    missing = await admin.put(SERVING, json={"versions": [9]}, headers=ADMIN)

    assert (broken.status_code, broken.json()["code"]) == (422, "invalid_value")
    assert "must name ready versions, got 2" in broken.json()["error"]
    assert (missing.status_code, missing.json()["code"]) == (404, "version_not_found")
    assert (await admin.get(SERVING)).content == before
    assert not (tmp_path / "digits" / "serving.json").exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"\xff", 400),
        (b"[]", 422),
        (b'{"versions": "some"}', 422),
        (b'{"versions": {"latest": 0}}', 422),
        (b'{"labels": {"a b": 1}}', 422),
        (b'{"weight": 0}', 422),
        (b'{"weight": NaN}', 422),
        (b'{"stranger": 1}', 422),
        (b'"' + b"a" * 70_000 + b'"', 413),
    ],
)
async def test_a_faulty_configuration_is_refused(admin, body, status):
    answer = await admin.put(SERVING, content=body, headers=ADMIN)

    assert answer.status_code == status
    assert re.search(r" must (be|have) .*, got ", answer.json()["error"])
    assert await version_of(admin) == "digits/3"


async def test_if_match_keeps_one_writer_from_overwriting_another(admin):
    tag = (await admin.get(SERVING)).headers["etag"]
    first = await admin.put(SERVING, json={"versions": [1]}, headers={**ADMIN, "if-match": tag})
    second = await admin.put(SERVING, json={"versions": [2]}, headers={**ADMIN, "if-match": tag})

    assert (first.status_code, second.status_code) == (200, 412)
    assert second.json()["code"] == "precondition_failed"
    assert await version_of(admin) == "digits/1"


async def test_management_needs_the_admin_key(admin, client):
    for headers, status in [({}, 401), ({"x-api-key": "wrong"}, 401)]:
        for method, path in [
            ("PUT", SERVING),
            ("POST", "/v2/repository/models/digits/load"),
            ("POST", "/v2/repository/models/digits/unload"),
        ]:
            answer = await admin.request(method, path, json={}, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (status, "unauthorized")


async def test_without_a_configured_key_management_is_disabled(client):
    answer = await client.put(SERVING, json={}, headers=ADMIN)

    assert (answer.status_code, answer.json()["code"]) == (403, "management_disabled")


async def test_unload_lasts_over_a_restart_and_load_ends_it(tmp_path):
    write_version(tmp_path)
    settings = patient(tmp_path, admin_key="sesame", poll_seconds=0)
    async with in_process(settings, FakeEngine()) as client:
        unloaded = await client.post("/v2/repository/models/digits/unload", headers=ADMIN)
        assert unloaded.json() == {"name": "digits", "unload": True}
        assert await version_of(client) == 404
    async with in_process(settings, FakeEngine()) as client:
        assert await version_of(client) == 404
        index = (await client.post("/v2/repository/index")).json()
        assert index == [
            {"name": "digits", "version": "1", "state": "UNAVAILABLE", "reason": "unloaded"}
        ]
        body = {"parameters": {}}
        loaded = await client.post("/v2/repository/models/digits/load", json=body, headers=ADMIN)
        assert loaded.json() == {"name": "digits", "load": True}
        assert await version_of(client) == "digits/1"


async def test_a_model_whose_folder_is_gone_is_served_until_it_is_unloaded(tmp_path):
    write_version(tmp_path)
    settings = patient(tmp_path, admin_key="sesame", poll_seconds=0)
    async with in_process(settings, FakeEngine()) as client:
        shutil.rmtree(tmp_path / "digits")
        assert await version_of(client) == "digits/1"
        unloaded = await client.post("/v2/repository/models/digits/unload", headers=ADMIN)

        assert unloaded.json() == {"name": "digits", "unload": True}
        assert await version_of(client) == 404


async def test_load_takes_no_model_from_the_request_and_says_why_it_failed(admin, tmp_path):
    load = "/v2/repository/models/digits/load"
    for parameters in ({"config": "{}"}, {"file:1/model.x": "AAAA"}):
        answer = await admin.post(load, json={"parameters": parameters}, headers=ADMIN)
        assert answer.status_code == 400
    unknown = await admin.post("/v2/repository/models/cats/load", headers=ADMIN)
    (tmp_path / "digits" / "3" / "saved_model.pb").write_bytes(b"half a copy")
    broken = await admin.post(load, headers=ADMIN)

    assert unknown.status_code == 404
    assert (broken.status_code, "failed to load 'digits'" in broken.json()["error"]) == (400, True)
    assert await version_of(admin) == "digits/3"


async def test_a_place_of_its_own_for_what_is_served(tmp_path, start):
    models, place = tmp_path / "models", tmp_path / "state"
    place.mkdir()
    for version in (1, 2):
        write_version(models, version=version)
    client = await start(models=models, admin_key="sesame", serving_dir=place, poll_seconds=0.02)

    await client.put(SERVING, json={"versions": [1]}, headers=ADMIN)

    assert json.loads((place / "digits.json").read_text())["versions"] == [1]
    assert not (models / "digits" / "serving.json").exists()


async def test_a_place_that_cannot_be_written_is_named(admin, monkeypatch, tmp_path):
    def refuse(*_, **__):
        raise PermissionError(30, "Read-only file system")

    monkeypatch.setattr("service.runtime.serving_files.tempfile.NamedTemporaryFile", refuse)
    answer = await admin.put(SERVING, json={"versions": [1]}, headers=ADMIN)

    assert (answer.status_code, answer.json()["code"]) == (403, "read_only")
    assert str(tmp_path / "digits" / "serving.json") in answer.json()["error"]
    assert "VITRINE_SERVING_DIR" in answer.json()["error"]
    assert await version_of(admin) == "digits/3"


async def test_only_who_has_a_key_reads_what_an_engine_said(tmp_path):
    def load(directory, manifest):
        if directory.name == "2":
            raise RuntimeError(f"secret detail of {directory}")
        return every(FakeEngine())(directory, manifest)

    for version in (1, 2):
        write_version(tmp_path, version=version)
    settings = patient(tmp_path, admin_key="sesame", poll_seconds=0.02)
    async with in_process(settings, None, load_engines=load) as client:
        while not (await client.post("/v2/repository/index")).json()[1]["reason"]:
            await asyncio.sleep(0.01)
        for path in ("/v1/models/digits", "/v2/repository/index", "/v2/health/ready"):
            method = "POST" if path.endswith("index") else "GET"
            assert "secret" not in (await client.request(method, path)).text
        shown = await client.post("/v2/repository/index", headers=ADMIN)
        assert "secret detail" in shown.json()[1]["reason"]
        assert "the log has the cause" in (await client.get("/v1/models/digits")).text


async def test_keys_of_a_file_are_exchanged_without_a_restart(tmp_path, start, png, monkeypatch):
    monkeypatch.setattr("service.asgi.keys.LOOK_SECONDS", 0)
    keys = tmp_path / "keys.txt"
    keys.write_text("# students\none\n\ntwo\n")
    write_version(tmp_path / "models")
    client = await start(models=tmp_path / "models", api_keys_file=keys, wait=False)

    async def status(key):
        headers = {"x-api-key": key} if key else {}
        return (await client.get("/v1/models", headers=headers)).status_code

    assert [await status(k) for k in (None, "one", "two", "# students")] == [401, 200, 200, 401]
    keys.write_text("three\n")
    assert [await status(k) for k in ("one", "three")] == [401, 200]
    keys.unlink()
    assert await status("three") == 200


async def test_each_key_has_its_own_rate(start, monkeypatch):
    stopped = SimpleNamespace(
        monotonic=lambda: 1000.0
    )  # a busy machine needs long for six requests
    monkeypatch.setattr("service.asgi.rate_limit.time", stopped)
    client = await start(api_keys=["one", "two"], admin_key="sesame", rate_limit=2)

    async def statuses(key):
        headers = {"x-api-key": key}
        return [(await client.get("/v1/models", headers=headers)) for _ in range(6)]

    first, second, admins = [await statuses(key) for key in ("one", "two", "sesame")]

    for answers in (first, second):
        assert [answer.status_code for answer in answers] == [200] * 2 + [429] * 4
    assert {answer.status_code for answer in admins} == {200}
    assert first[2].json()["code"] == "overloaded"
    assert first[2].headers["retry-after"] == "1"


SWAPS = 20


def ran_on(answer):
    [row] = answer.json()["predictions"]
    return f"digits/{row['outlier_score']:.0f}"


async def test_swaps_and_rollbacks_under_load_fail_nobody_and_answer_the_right_version(
    tmp_path,
):
    """Versions appear, vanish and are rolled back while requests come; `make soak` makes 200 swaps."""
    write_version(tmp_path)
    settings = patient(tmp_path, admin_key="sesame", poll_seconds=0.01)
    asked = np.zeros((1, 28, 28, 1), np.uint8)
    asked[0, -1, -1, 0] = 255
    body = {"instances": asked.tolist()}
    done, answers = asyncio.Event(), []

    async def ask(client):
        while not done.is_set():
            answers.append(await client.post("/v1/models/digits:predict", json=body))

    async def switch(client, config, version):
        answer = await client.put(SERVING, json=config, headers=ADMIN)
        assert (answer.status_code, await version_of(client)) == (200, f"digits/{version}")

    def load(directory, manifest):
        return every(NumberedEngine(int(directory.name)))(directory, manifest)

    async with in_process(settings, None, load_engines=load) as client:
        asking = [asyncio.create_task(ask(client)) for _ in range(4)]
        for version in range(2, SWAPS + 2):
            write_version(tmp_path, version=version)
            while await version_of(client) != f"digits/{version}":
                await asyncio.sleep(0)
            if version % 4 == 0:
                await switch(client, {"versions": [version - 1]}, version - 1)
                await switch(client, {}, version)
            shutil.rmtree(tmp_path / "digits" / str(version - 1))
        done.set()
        await asyncio.gather(*asking)

    assert {answer.status_code for answer in answers} == {200}
    assert [answer.headers["x-model"] for answer in answers] == list(map(ran_on, answers))
    assert len({answer.headers["x-model"] for answer in answers}) > SWAPS // 2


async def test_a_named_pipe_in_place_of_the_configuration_freezes_nothing(admin, tmp_path):
    os.mkfifo(tmp_path / "digits" / "serving.json")
    await asyncio.sleep(0.1)

    assert await version_of(admin) == "digits/3"
