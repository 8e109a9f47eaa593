"""`/v1/text/*` keeps the contract, whatever comes."""

import asyncio
import json
import math

import numpy as np
import pytest

from service.codecs import continuation
from service.scheduling.run_cost import RunCost
from tests.fake_text import (
    BEGINNING,
    STEPS,
    VOCABULARY,
    advance,
    expected_text,
    log_probabilities,
    write_text_version,
)
from tests.fakes import write_version
from tests.waiting import until_waiting

pytestmark = pytest.mark.anyio
GENERATE, SCORE = "/v1/text/generate", "/v1/text/score"
SEED = "It is a far, far better thing that I do"


async def ask(client, url=GENERATE, **body):
    response = await client.post(url, json=body)
    assert response.status_code == 200, response.text
    return response.json()


async def text_of(client, **body):
    [generation] = (await ask(client, **body))["generations"]
    return generation["text"]


async def test_a_text_gets_the_answer_of_the_contract(shared_texts):
    body = {"seed": SEED, "diversity": 0.5, "length": 100, "random_seed": 42}
    response = await shared_texts.post(GENERATE, json=body)
    answer = response.json()

    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-model"] == "text/1"
    assert response.headers["x-batch-size"] == "1"
    timing = [part.split(";")[0] for part in response.headers["server-timing"].split(", ")]
    assert timing == ["decode", "queue", "infer", "encode"]
    assert answer["model"] == {"name": "text", "version": 1}
    assert answer["random_seed"] == 42
    [generation] = answer["generations"]
    assert set(generation) == {"text", "diversity", "finish_reason", "continuation"}
    assert generation["text"] == expected_text(SEED, 100, 42)
    assert (generation["diversity"], generation["finish_reason"]) == (0.5, "length")


async def test_the_defaults_are_those_of_the_contract(shared_texts):
    answer = await ask(shared_texts)
    [generation] = answer["generations"]

    assert (len(generation["text"]), generation["diversity"]) == (400, 0.5)
    assert generation["text"] == expected_text("", 400, answer["random_seed"])


async def test_a_random_seed_is_drawn_anew_each_time(shared_texts):
    drawn = {(await ask(shared_texts, length=1))["random_seed"] for _ in range(5)}

    assert len(drawn) == 5
    assert all(0 <= one < 2**32 for one in drawn)


async def test_generations_are_ordered_by_diversity_then_by_number(texts, text_engine):
    answer = await ask(texts, seed="ab", diversity=[0.2, 1.0], n=2, length=20, random_seed=7)

    assert [g["diversity"] for g in answer["generations"]] == [0.2, 0.2, 1.0, 1.0]
    assert [g["text"] for g in answer["generations"]] == [
        expected_text("ab", 20, 7, number, diversity=diversity)
        for number, diversity in enumerate([0.2, 0.2, 1.0, 1.0])
    ]
    assert [s for s, _ in text_engine.runs].count("read") == 1  # whatever is drawn after it


async def test_a_generation_is_the_same_whatever_else_is_asked_for(shared_texts):
    more = await ask(shared_texts, seed="ab", n=20, length=33, random_seed=7)
    fewer = await ask(shared_texts, seed="ab", n=3, length=33, random_seed=7)

    assert more["generations"][:3] == fewer["generations"]
    assert len({g["text"] for g in more["generations"]}) == 20


@pytest.mark.parametrize(
    ("body", "options"),
    [
        ({"diversity": 0}, {"diversity": 0}),
        ({"diversity": 1e-30}, {"diversity": 0}),
        ({"diversity": 100}, {"diversity": 100}),
        ({"temperature": 1}, {"diversity": 1.0}),
        ({"top_k": 1}, {"diversity": 0}),
        ({"top_k": 3}, {"top_k": 3}),
        ({"top_p": 0.3}, {"top_p": 0.3}),
        ({"top_k": 10**6, "top_p": 1}, {}),
        ({"top_k": None, "top_p": None, "stop": None, "continuation": None}, {}),
    ],
    ids=str,
)
async def test_the_controls_reach_the_model(shared_texts, body, options):
    text = await text_of(shared_texts, seed="ab", length=40, random_seed=3, **body)

    assert text == expected_text("ab", 40, 3, **options)


