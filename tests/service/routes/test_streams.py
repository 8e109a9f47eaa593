"""Streams of text on real connections: events, what ends them, and what is left behind."""

import asyncio
import json

import pytest

from tests.fake_text import expected_text
from tests.waiting import until, until_waiting

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_estimates")]
GENERATE = "/v1/text/generate"
SEED = "It is a far, far better thing that I do"


@pytest.fixture
async def texts(serve_texts):
    return await serve_texts()


def events_of(content):
    """The JSON of each event; `[DONE]` as it stands."""
    assert content.endswith("\n\n")
    for event in content.removesuffix("\n\n").split("\n\n"):
        line = event.removeprefix("data: ")
        assert line != event
        assert "\n" not in line
        yield line if line == "[DONE]" else json.loads(line)


async def stream(client, url=GENERATE, headers=(), **body):
    """The whole answer to a request for a stream, and its events."""
    response = await client.post(url, json={"stream": True, **body}, headers=dict(headers))
    assert response.status_code == 200, response.text
    return response, list(events_of(response.text))


def texts_of(events):
    """The text of each generation."""
    texts = {}
    for event in events:
        if "text" in event:
            texts[event["index"]] = texts.get(event["index"], "") + event["text"]
    return texts


async def gauge(client, name):
    lines = (await client.get("/metrics")).text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name + "{"))


async def nothing_left(client, text_engine):
    """True once nobody waits, nothing streams and the model stands still."""

    async def is_nobody_there():
        return (
            await gauge(client, "vitrine_waiting_requests") == 0
            and await gauge(client, "vitrine_active_streams") == 0
        )

    await until(is_nobody_there)
    runs = len(text_engine.runs)
    text_engine.seconds_each_run, text_engine.fails_on = 0.0, lambda *_: False
    await client.post(GENERATE, json={"length": 1})  # behind whatever would still run
    return len(text_engine.runs) <= runs + 3  # its own two, and the one that was under way


async def test_a_stream_is_events_as_the_contract_writes_them(texts):
    response, events = await stream(texts, seed=SEED, length=50, random_seed=42)

    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-accel-buffering"] == "no"
    assert response.headers["x-model"] == "text/1"
    assert response.headers["x-request-id"]
    assert "infer;dur=" in response.headers["server-timing"]
    assert events[0].keys() == {"index", "text"}
    assert events[-1] == "[DONE]"
    assert events[-2].keys() == {"index", "finish_reason", "random_seed", "continuation"}
    assert (events[-2]["finish_reason"], events[-2]["random_seed"]) == ("length", 42)
    assert texts_of(events[:-1]) == {0: expected_text(SEED, 50, 42)}


async def test_accept_asks_for_a_stream_too(texts):
    accept = {"accept": "text/event-stream"}
    streamed = await texts.post(GENERATE, json={"length": 3}, headers=accept)
    whole = await texts.post(GENERATE, json={"length": 3, "stream": False}, headers=accept)

    assert streamed.text.endswith("data: [DONE]\n\n")
    assert whole.headers["content-type"] == "application/json"


