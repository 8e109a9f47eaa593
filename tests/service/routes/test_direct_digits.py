"""A digit that is classified without the application gets the same answer, and is counted alike."""

import asyncio
import gc
import json
import re

import pytest

from service.asgi.direct import DirectRequest
from service.asgi.early_refusal import EarlyRefusals
from service.asgi.loop_turns import LoopTurns
from service.routes.call import Call
from service.routes.direct_digits import DirectClassification
from service.scheduling.batch import PendingRequest
from tests.fakes import FakeEngine, write_version
from tests.service.apps import on_a_socket, patient
from tests.waiting import until_waiting

pytestmark = pytest.mark.anyio
URL = "/v1/digits/classify"


class QuickEngine(FakeEngine):
    """May run on the event loop."""

    name = "onnx"
    is_thread_free = True


@pytest.fixture
def engine():
    return QuickEngine()


@pytest.fixture
def taken(monkeypatch):
    """Whether each request was taken by the direct route, in order."""
    taken, begin = [], DirectClassification.begin

    def watched(self, request):
        taken.append(begin(self, request))
        return taken[-1]

    monkeypatch.setattr(DirectClassification, "begin", watched)
    return taken


@pytest.fixture
async def serve(tmp_path, engine):
    write_version(tmp_path)
    write_version(tmp_path, "digits-course")

    def factory(**settings):
        return on_a_socket(patient(tmp_path, port=0, **settings), engine)

    return factory


@pytest.fixture
async def served(serve, taken):
    async with serve() as client:
        yield client


def seen(response):
    """What two answers to the same request have in common."""
    timing = re.sub(r"dur=[\d.]+", "", response.headers["server-timing"])
    own = ("server-timing", "x-request-id", "date")
    headers = [(name, value) for name, value in response.headers.multi_items() if name not in own]
    return response.status_code, response.json(), timing, sorted(headers)


@pytest.mark.parametrize("query", ["", "?model=digits-course", "?normalize=off&return=input"])
async def test_the_direct_answer_is_the_application_s(served, taken, png, query):
    first = await served.post(URL + query, content=png(3))
    second = await served.post(URL + query, content=png(3))

    assert taken == [True]
    assert seen(first) == seen(second)
    assert first.json()["predictions"][0]["digit"] == 3


async def test_direct_answers_are_counted_as_the_others(served, taken, png):
    for _ in range(5):
        await served.post(URL, content=png())

    metrics = (await served.get("/metrics")).text
    labels = f'method="POST",route="{URL}",status="200"'
    assert taken == [True] * 4
    assert f"vitrine_requests_total{{{labels}}} 5.0" in metrics
    assert f'vitrine_request_seconds_count{{route="{URL}"}} 5.0' in metrics
    assert 'vitrine_queue_seconds_count{model="digits"} 5.0' in metrics
    assert 'vitrine_waiting_requests{model="digits"} 0.0' in metrics
    assert "vitrine_bytes_in_flight 0.0" in metrics
    [statistics] = (await served.get("/v2/models/digits/stats")).json()["model_stats"]
    assert statistics["inference_count"] == 5
    assert {statistics["inference_stats"][name]["count"] for name in (
        "success", "queue", "compute_input", "compute_infer", "compute_output",
    )} == {5}  # fmt: skip


@pytest.mark.parametrize("query", ["?on_error=report", "?version=1", "?model=none", "?normalize=x"])
async def test_rare_and_wrong_queries_are_the_application_s(served, taken, png, query):
    first = await served.post(URL + query, content=png())
    second = await served.post(URL + query, content=png())

    assert taken == [False]
    assert first.status_code == second.status_code


async def test_a_request_that_is_taken_counts_as_a_probe(served, taken, png, monkeypatch):
    probes = []
    monkeypatch.setattr(EarlyRefusals, "count_probe", lambda self: probes.append(self))
    for _ in range(3):
        await served.post(URL, content=png())

    assert len(taken) == len(probes) == 2


async def test_a_time_limit_is_that_of_the_request(served, taken, png, monkeypatch):
    limits, init = [], Call.__init__

    def watched(self, servable, started, deadline, steps=None):
        limits.append(deadline - started)
        init(self, servable, started, deadline, steps)

    monkeypatch.setattr(Call, "__init__", watched)
    for value in ("1234", "1234", "0", "0"):
        response = await served.post(URL, content=png(), headers={"x-timeout-ms": value})

    assert taken == [True, False]
    assert limits == [pytest.approx(1.234)] * 2
    assert (response.status_code, response.json()["code"]) == (422, "invalid_value")


