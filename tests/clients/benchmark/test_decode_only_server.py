"""The baseline: without a model, but with the answer's shape."""

import httpx
import pytest

from clients.benchmark.decode_only_server import create_app
from clients.load.scenario import scenarios

pytestmark = pytest.mark.anyio


def client():
    transport = httpx.ASGITransport(create_app())
    return httpx.AsyncClient(transport=transport, base_url="http://test")


@pytest.mark.parametrize("name", ["digit", "drawing"])
async def test_the_baseline_answers_in_the_shape_of_the_digits_route(name):
    scenario = scenarios()[name]
    async with client() as http:
        response = await http.post(scenario.path, content=scenario.body)
    assert response.status_code == 200
    assert scenario.is_right(response.content)
    (prediction,) = response.json()["predictions"]
    assert prediction["probability"] == max(prediction["probabilities"])
    assert sum(prediction["probabilities"]) == pytest.approx(1)