async def test_aliases_mean_the_same(shared_texts):
    ours = await text_of(shared_texts, seed="ab", diversity=0.7, length=20, random_seed=1)
    theirs = await text_of(shared_texts, prompt="ab", temperature=0.7, max_tokens=20, random_seed=1)

    assert ours == theirs


async def test_a_seed_of_any_length_is_read_to_its_end(shared_texts):
    for length in (0, 1, STEPS - 1, STEPS, STEPS + 1, 1000):
        seed = (SEED * 30)[:length]
        assert await text_of(shared_texts, seed=seed, length=5, random_seed=1) == expected_text(
            seed, 5, 1
        )


async def test_include_seed_puts_the_seed_before_the_text(shared_texts):
    text = await text_of(shared_texts, seed="ab", length=5, random_seed=1, include_seed=True)

    assert text == "ab" + expected_text("ab", 5, 1)


async def test_log_probabilities_are_those_of_the_model_itself(shared_texts):
    answer = await ask(
        shared_texts,
        seed="ab",
        length=30,
        random_seed=1,
        logprobs=2,
        diversity=2,
        include_seed=True,
    )
    [generation] = answer["generations"]
    state = BEGINNING

    assert "".join(e["character"] for e in generation["logprobs"]) == generation["text"]
    for number, entry in enumerate(generation["logprobs"]):
        logprobs = log_probabilities(state)
        token_id = VOCABULARY.index(entry["character"])
        assert entry["logprob"] == pytest.approx(logprobs[token_id], abs=1e-5)
        if number >= 2:
            likeliest = np.argsort(-logprobs, kind="stable")[:2]
            assert list(entry["top"]) == [VOCABULARY[i] for i in likeliest]
            assert list(entry["top"].values()) == pytest.approx(logprobs[likeliest], abs=1e-5)
        state = advance(state, token_id)


async def test_unknown_characters_are_named_or_replaced(shared_texts):
    refused = await shared_texts.post(GENERATE, json={"seed": "a😀b"})
    answer = await ask(
        shared_texts, seed="a😀b\x07", length=5, random_seed=1, unknown="replace", include_seed=True
    )

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_value")
    assert "😀" in refused.json()["error"]
    assert "U+1F600" in refused.json()["error"]
    assert answer["replaced"] == ["😀", "\x07"]
    assert answer["generations"][0]["text"] == "a b " + expected_text("a b ", 5, 1)


# --- stop strings -------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [3, STEPS - 1, STEPS, STEPS + 1, 40])
async def test_a_stop_string_ends_the_text_before_itself(shared_texts, at):
    whole = expected_text("ab", 100, 5)
    stop = whole[at : at + 5]
    answer = await ask(
        shared_texts, seed="ab", length=100, random_seed=5, stop=[stop, "never"], logprobs=1
    )
    [generation] = answer["generations"]

    assert generation["text"] == whole[: whole.index(stop)]
    assert generation["finish_reason"] == "stop"
    assert len(generation["logprobs"]) == len(generation["text"])


async def test_a_stop_string_may_be_a_single_text(shared_texts):
    whole = expected_text("ab", 100, 5)

    text = await text_of(shared_texts, seed="ab", length=100, random_seed=5, stop=whole[20:23])
    assert text == whole[: whole.index(whole[20:23])]


async def test_the_beginning_of_a_stop_string_is_given_when_the_length_is_reached(shared_texts):
    whole = expected_text("ab", 100, 5)

    text = await text_of(shared_texts, seed="ab", length=50, random_seed=5, stop=whole[47:53])
    assert text == whole[:50]


# --- continuations ------------------------------------------------------------------------------


