"""The comparison of texts alone and under load, against a small server that may lie."""

import asyncio
import contextlib
import hashlib
import json

import pytest

from clients.benchmark import determinism
from clients.benchmark.determinism import Plan, compare, make_requests
from clients.load.connection import Disconnected
from clients.load.target import Target

pytestmark = pytest.mark.anyio
PLAN = Plan(generations=60, length=20, connections=4, distinct=6, random_seed=1)


def generations(body, lie):
    """Deterministic texts of a request, as many as it asks for."""
    diversities = body["diversity"] if isinstance(body["diversity"], list) else [body["diversity"]]
    content = json.dumps({k: v for k, v in body.items() if k != "stream"}, sort_keys=True)
    digest = hashlib.sha256(content.encode()).hexdigest()
    count = len(diversities) * body.get("n", 1)
    return [{"text": f"{digest}{lie}", "continuation": f"{n}{digest}"} for n in range(count)]


def answer_to(path, body, lie):
    if path.startswith("/v1/text/score"):
        return "application/json", {"characters": []}
    made = generations(body, lie)
    if not body.get("stream"):
        return "application/json", {"generations": made}
    events = []
    for index, one in enumerate(made):
        half = len(one["text"]) // 2
        events += [{"index": index, "text": one["text"][:half]}]
        events += [{"index": index, "text": one["text"][half:]}]
        end = {"index": index, "finish_reason": "length", "continuation": one["continuation"]}
        events += [end]
    lines = [json.dumps(event) for event in events] + ["[DONE]"]
    return "text/event-stream; charset=utf-8", "".join(f"data: {line}\n\n" for line in lines)


@contextlib.asynccontextmanager
async def serving(lie=lambda asked: "", status=lambda asked: 200):
    """A server of texts; `lie` and `status` get the number of the request."""
    asked, writers = 0, []

    async def serve(reader, writer):
        nonlocal asked
        writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
                body = json.loads(await reader.readexactly(length))
                kind, content = answer_to(head.split()[1], body, lie(asked))
                encoded = (content if isinstance(content, str) else json.dumps(content)).encode()
                line = f"HTTP/1.1 {status(asked)} X\r\nContent-Type: {kind}\r\n"
                writer.write(f"{line}Content-Length: {len(encoded)}\r\n\r\n".encode() + encoded)
                asked += 1

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield Target("127.0.0.1", server.sockets[0].getsockname()[1], "")
    finally:
        server.close()
        for writer in writers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


def test_requests_are_the_same_each_time_and_differ_among_each_other():
    requests = make_requests(PLAN)

    assert requests == make_requests(PLAN)
    assert len({json.dumps(body) for body in requests}) == 6


async def test_the_same_texts_whole_and_streamed_are_no_difference():
    async with serving() as target:
        done = await compare(target, PLAN, {})

    assert done.compared >= 60
    assert done.different == []
    assert len(done.expected) == 6


async def test_one_different_character_is_found():
    async with serving(
        lie=lambda asked: "x" if asked >= len(make_requests(PLAN)) else ""
    ) as target:
        done = await compare(target, PLAN, {})

    assert done.different


async def test_a_difference_to_an_earlier_run_is_found():
    async with serving() as target:
        before = (await compare(target, PLAN, {})).expected
        same = await compare(target, PLAN, before)
        before[3] = [("another text", token) for _, token in before[3]]
        other = await compare(target, PLAN, before)

    assert same.different == []
    assert len(other.different) == 1


async def test_a_busy_service_is_asked_again(monkeypatch):
    monkeypatch.setattr(determinism, "BUSY_PAUSE_S", 0.001)
    async with serving(status=lambda asked: 429 if asked % 3 == 1 else 200) as target:
        done = await compare(target, PLAN, {})

    assert done.different == []


async def test_a_service_that_fails_ends_the_run():
    async with serving(status=lambda asked: 500) as target:
        with pytest.raises(Disconnected, match="500"):
            await compare(target, PLAN, {})


def test_without_a_service_the_status_is_1(capsys):
    assert determinism.main(["--url", "http://127.0.0.1:1", "--generations", "1"]) == 1
    assert "error:" in capsys.readouterr().err


def test_answers_of_another_plan_are_not_compared(tmp_path, capsys):
    path = tmp_path / "answers.json"
    path.write_text(json.dumps({"plan": [1, 2, 3, ""], "answers": {}}))

    assert determinism.main(["--url", "http://127.0.0.1:1", "--answers", str(path)]) == 1
    assert "other numbers" in capsys.readouterr().err
