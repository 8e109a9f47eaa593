"""Triton's generate extension on the fake text model."""

import json

import pytest

pytestmark = pytest.mark.anyio

GENERATE = "/v2/models/text/generate"


def ours(**more):
    return {"seed": "the ", "diversity": 0.5, "length": 30, "random_seed": 7, **more}


def theirs(**parameters):
    asked = {"temperature": 0.5, "max_tokens": 30, "seed": 7, **parameters}
    return {"text_input": "the ", "parameters": asked}


async def test_it_gives_the_text_that_the_text_route_gives(shared_texts):
    expected = (await shared_texts.post("/v1/text/generate", json=ours())).json()["generations"][0][
        "text"
    ]

    answer = (await shared_texts.post(GENERATE, json={"id": "42", **theirs()})).json()
    flat = (
        await shared_texts.post(
            "/v2/models/text/versions/1/generate",
            json={"text_input": "the ", "diversity": 0.5, "length": 30, "random_seed": 7, "x": 1},
        )
    ).json()

    assert answer == {
        "id": "42",
        "model_name": "text",
        "model_version": "1",
        "text_output": expected,
    }
    assert flat["text_output"] == expected


async def test_details_give_the_reason_and_the_characters(shared_texts):
    answer = (await shared_texts.post(GENERATE, json=theirs(details=True))).json()

    assert answer["details"]["finish_reason"] == "length"
    assert "".join(one["text"] for one in answer["details"]["logprobs"]) == answer["text_output"]


async def test_the_stream_is_the_same_text_in_events_and_nothing_else(shared_texts):
    whole = (await shared_texts.post(GENERATE, json=theirs())).json()["text_output"]

    answer = await shared_texts.post("/v2/models/text/generate_stream", json=theirs())

    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["x-accel-buffering"] == "no"
    lines = answer.text.strip().split("\n\n")
    events = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert len(events) > 1
    assert "".join(event["text_output"] for event in events) == whole
    assert {event["model_name"] for event in events} == {"text"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "text_input must be a string"),
        ({"text_input": 3}, "text_input must be a string"),
        ({"text_input": "a", "parameters": 3}, "parameters must be an object"),
        ({"text_input": "a", "parameters": {"max_tokens": 0}}, "max_tokens must"),
        ({"text_input": "a", "parameters": {"temperature": "x"}}, "temperature must"),
        ({"text_input": "é"}, "text_input must have only characters"),
    ],
)
async def test_wrong_input_is_a_400_also_before_a_stream(shared_texts, body, message):
    for path in (GENERATE, "/v2/models/text/generate_stream"):
        answer = await shared_texts.post(path, json=body)

        assert answer.status_code == 400
        assert message in answer.json()["error"]


async def test_only_text_models_generate(client):
    answer = await client.post("/v2/models/digits/generate", json={"text_input": "a"})

    assert answer.status_code == 400
    assert "must be a text model" in answer.json()["error"]


@pytest.mark.parametrize("name", ["max_tokens", "temperature", "seed"])
async def test_a_number_of_500_digits_is_refused(shared_texts, name):
    answer = await shared_texts.post(GENERATE, json=theirs(**{name: 10**500}))

    assert answer.status_code == 400
    assert "got an integer of 501 digits" in answer.json()["error"]