async def test_a_continuation_goes_on_exactly_as_one_longer_call(shared_texts):
    whole = expected_text(SEED, 200, 9, diversity=1.0)
    for parts in ([1, 199], [STEPS, 84, 100], [100, 37, 63], [7] * 20 + [60]):
        text = ""
        body = {"seed": SEED, "diversity": 1.0, "random_seed": 9}
        for length in parts:
            [generation] = (await ask(shared_texts, **body, length=length))["generations"]
            text += generation["text"]
            body = {"continuation": generation["continuation"]}
        assert text == whole


async def test_each_generation_goes_on_with_its_own_numbers(shared_texts):
    answer = await ask(shared_texts, seed="ab", n=3, length=20, random_seed=4, top_k=9, top_p=0.9)
    for number, generation in enumerate(answer["generations"]):
        more = await ask(shared_texts, continuation=generation["continuation"], length=30)
        whole = expected_text("ab", 50, 4, number, top_k=9, top_p=0.9)
        assert generation["text"] + more["generations"][0]["text"] == whole
        assert more["random_seed"] == 4


async def test_a_continuation_works_after_a_restart(start_texts, tmp_path):
    first = await start_texts()
    begun = (await ask(first, seed=SEED, length=30, random_seed=2))["generations"][0]
    second = await start_texts(models=tmp_path)
    more = await text_of(second, continuation=begun["continuation"], length=30)

    assert begun["text"] + more == expected_text(SEED, 60, 2)


async def test_a_continuation_is_exact_while_others_are_served(texts):
    whole = expected_text("ab", 60, 11)
    noise = [
        asyncio.create_task(ask(texts, seed=SEED[i:], length=50 + i, n=3, diversity=2))
        for i in range(20)
    ]
    begun = (await ask(texts, seed="ab", length=25, random_seed=11))["generations"][0]
    more = await text_of(texts, continuation=begun["continuation"], length=35)
    await asyncio.gather(*noise)

    assert begun["text"] + more == whole


async def test_another_diversity_may_be_given_and_the_numbers_stay(shared_texts):
    begun = (await ask(shared_texts, seed="ab", length=20, random_seed=2))["generations"][0]
    same = await text_of(shared_texts, continuation=begun["continuation"], length=20)
    colder = await ask(shared_texts, continuation=begun["continuation"], length=20, diversity=0)

    assert same == expected_text("ab", 40, 2)[20:]
    assert colder["generations"][0]["diversity"] == 0
    assert colder["generations"][0]["text"] == expected_text(
        "ab" + begun["text"], 20, 0, diversity=0
    )


async def test_after_a_stop_string_the_text_goes_on_behind_it(shared_texts):
    whole = expected_text("ab", 100, 5)
    stop = whole[20:24]
    body = {"seed": "ab", "random_seed": 5, "length": 60, "stop": [stop]}
    begun = (await ask(shared_texts, **body))["generations"][0]
    more = await text_of(shared_texts, continuation=begun["continuation"], length=30)
    end = whole.index(stop) + len(stop)

    assert begun["text"] == whole[: end - len(stop)]
    assert more == whole[end : end + 30]


async def test_a_stop_string_across_the_border_of_two_calls_ends_the_second(shared_texts):
    whole = expected_text("ab", 100, 5)
    stop = whole[27:33]
    body = {"seed": "ab", "random_seed": 5, "length": 30, "stop": [stop]}
    begun = (await ask(shared_texts, **body))["generations"][0]
    for more in ({}, {"stop": [stop]}):
        ended = await ask(
            shared_texts, continuation=begun["continuation"], length=30, logprobs=1, **more
        )
        assert ended["generations"][0]["text"] == ""
        assert ended["generations"][0]["finish_reason"] == "stop"
        assert ended["generations"][0]["logprobs"] == []
    free = await text_of(shared_texts, continuation=begun["continuation"], length=30, stop=[])

    assert begun["text"] == whole[:30]
    assert free == whole[30:60]


