"""Hostile bodies on a real connection: each is refused, and the service goes on answering."""

import pytest

from clients.robustness.soak import hostile_bodies as hostile
from service.settings import Settings
from tests.fakes import FakeEngine, write_version
from tests.service.apps import on_a_socket

pytestmark = pytest.mark.anyio
TEXTS = "60 files of texts"  # whose texts are left alone: they hold 60 blank images


async def test_each_hostile_body_is_refused_and_its_bytes_are_given_back(tmp_path):
    write_version(tmp_path)
    statuses = {}
    async with on_a_socket(Settings(models=tmp_path, port=0), FakeEngine()) as client:
        for name in (*hostile.IMAGES, *hostile.OTHERS):
            body, content_type = hostile.body(name, 1_000_000)
            headers = {"content-type": content_type}
            answer = await client.post("/v1/digits/classify", content=body, headers=headers)
            statuses[name] = answer.status_code
            assert set(answer.json()) == {"error", "code", "request_id"}
            assert (await client.get("/v2/health/live")).status_code == 200
        held = client.server.lifespan.state["bytes_in_flight"].held

    assert statuses.pop(TEXTS) == 422
    assert set(statuses.values()) <= {400, 413, 415, 422}
    assert {statuses[name] for name in hostile.IMAGES if name != TEXTS} == {413}
    assert held == 0