async def test_every_generation_ends_once_with_its_own_token(texts):
    _, events = await stream(
        texts, seed="ab", diversity=[0.2, 1.0], n=6, length=40, random_seed=3, logprobs=1
    )
    ends = [event for event in events[:-1] if "finish_reason" in event]
    more = await texts.post(GENERATE, json={"continuation": ends[-1]["continuation"], "length": 9})

    assert sorted(end["index"] for end in ends) == list(range(12))
    for number, text in texts_of(events[:-1]).items():
        diversity = [0.2, 1.0][number // 6]
        assert text == expected_text("ab", 40, 3, number, diversity=diversity)
        entries = [
            e
            for event in events[:-1]
            if event.get("index") == number
            for e in event.get("logprobs", [])
        ]
        assert "".join(entry["character"] for entry in entries) == text
    last = ends[-1]["index"]
    assert (
        more.json()["generations"][0]["text"]
        == expected_text("ab", 49, 3, last, diversity=[0.2, 1.0][last // 6])[40:]
    )


async def test_what_could_become_a_stop_string_is_held_back(texts):
    whole = expected_text("ab", 100, 5)
    for at in (10, 15, 16, 17, 30):
        stop = whole[at : at + 9]
        _, events = await stream(
            texts, seed="ab", length=100, random_seed=5, stop=[stop, stop[:8] + "~"]
        )
        assert texts_of(events[:-1]) == {0: whole[: whole.index(stop)]}
        assert events[-2]["finish_reason"] == "stop"
        assert "continuation" in events[-2]


async def test_a_stream_with_its_seed_and_what_was_replaced(texts):
    _, events = await stream(
        texts, seed="aéb", unknown="replace", include_seed=True, length=9, random_seed=1
    )

    assert texts_of(events[:-1]) == {0: "a b" + expected_text("a b", 9, 1)}
    assert events[-2]["replaced"] == ["é"]


async def test_the_first_characters_leave_before_the_rest_is_drawn(texts, text_engine):
    text_engine.seconds_each_run = 0.05
    async with texts.stream("POST", GENERATE, json={"length": 1000, "stream": True}) as response:
        first = await anext(response.aiter_text())
        runs = len(text_engine.runs)

    assert json.loads(first.removeprefix("data: "))["text"]
    assert runs < 60  # of the 63 that its length needs


async def test_a_connection_serves_on_after_a_stream(texts):
    for _ in range(3):
        await stream(texts, length=30)
    [connection] = texts._transport._pool.connections

    assert "Request Count: 3" in repr(connection) or connection.is_idle()


async def test_wrong_requests_for_a_stream_get_an_ordinary_error(texts):
    for body, status in (({"length": 0}, 422), ({"continuation": "forged"}, 422)):
        response = await texts.post(GENERATE, json={"stream": True, **body})
        assert response.status_code == status
        assert response.headers["content-type"] == "application/json"


async def test_a_failure_before_the_first_event_is_an_ordinary_error(texts, text_engine):
    text_engine.fails_on = lambda *_: True
    response = await texts.post(GENERATE, json={"stream": True})

    assert (response.status_code, response.json()["code"]) == (500, "internal_error")


async def test_a_failure_in_mid_stream_is_the_last_event(texts, text_engine, caplog):
    text_engine.fails_on = lambda *_: len(text_engine.runs) > 4
    response, events = await stream(texts, length=500, headers={"x-request-id": "abc"}.items())

    assert events[-1].keys() == {"error", "code", "request_id"}
    assert (events[-1]["code"], events[-1]["request_id"]) == ("internal_error", "abc")
    assert "[DONE]" not in response.text
    assert texts_of(events)
    assert "cannot run" in caplog.text
    assert "cannot run" not in response.text
    assert await nothing_left(texts, text_engine)


async def test_a_deadline_in_mid_stream_is_the_last_event(texts, text_engine):
    text_engine.seconds_each_run = 0.1
    body = {"length": 10_000, "stream": True}
    for timeout in ("400", "4000", "16000"):  # on a busy machine nothing may be drawn so soon
        response = await texts.post(GENERATE, json=body, headers={"x-timeout-ms": timeout})
        if response.status_code == 200:
            break
    events = list(events_of(response.text))

    assert events[-1]["code"] == "deadline_exceeded"
    assert texts_of(events)
    assert await nothing_left(texts, text_engine)


@pytest.mark.usefixtures("quick_leaving")
async def test_a_client_that_leaves_after_the_first_character_ends_the_work(texts, text_engine):
    for body in ({"n": 4}, {}, {"n": 20}):
        text_engine.seconds_each_run = 0.02
        body = {"length": 10_000, "stream": True, "seed": SEED, **body}
        async with texts.stream("POST", GENERATE, json=body) as response:
            await anext(response.aiter_text())

        assert await nothing_left(texts, text_engine)
        assert len(text_engine.runs) < 300  # fewer than its length needs
        text_engine.runs.clear()


@pytest.mark.usefixtures("quick_leaving")
async def test_a_client_that_leaves_a_whole_answer_ends_the_work(texts, text_engine):
    text_engine.seconds_each_run = 0.02
    asking = asyncio.create_task(texts.post(GENERATE, json={"length": 10_000, "n": 4}))
    await until(lambda: len(text_engine.runs) >= 3)
    asking.cancel()

    assert await nothing_left(texts, text_engine)
    assert len(text_engine.runs) < 300  # fewer than its length needs


async def test_many_cut_streams_leave_nothing_behind(texts, text_engine):
    async def cut(number):
        body = {"length": 5000, "stream": True, "seed": SEED[number:], "n": 1 + number % 3}
        async with texts.stream("POST", GENERATE, json=body) as response:
            await anext(response.aiter_text())

    await asyncio.gather(*(cut(number) for number in range(30)))
    text = (await stream(texts, seed="ab", length=30, random_seed=1))[1]

    assert texts_of(text[:-1]) == {0: expected_text("ab", 30, 1)}
    assert await nothing_left(texts, text_engine)


async def test_streams_and_whole_answers_get_their_own_texts_together(texts):
    bodies = [
        {"seed": SEED[i:], "length": 20 + 11 * i % 60, "random_seed": i, "stream": bool(i % 2)}
        for i in range(30)
    ]
    answers = await asyncio.gather(*(texts.post(GENERATE, json=body) for body in bodies))
    for body, answer in zip(bodies, answers, strict=True):
        wanted = expected_text(body["seed"], body["length"], body["random_seed"])
        if body["stream"]:
            assert texts_of(list(events_of(answer.text))[:-1]) == {0: wanted}
        else:
            assert answer.json()["generations"][0]["text"] == wanted


async def test_a_long_stream_does_not_block_a_short_one(texts, text_engine):
    text_engine.seconds_each_run = 0.005
    long = [
        asyncio.create_task(texts.post(GENERATE, json={"length": 10_000, "stream": True}))
        for _ in range(12)
    ]
    await until_waiting(texts, 12, "text")
    await until(lambda: len(text_engine.runs) >= 12)
    before = len(text_engine.runs)
    await stream(texts, length=2)
    rounds = len(text_engine.runs) - before
    for task in long:
        task.cancel()

    assert rounds < 1500  # of the 1,900 that the long ones need


async def test_a_reader_that_does_not_read_is_cut_off_at_the_deadline(serve_texts, text_engine):
    client = await serve_texts()
    port = client.base_url.port
    body = json.dumps({"length": 10_000, "n": 2, "logprobs": 5, "stream": True}).encode()

    async def is_refused():
        return 'status="504"' in (await client.get("/metrics")).text

    async def is_begun():
        return text_engine.runs or await is_refused()

    for timeout in (700, 7000, 70_000):  # on a busy machine no run may begin so soon
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        head = f"POST {GENERATE} HTTP/1.1\r\nHost: x\r\nX-Timeout-Ms: {timeout}\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        reader._transport.pause_reading()
        await until(is_begun)
        if text_engine.runs:
            break
        writer.transport.abort()

    assert text_engine.runs
    assert await nothing_left(client, text_engine)
    writer.transport.abort()


async def test_a_stopping_service_finishes_its_streams(serve_texts, text_engine):
    client = await serve_texts()
    text_engine.seconds_each_run = 0.01
    asking = asyncio.create_task(stream(client, length=500, random_seed=1))
    await until(lambda: len(text_engine.runs) >= 3)
    client.server.should_exit = True
    _, events = await asking

    assert texts_of(events[:-1]) == {0: expected_text("", 500, 1)}


async def test_a_stream_that_outlives_the_grace_is_told_so(serve_texts, text_engine):
    client = await serve_texts()
    client.server.config.timeout_graceful_shutdown = 0.3
    text_engine.seconds_each_run = 0.02
    asking = asyncio.create_task(stream(client, length=10_000))
    await until(lambda: len(text_engine.runs) >= 3)
    client.server.should_exit = True
    _, events = await asking

    assert events[-1]["code"] == "not_ready"
    assert "stopping" in events[-1]["error"]
