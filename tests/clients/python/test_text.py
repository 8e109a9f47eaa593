import asyncio
import json

import httpx
import pytest

from vitrine_client import (
    AsyncVitrine,
    Character,
    InvalidValue,
    ModelVersion,
    Overloaded,
    ServiceError,
    TextChunk,
    TextEnd,
    TimedOut,
    UnexpectedAnswer,
    Unreachable,
    Vitrine,
)


@pytest.fixture
def vitrine(text_service):
    transport = text_service.transport
    with Vitrine("http://service.test", transport=transport, sleep=lambda _: None) as client:
        yield client


def test_a_generation_becomes_typed_values(vitrine):
    answer = vitrine.text.generate("YOUNG MAN: No, ", diversity=0.5, length=5)

    (generation,) = answer.generations
    assert answer.model == ModelVersion("text", 2)
    assert answer.random_seed == 42
    assert generation.text == "abcde"
    assert generation.finish_reason == "length"
    assert generation.continuation == "token-0"
    assert generation.logprobs == (Character("a", -0.5, {"a": -0.5, "b": -2.0}),)


def test_a_list_of_diversities_gives_one_generation_each(vitrine, text_service):
    answer = vitrine.text.generate("seed", diversity=[0.2, 0.5, 1.0])

    assert [each.diversity for each in answer.generations] == [0.2, 0.5, 1.0]
    assert text_service.bodies[0]["diversity"] == [0.2, 0.5, 1.0]


def test_only_what_was_said_is_sent(vitrine, text_service):
    vitrine.text.generate("seed")
    vitrine.text.generate(continuation="token", length=200, model="pulp")
    list(vitrine.text.stream("", top_k=5, stop=["\n"]))

    assert text_service.bodies == [
        {"seed": "seed"},
        {"continuation": "token", "length": 200},
        {"seed": "", "top_k": 5, "stop": ["\n"], "stream": True},
    ]
    assert [dict(request.url.params) for request in text_service.requests] == [
        {},
        {"model": "pulp"},
        {},
    ]


def test_a_lone_surrogate_is_the_services_to_refuse(vitrine, text_service, refusal):
    text_service.replies = [refusal(422, "invalid_value")]

    with pytest.raises(InvalidValue):
        vitrine.text.generate("\ud800")
    assert text_service.requests[0].content == b'{"seed": "\\ud800"}'


def test_a_stream_is_chunks_and_then_an_end(vitrine, text_service):
    events = list(vitrine.text.stream("seed", length=5))

    assert events == [
        TextChunk(0, "abc"),
        TextChunk(0, "de"),
        TextEnd(0, "length", 42, "token-0"),
    ]
    assert json.loads(events[0].body) == {"index": 0, "text": "abc"}
    assert text_service.closed == 1


def test_the_core_streams_the_same(text_service):
    async def read():
        async with AsyncVitrine("http://service.test", transport=text_service.transport) as core:
            return [event async for event in core.text.stream("seed", length=5)]

    assert [event.index for event in asyncio.run(read())] == [0, 0, 0]


def test_a_stream_that_is_left_early_is_closed(vitrine, text_service):
    events = vitrine.text.stream("seed", length=20)
    next(events)
    events.close()

    assert text_service.closed == 1
    assert vitrine.text.generate("seed").random_seed == 42  # the client goes on


@pytest.mark.parametrize("ask", ["generate", "stream"])
def test_a_refusal_is_the_same_error_streamed_or_not(vitrine, text_service, refusal, ask):
    text_service.replies = [refusal(422, "invalid_value")]

    with pytest.raises(InvalidValue, match="say it otherwise") as caught:
        list(getattr(vitrine.text, ask)("seed", diversity=-1))
    assert (caught.value.status, caught.value.request_id) == (422, "r1")


def test_a_busy_service_is_asked_again_before_a_stream_begins(vitrine, text_service, refusal):
    text_service.replies = [refusal(429, "overloaded", {"Retry-After": "1"})]

    assert len(list(vitrine.text.stream("seed", length=3))) == 2
    assert len(text_service.requests) == 2


CHUNK = json.dumps({"index": 0, "text": "abc"})


@pytest.mark.parametrize(
    ("code", "expected"), [("overloaded", Overloaded), ("teapot", ServiceError)]
)
def test_an_error_in_mid_stream_is_raised_after_what_came_before(
    vitrine, text_service, code, expected
):
    error = {"error": "no time left", "code": code, "request_id": "r7"}
    text_service.events = [CHUNK, json.dumps(error)]
    events = vitrine.text.stream("seed")

    assert next(events).text == "abc"
    with pytest.raises(expected, match="no time left") as caught:
        next(events)
    assert caught.value.request_id == "r7"
    assert caught.value.status == 0


def test_a_stream_without_its_end_is_no_answer(vitrine, text_service):
    text_service.events = [CHUNK]

    with pytest.raises(Unreachable, match="ended early"):
        list(vitrine.text.stream("seed"))


@pytest.mark.parametrize("event", ["[]", '{"index": 0}', "no JSON"])
def test_an_event_that_is_none_is_named_so(vitrine, text_service, event):
    text_service.events = [event]

    with pytest.raises(UnexpectedAnswer, match="no Vitrine service"):
        list(vitrine.text.stream("seed"))


def test_an_answer_that_does_not_stream_is_named_so(vitrine, text_service):
    text_service.replies = [httpx.Response(200, json={"text": "abc"})]

    with pytest.raises(UnexpectedAnswer):
        list(vitrine.text.stream("seed"))


def test_silence_in_mid_stream_is_a_timeout(vitrine, text_service):
    def events():
        yield CHUNK
        raise httpx.ReadTimeout("slow")

    text_service.events = events()

    with pytest.raises(TimedOut):
        list(vitrine.text.stream("seed"))


def test_a_score_is_a_logarithm_for_each_character(vitrine, text_service):
    answer = vitrine.text.score("To be", model="pulp")

    assert answer.nats_per_character == 2.0
    assert answer.characters[0] == Character("T", -2.0)
    assert len(answer.characters) == 5
    assert dict(text_service.requests[0].url.params) == {"model": "pulp"}
