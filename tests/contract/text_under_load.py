"""Asks for the same texts one after the other and on many connections beside other work, and compares.

A generation is compared by its text and its continuation token, which holds the model's state as it is.
"""

import asyncio
import json
import random

import httpx

LETTERS = "etaoin shrdlu\ncmfwypvbgkjqxz ETAOIN,.;:'!?"
DIVERSITIES = (0.0, 0.2, 0.5, 1.0, 1.5)
CONNECTIONS = 12


def make_requests(count, length=80):
    """Prompts, temperatures, numbers and restrictions of all kinds, the same each time."""
    rng = random.Random(1)
    return [_request(rng, length) for _ in range(count)]


def _request(rng, length):
    body = {
        "seed": "".join(rng.choices(LETTERS, k=rng.choice((0, 1, 15, 40, 64, 65, 200)))),
        "unknown": "replace",
        "diversity": rng.choice((*DIVERSITIES, [0.2, 0.5, 1.0])),
        "length": length,
        "random_seed": rng.randrange(2**32),
    }
    if rng.random() < 0.3:
        body["top_k"] = rng.choice((1, 3, 10, 1000))
    if rng.random() < 0.3:
        body["top_p"] = rng.choice((0.1, 0.5, 0.9))
    if rng.random() < 0.2:
        body["n"] = rng.choice((2, 3))
    return body


async def alone(url, requests):
    """The generations of each request, asked one after the other."""
    async with _client(url) as client:
        return [await _generations(client, body) for body in requests]


async def under_load(url, requests, times):
    """The numbers of the requests and their generations, asked `times` times beside scores and broken streams."""
    rng = random.Random(2)
    left = [rng.randrange(len(requests)) for _ in range(times)]
    found = []

    async def keep_asking(client):
        while left:
            number = left.pop()
            if number % 4 == 0:
                await _disturb(client, rng)
            body = {**requests[number], "stream": rng.random() < 0.5}
            found.append((number, await _generations(client, body)))

    async with _client(url) as client, asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(keep_asking(client))
    return found


def _client(url):
    return httpx.AsyncClient(base_url=url, trust_env=False, timeout=120)


async def _disturb(client, rng):
    """A score, and a long stream that is closed after its first event."""
    text = "".join(rng.choices(LETTERS, k=100))
    await client.post("/v1/text/score", json={"text": text, "unknown": "replace"})
    body = {"seed": text, "unknown": "replace", "length": 2000, "stream": True}
    async with client.stream("POST", "/v1/text/generate", json=body) as response:
        async for _ in response.aiter_bytes():
            break


async def _generations(client, body):
    """Text and continuation token of each generation; a busy service is asked again."""
    while True:
        response = await client.post("/v1/text/generate", json=body)
        if response.status_code != 429:
            break
        await asyncio.sleep(0.2)
    assert response.status_code == 200, response.text
    if not body.get("stream"):
        return [(one["text"], one["continuation"]) for one in response.json()["generations"]]
    texts, tokens = {}, {}
    for event in response.text.removesuffix("data: [DONE]\n\n").split("\n\n")[:-1]:
        content = json.loads(event.removeprefix("data: "))
        index = content["index"]
        texts[index] = texts.get(index, "") + content.get("text", "")
        if "continuation" in content:
            tokens[index] = content["continuation"]
    return [(texts[index], tokens[index]) for index in sorted(texts)]