async def test_what_only_looked_like_a_stop_string_is_given_once(shared_texts):
    whole = expected_text("ab", 100, 5)
    stop = whole[27:30] + ("x" if whole[30] != "x" else "y")
    begun = (await ask(shared_texts, seed="ab", random_seed=5, length=30, stop=stop))[
        "generations"
    ][0]
    more = await text_of(shared_texts, continuation=begun["continuation"], length=30)

    assert begun["text"] + more == whole[:60]


async def test_a_continuation_stays_with_its_version(tmp_path, start_texts):
    write_text_version(tmp_path, version=1)
    write_text_version(tmp_path, "pulp", 1)
    (tmp_path / "pulp" / "serving.json").write_text('{"versions": "all"}')
    client = await start_texts()
    body = {"seed": "ab", "length": 10, "random_seed": 1}
    begun = (await ask(client, f"{GENERATE}?model=pulp", **body))["generations"][0]["continuation"]
    write_text_version(tmp_path, "pulp", 2)
    while (await client.post(f"{GENERATE}?model=pulp", json=body)).headers["x-model"] != "pulp/2":
        await asyncio.sleep(0.01)
    on = await client.post(GENERATE, json={"continuation": begun, "length": 5})
    agreeing = await client.post(f"{GENERATE}?model=pulp&version=1", json={"continuation": begun})
    other = await client.post(f"{GENERATE}?model=text", json={"continuation": begun})
    newer = await client.post(f"{GENERATE}?version=2", json={"continuation": begun})

    assert on.json()["model"] == {"name": "pulp", "version": 1}
    assert agreeing.status_code == 200
    assert (other.status_code, other.json()["code"]) == (422, "invalid_value")
    assert "that of the continuation, pulp" in other.json()["error"]
    assert (newer.status_code, newer.json()["code"]) == (404, "version_not_found")


def token(**changes):
    fields = {
        "name": "text", "version": 1, "random_seed": 1, "index": 0, "position": 0, "diversity": 0.5,
        "top_k": 0, "top_p": 1.0, "stop": [], "held": "",
    }  # fmt: skip
    state = changes.pop("state", BEGINNING)
    made = continuation.Continuation(**fields | changes)
    return continuation.encode(made, np.asarray(state, np.float32))


@pytest.mark.parametrize(
    ("made", "status", "code"),
    [
        ({"version": 2}, 404, "version_not_found"),
        ({"name": "other"}, 404, "model_not_found"),
        ({"name": "digits"}, 404, "model_not_found"),
        ({"name": "../etc"}, 404, "model_not_found"),
        ({"state": np.zeros(4)}, 422, "invalid_value"),
        ({"state": []}, 422, "invalid_value"),
    ],
)
async def test_a_continuation_of_what_is_not_here_is_refused(shared_texts, made, status, code):
    response = await shared_texts.post(GENERATE, json={"continuation": token(**made)})

    assert (response.status_code, response.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("beside", "words"),
    [
        ({"seed": "ab"}, "seed"),
        ({"seed": ""}, "seed"),
        ({"prompt": "ab"}, "seed"),
        ({"include_seed": True}, "include_seed"),
        ({"random_seed": 2}, "random_seed"),
        ({"n": 2}, "n"),
        ({"diversity": [0.2, 0.5]}, "diversity"),
        ({"diversity": []}, "diversity"),
        ({"logprobs": 5, "length": 10**6}, "length"),
    ],
    ids=str,
)
async def test_what_contradicts_a_continuation_is_refused(shared_texts, beside, words):
    response = await shared_texts.post(GENERATE, json={"continuation": token(), **beside})

    assert (response.status_code, response.json()["code"]) == (422, "invalid_value")
    assert words in response.json()["error"]


async def test_what_agrees_with_a_continuation_is_taken(shared_texts):
    beside = {"random_seed": 1, "n": 1, "diversity": [0.5], "length": 9, "include_seed": False}

    assert await text_of(shared_texts, continuation=token(), **beside) == expected_text("", 9, 1)


# --- scores -------------------------------------------------------------------------------------