async def test_what_is_wrong_is_said_as_by_the_application(served, taken, png):
    good = png()
    bad = good[:45] + bytes(len(good) - 45)  # of the same length: its head is known
    before = await served.post(URL, content=bad)
    await served.post(URL, content=good)
    after = await served.post(URL, content=bad)

    assert taken == [True] * 2
    assert (before.status_code, after.status_code) == (422, 422)
    assert {**before.json(), "request_id": ""} == {**after.json(), "request_id": ""}


async def test_an_image_on_which_the_model_fails_fails_alone(served, taken, engine, png):
    await served.post(URL, content=png(3))
    engine.fail_on_digit = 3
    failed, fine = await asyncio.gather(
        served.post(URL, content=png(3)), served.post(URL, content=png(4))
    )

    assert failed.status_code == 500
    assert failed.json()["code"] == "internal_error"
    assert fine.json()["predictions"][0]["digit"] == 4
    metrics = (await served.get("/metrics")).text
    assert 'vitrine_waiting_requests{model="digits"} 0.0' in metrics
    assert f'vitrine_requests_total{{method="POST",route="{URL}",status="500"}} 1.0' in metrics


async def test_a_direct_answer_is_no_garbage_for_the_collector(no_garbage, served, taken, png):
    await served.post(URL, content=png())
    gc.disable()
    try:
        for _ in range(30):
            await served.post(URL, content=png())
        left = [one for one in gc.get_objects() if isinstance(one, DirectRequest | PendingRequest)]
    finally:
        gc.enable()
    assert all(taken)
    assert len(left) < 5  # the last one of each connection is still at hand


async def test_a_process_that_holds_too_much_refuses_direct_requests_too(served, taken, png):
    await served.post(URL, content=png())
    held = served.server.lifespan.state["bytes_in_flight"]
    held.held += held.limit
    refused = await served.post(URL, content=png())
    held.held -= held.limit

    assert (refused.status_code, taken) == (429, [False])


async def test_many_connections_share_batches(served, taken, engine, png):
    await served.post(URL, content=png())
    engine.batch_sizes.clear()
    answers = await asyncio.gather(*(served.post(URL, content=png()) for _ in range(40)))

    assert {answer.status_code for answer in answers} == {200}
    assert all(taken)
    assert sum(engine.batch_sizes) == 40
    assert len(engine.batch_sizes) < 40


async def test_clients_that_leave_keep_no_place(served, taken, png, quick_leaving):
    body = png()
    head = f"POST {URL} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    async def ask(end):
        reader, writer = await asyncio.open_connection("127.0.0.1", served.base_url.port)
        writer.write(head + body)
        await reader.readuntil(b"}]}")
        writer.write(head + body)
        end(writer)

    await asyncio.gather(*(ask(lambda writer: writer.transport.abort()) for _ in range(20)))
    await asyncio.gather(*(ask(lambda writer: writer.close()) for _ in range(20)))
    await until_waiting(served, 0)

    assert any(taken)
    admission = served.server.lifespan.state["repository"].resolve("digits").admission
    assert (admission.waiting, admission._preparing) == (0, 0)


@pytest.fixture
def no_time(monkeypatch):
    """Every image has to wait for the next turn of the event loop."""
    monkeypatch.setattr(LoopTurns, "is_over", True)


async def test_an_image_that_waits_for_a_turn_is_answered_alike(served, taken, png, no_time):
    good = png()
    bad = good[:45] + bytes(len(good) - 45)
    answers = [await served.post(URL, content=body) for body in (good, good, bad, good)]

    assert taken == [True] * 3  # what is wrong with the pixels is found later
    assert [answer.status_code for answer in answers] == [200, 200, 422, 200]
    assert seen(answers[0]) == seen(answers[1]) == seen(answers[3])
    admission = served.server.lifespan.state["repository"].resolve("digits").admission
    assert (admission.waiting, admission._preparing) == (0, 0)


async def test_a_full_queue_refuses_as_the_application_does(serve, taken, png, monkeypatch):
    async with serve(queue_size=1) as client:
        await client.post(URL, content=png())
        state = client.server.lifespan.state
        admission = state["repository"].resolve("digits").admission
        admission.waiting = 1
        refused = await client.post(URL, content=png())
        admission.waiting = 0

    assert (refused.status_code, refused.json()["code"]) == (429, "overloaded")
    assert taken == [False]


async def test_a_service_with_keys_looks_at_each_request(serve, taken, png):
    async with serve(api_keys=("secret",)) as client:
        for _ in range(2):
            assert (await client.post(URL, content=png())).status_code == 401

    assert taken == []


async def test_a_json_body_is_taken_too(served, taken):
    pixels = [[0] * 28 for _ in range(27)] + [[255, 255] + [0] * 26]
    body = json.dumps({"instances": [pixels]})
    answers = [await served.post(URL, content=body) for _ in range(2)]

    assert taken == [True]
    assert seen(answers[0]) == seen(answers[1])
