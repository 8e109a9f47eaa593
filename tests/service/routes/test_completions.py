"""`/v1/completions` as OpenAI's own client asks and reads it, on a real connection."""

import json

import httpx
import pytest

from tests.fake_text import expected_text

pytestmark = pytest.mark.anyio
URL = "/v1/completions"


@pytest.fixture(scope="module")
def openai():
    """The package, which takes half a second to import: only the worker that runs this file needs it."""
    import openai

    return openai


@pytest.fixture
async def texts(serve_texts):
    return await serve_texts()


@pytest.fixture
async def client(texts, openai):
    url = f"{texts.base_url}/v1"
    async with openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0) as client:
        yield client


async def test_the_openai_client_gets_a_whole_text(client):
    completion = await client.completions.create(
        model="text", prompt="ab", max_tokens=30, temperature=0.5, seed=1
    )
    [choice] = completion.choices

    assert completion.object == "text_completion"
    assert completion.model == "text"
    assert completion.system_fingerprint == "text/1"
    assert (choice.index, choice.finish_reason, choice.logprobs) == (0, "length", None)
    assert choice.text == expected_text("ab", 30, 1)
    usage = completion.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (2, 30, 32)


async def test_the_openai_client_gets_a_stream(client):
    stream = await client.completions.create(
        model="text",
        prompt="ab",
        max_tokens=60,
        temperature=0.5,
        seed=1,
        n=2,
        stream=True,
        stream_options={"include_usage": True},
    )
    texts, reasons, usages = {0: "", 1: ""}, {}, []
    async for chunk in stream:
        assert chunk.object == "text_completion"
        usages.append(chunk.usage)
        for choice in chunk.choices:
            texts[choice.index] += choice.text
            if choice.finish_reason:
                reasons[choice.index] = choice.finish_reason

    assert texts == {number: expected_text("ab", 60, 1, number) for number in (0, 1)}
    assert reasons == {0: "length", 1: "length"}
    assert usages[-1].total_tokens == 122
    assert set(usages[:-1]) == {None}


async def test_the_defaults_are_openais(texts):
    answer = (await texts.post(URL, json={"model": "text"})).json()

    assert answer["choices"][0]["text"] == expected_text("", 16, answer["random_seed"], 0, 1.0)


async def test_each_prompt_gets_its_choices_in_order(client):
    completion = await client.completions.create(
        model="text", prompt=["ab", "cde"], n=2, max_tokens=20, temperature=0.5, seed=1
    )

    assert [choice.index for choice in completion.choices] == [0, 1, 2, 3]
    assert [choice.text for choice in completion.choices] == [
        expected_text(prompt, 20, 1, number)
        for number, prompt in enumerate(["ab", "ab", "cde", "cde"])
    ]
    assert completion.usage.prompt_tokens == 5


async def test_stop_ends_a_choice(client):
    whole = expected_text("ab", 60, 1)
    for stop in (whole[30:33], ["never", whole[30:33]]):
        completion = await client.completions.create(
            model="text", prompt="ab", max_tokens=60, temperature=0.5, seed=1, stop=stop
        )
        [choice] = completion.choices
        assert choice.text == whole[: whole.index(whole[30:33])]
        assert choice.finish_reason == "stop"
        assert completion.usage.completion_tokens == len(choice.text)


@pytest.mark.parametrize("stream", [False, True])
async def test_logprobs_and_echo_have_openais_shape(client, stream):
    answer = await client.completions.create(
        model="text", prompt="ab", max_tokens=20, seed=1, logprobs=2, echo=True, stream=stream
    )
    chunks = [chunk async for chunk in answer] if stream else [answer]
    noted = [choice.logprobs for chunk in chunks for choice in chunk.choices]
    text = "".join(choice.text for chunk in chunks for choice in chunk.choices)

    assert text == "ab" + expected_text("ab", 20, 1, 0, 1.0)
    assert "".join(token for one in noted for token in one.tokens) == text
    assert [offset for one in noted for offset in one.text_offset] == list(range(22))
    assert all(logprob < 0 for one in noted for logprob in one.token_logprobs)
    assert [len(top) for one in noted for top in one.top_logprobs] == [0, 0] + [2] * 20


async def test_logprobs_0_notes_only_what_was_drawn(client):
    completion = await client.completions.create(
        model="text", prompt="ab", max_tokens=5, logprobs=0
    )

    assert len(completion.choices[0].logprobs.token_logprobs) == 5
    assert completion.choices[0].logprobs.top_logprobs is None


async def test_the_openai_client_lists_the_models(client):
    assert [model.id async for model in client.models.list()] == ["text"]


async def test_the_openai_client_understands_our_errors(client, openai):
    with pytest.raises(openai.NotFoundError) as missing:
        await client.completions.create(model="gpt-4", prompt="ab")
    with pytest.raises(openai.UnprocessableEntityError) as wrong:
        await client.completions.create(model="text", prompt="ab", max_tokens=0)

    assert "gpt-4" in missing.value.body
    assert "max_tokens" in wrong.value.body


async def test_the_openai_client_is_told_of_a_failure_in_mid_stream(client, text_engine, openai):
    text_engine.fails_on = lambda *_: len(text_engine.runs) > 4
    stream = await client.completions.create(model="text", prompt="ab", max_tokens=500, stream=True)
    with pytest.raises(openai.APIError):
        async for _ in stream:
            pass


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"prompt": [1, 2]}, "a list of at most 256, each a string"),
        ({"prompt": [[1, 2]]}, "a list of at most 256, each a string"),
        ({"prompt": 7}, "prompt"),
        ({"prompt": "é"}, "prompt must have only characters"),
        ({"prompt": ["a"] * 257}, "257"),
        ({"prompt": "a" * 50_001}, "got a string of 50,001 characters"),
        ({"max_tokens": 0}, "max_tokens must be a whole number"),
        ({"max_tokens": 10_001}, "max_tokens must be a whole number"),
        ({"temperature": -1}, "temperature must be a number"),
        ({"model": 7}, "model"),
        ({"best_of": 3}, "best_of"),
        ({"frequency_penalty": 0.5}, "frequency_penalty"),
        ({"presence_penalty": 0.5}, "presence_penalty"),
        ({"logit_bias": {"50256": -100}}, "logit_bias"),
        ({"suffix": "z"}, "suffix"),
        ({"stream_options": {"include_usage": 1}}, "stream_options"),
        ({"stream_options": []}, "stream_options"),
        ({"random_seed": 1}, "got 'random_seed'"),
        ({"messages": []}, "got 'messages'"),
    ],
    ids=str,
)
async def test_what_cannot_be_done_is_refused_by_name(shared_texts, body, words):
    response = await shared_texts.post(URL, content=json.dumps({"model": "text", **body}))

    assert (response.status_code, response.json()["code"]) == (422, "invalid_value")
    assert words in response.json()["error"]


async def test_values_that_ask_for_nothing_are_taken(texts):
    body = {
        "model": "text", "prompt": "ab", "max_tokens": 2, "best_of": 1, "frequency_penalty": 0,
        "presence_penalty": 0.0, "logit_bias": {}, "suffix": None, "user": "me", "logprobs": None,
    }  # fmt: skip
    response: httpx.Response = await texts.post(URL, json=body)

    assert response.status_code == 200, response.text
    assert response.headers["x-model"] == "text/1"