async def test_a_score_says_how_likely_each_character_is(shared_texts):
    text = SEED * 3
    answer = await ask(shared_texts, SCORE, text=text)
    state, expected = BEGINNING, []
    for character in text:
        token_id = VOCABULARY.index(character)
        expected.append(log_probabilities(state)[token_id])
        state = advance(state, token_id)

    assert answer["model"] == {"name": "text", "version": 1}
    assert "".join(entry["character"] for entry in answer["characters"]) == text
    found = [entry["logprob"] for entry in answer["characters"]]
    assert found == pytest.approx(expected, abs=1e-5)
    assert answer["nats_per_character"] == pytest.approx(-np.mean(expected), abs=1e-5)
    assert answer["bits_per_character"] == answer["nats_per_character"] / math.log(2)


async def test_a_score_can_replace_unknown_characters(shared_texts):
    answer = await ask(shared_texts, SCORE, text="añb", unknown="replace")

    assert answer["replaced"] == ["ñ"]
    assert [entry["character"] for entry in answer["characters"]] == ["a", " ", "b"]


@pytest.mark.parametrize(
    "body", [{}, {"text": ""}, {"text": 7}, {"text": "ñ"}, {"text": "a" * 50_001}, {"seed": "a"}]
)
async def test_a_text_that_cannot_be_scored_is_refused(shared_texts, body):
    response = await shared_texts.post(SCORE, json=body)

    assert (response.status_code, response.json()["code"]) == (422, "invalid_value")
    assert len(response.json()["error"]) < 400


# --- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b"  ", "empty"),
        (b"{", "line 1"),
        (b"[]", "a list"),
        (b'"seed"', "the string 'seed'"),
        (b"7", "a number"),
        (b"null", "null"),
        (b'{"diversity": NaN}', "NaN"),
        (b'{"diversity": Infinity}', "NaN"),
        (b'{"seed": "\\ud800"}', "surrogate"),
        (b'{"seed": "\xff"}', ""),
        (b"seed=hello", ""),
        (b"[" * 50_000, ""),  # more is 413, whatever it holds
    ],
    ids=lambda value: str(value)[:30],
)
async def test_what_is_no_json_object_is_400(shared_texts, body, words):
    for url in (GENERATE, SCORE, "/v1/completions"):
        response = await shared_texts.post(url, content=body)
        assert (response.status_code, response.json()["code"]) == (400, "invalid_json")
        assert words in response.json()["error"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"seed": 7}, "seed must be a string of at most 50,000 characters, got 7"),
        ({"seed": ["a"]}, "seed must be a string of at most 50,000 characters, got a list of 1"),
        ({"seed": "a" * 50_001}, "50,001"),
        ({"seed": "a", "prompt": "b"}, "seed must be given once"),
        ({"diversity": 0.5, "temperature": 0.5}, "diversity must be given once"),
        ({"length": 1, "max_tokens": 1}, "length must be given once"),
        ({"diversity": -0.1}, "-0.1"),
        ({"diversity": 100.5}, "100.5"),
        ({"diversity": True}, "got true"),
        ({"diversity": "hot"}, "'hot'"),
        ({"diversity": []}, "empty"),
        ({"diversity": [0.5, None]}, "null"),
        ({"diversity": [[0.5]]}, "a list"),
        ({"diversity": {}}, "an object"),
        ({"diversity": 1e308}, "1e+308"),
        ({"diversity": [0.5] * 257}, "257"),
        ({"length": 0}, "got 0"),
        ({"length": -1}, "got -1"),
        ({"length": 10_001}, "10,000, got 10001"),
        ({"length": 10**9}, "1000000000"),
        ({"length": 10**30}, "1e+30"),
        ({"length": 5.5}, "5.5"),
        ({"length": "5"}, "'5'"),
        ({"length": True}, "got true"),
        ({"n": 0}, "256"),
        ({"n": 257}, "257"),
        ({"n": 200, "diversity": [1, 2]}, "400"),
        ({"n": 100, "length": 10_000}, "131,072"),
        ({"n": 3, "length": 10_000, "logprobs": 1}, "20,000"),
        ({"top_k": 0}, "top_k"),
        ({"top_k": 2**31}, "top_k"),
        ({"top_p": 0}, "top_p"),
        ({"top_p": 1.5}, "top_p"),
        ({"top_p": -1}, "top_p"),
        ({"logprobs": 6}, "from 0 to 5, got 6"),
        ({"logprobs": True}, "logprobs"),
        ({"random_seed": -1}, "random_seed"),
        ({"random_seed": 2**32}, "4294967296"),
        ({"random_seed": 1.5}, "random_seed"),
        ({"stop": ["x"] * 1000}, "1,000"),
        ({"stop": ["x" * 101]}, "101"),
        ({"stop": [""]}, "got ''"),
        ({"stop": ""}, "got ''"),
        ({"stop": [7]}, "got 7"),
        ({"stop": 7}, "got 7"),
        ({"stream": "yes"}, "'yes'"),
        ({"stream": 1}, "got 1"),
        ({"include_seed": 0}, "got 0"),
        ({"unknown": "ignore"}, "replace"),
        ({"continuation": 7}, "got 7"),
        ({"continuation": ""}, "continuation"),
        ({"continuation": "forged"}, "continuation"),
        ({"continuation": "A" * 1_000_000}, "continuation"),
        ({"repetition_penalty": 1.1}, "got 'repetition_penalty'"),
        ({"x" * 10_000: 1}, "a field must be one of"),
        ({"": None}, "a field must be one of"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_wrong_value_is_422_and_says_what_would_be_right(shared_texts, body, words):
    response = await shared_texts.post(GENERATE, content=json.dumps(body))
    problem = response.json()

    assert response.status_code == 422, problem
    assert response.headers["content-type"] == "application/json"
    assert set(problem) == {"error", "code", "request_id"}
    assert problem["code"] == "invalid_value"
    assert words in problem["error"]
    assert len(problem["error"]) < 500
    assert "waiting_requests" in (await shared_texts.get("/metrics")).text


async def test_a_huge_body_is_refused_by_its_size(start_texts):
    client = await start_texts(max_body_bytes=2048)
    response = await client.post(GENERATE, json={"seed": "a" * 3000})

    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


async def test_json_is_read_whatever_its_content_type(shared_texts):
    body = b'\xef\xbb\xbf{"seed": "ab", "length": 5, "random_seed": 1}'
    headers = {"content-type": "application/x-www-form-urlencoded"}
    response = await shared_texts.post(GENERATE, content=body, headers=headers)

    assert response.json()["generations"][0]["text"] == expected_text("ab", 5, 1)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("?model=cats", 404, "model_not_found"),
        ("?model=digits", 404, "model_not_found"),
        ("?version=9", 404, "version_not_found"),
        ("?version=one", 422, "invalid_value"),
    ],
)
async def test_a_model_that_is_not_there_is_404(tmp_path, start_texts, query, status, code):
    write_text_version(tmp_path)
    client = await start_texts()
    response = await client.post(GENERATE + query, json={})

    assert (response.status_code, response.json()["code"]) == (status, code)


async def test_a_digit_model_writes_no_texts(start):
    client = await start()
    response = await client.post(GENERATE + "?model=digits", json={})

    assert (response.status_code, response.json()["code"]) == (404, "model_not_found")


async def test_a_model_of_the_task_without_a_vocabulary_does_not_answer(tmp_path, start):
    write_version(tmp_path, "text", task="generate_text")
    client = await start()
    response = await client.post(GENERATE, json={})

    assert (response.status_code, response.json()["code"]) == (404, "model_not_found")


# --- load ---------------------------------------------------------------------------------------


async def test_everyone_gets_his_own_text_under_mixed_load(texts):
    def wanted(i):
        return {"seed": SEED[: i % 40], "length": 1 + 7 * i % 90, "random_seed": i}

    answers = await asyncio.gather(
        *(ask(texts, **wanted(i)) for i in range(60)),
        *(ask(texts, SCORE, text=SEED[i:]) for i in range(20)),
    )

    for i, answer in enumerate(answers[:60]):
        body = wanted(i)
        assert answer["generations"][0]["text"] == expected_text(
            body["seed"], body["length"], body["random_seed"]
        )


async def test_only_the_manifests_batch_sizes_and_steps_are_run(texts, text_engine):
    await asyncio.gather(*(ask(texts, seed=SEED, length=30) for _ in range(7)))

    assert {len(lengths) for _, lengths in text_engine.runs} == {4}
    assert max(max(lengths) for _, lengths in text_engine.runs) <= STEPS


async def test_a_failing_run_fails_that_request_alone(texts, text_engine, caplog):
    whole = expected_text("ab", 60, 1)
    text_engine.fails_on = lambda s, inputs: (
        s == "generate" and 0.77 in inputs["temperature"].round(2)
    )
    good, bad = await asyncio.gather(
        ask(texts, seed="ab", length=60, random_seed=1),
        texts.post(GENERATE, json={"seed": "ab", "length": 60, "diversity": 0.77}),
    )

    assert good["generations"][0]["text"] == whole
    assert (bad.status_code, bad.json()["code"]) == (500, "internal_error")
    assert "cannot run" not in bad.text
    assert "cannot run" in caplog.text


@pytest.mark.usefixtures("no_estimates")
async def test_a_deadline_that_passes_is_504_and_ends_the_work(texts, text_engine):
    text_engine.seconds_each_run = 0.5
    body = {"length": 200}
    response = await texts.post(GENERATE, json=body, headers={"x-timeout-ms": "700"})

    assert (response.status_code, response.json()["code"]) == (504, "deadline_exceeded")
    await until_waiting(texts, 0, "text")
    runs = len(text_engine.runs)
    text_engine.seconds_each_run = 0.0
    await ask(texts, length=1)  # behind whatever would still run
    assert len(text_engine.runs) <= runs + 3  # its own two, and the one that was under way


async def test_an_overfull_queue_refuses_the_excess_with_retry_after(start_texts, text_engine):
    client = await start_texts(queue_size=2)
    text_engine.gate.clear()
    accepted = [asyncio.create_task(ask(client, length=20)) for _ in range(2)]
    await until_waiting(client, 2, "text")
    refused = await client.post(GENERATE, json={"length": 20})
    text_engine.gate.set()

    assert (refused.status_code, refused.json()["code"]) == (429, "overloaded")
    assert int(refused.headers["retry-after"]) >= 1
    await asyncio.gather(*accepted)
    await until_waiting(client, 0, "text")


async def test_what_cannot_be_done_in_time_beside_the_others_is_refused(
    texts, text_engine, monkeypatch
):
    text_engine.seconds_each_run = 0.005
    # Not what is measured, which depends on the machine.
    monkeypatch.setattr(RunCost, "seconds", lambda _, rows, steps=1: 2e-4 * steps)
    long = [asyncio.create_task(ask(texts, length=9000)) for _ in range(24)]
    await until_waiting(texts, 24, "text")
    hurried, busy = {"x-timeout-ms": "3000"}, {"x-timeout-ms": "60000"}
    refused = await texts.post(GENERATE, json={"length": 9000}, headers=hurried)
    short = await texts.post(GENERATE, json={"length": 3}, headers=busy)
    for task in long:
        task.cancel()

    assert (refused.status_code, refused.json()["code"]) == (429, "overloaded")
    assert "with the running ones" in refused.json()["error"]
    assert int(refused.headers["retry-after"]) >= 1
    assert short.status_code == 200


async def test_characters_are_counted(texts):
    await ask(texts, seed="abc", n=2, length=20)
    lines = (await texts.get("/metrics")).text

    assert 'vitrine_characters_total{model="text",signature="read"} 3.0' in lines
    assert 'vitrine_characters_total{model="text",signature="generate"} 40.0' in lines
