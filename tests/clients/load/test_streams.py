"""Streams, against a small server that sends its events one by one."""

import asyncio
import json

import pytest

from clients.load.closed_loop import drive
from clients.load.scenario import stream
from tests.clients.load.serving import read_head, serving

pytestmark = pytest.mark.anyio
STREAM = stream("text", 9)
CHUNK = json.dumps({"index": 0, "text": "abc"})
END = json.dumps({"index": 0, "finish_reason": "length", "random_seed": 1, "continuation": "t"})
WHOLE = [CHUNK, CHUNK, CHUNK, END, "[DONE]"]


def chunked(event):
    data = f"data: {event}\n\n".encode()
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def streaming(*events, status=200):
    async def talk(reader, writer):
        while await read_head(reader):
            writer.write(f"HTTP/1.1 {status} X\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
            for event in events:
                writer.write(chunked(event))
                await writer.drain()
                await asyncio.sleep(0.005)
            writer.write(b"0\r\n\r\n")

    return serving(talk)


async def test_first_characters_are_those_of_each_stream():
    async with streaming(*WHOLE) as target:
        tally = await drive(STREAM, target, connections=2, seconds=0.1)

    count = len(tally.latencies_s)
    assert count >= 2
    assert len(tally.first_s) == count
    assert 0 < sum(tally.first_s) < sum(tally.latencies_s)
    assert not tally.errors


@pytest.mark.parametrize(
    "events",
    [[CHUNK, CHUNK, END, "[DONE]"], [CHUNK] * 3, [CHUNK, json.dumps({"error": "no time"})]],
    ids=["too short", "no end", "error"],
)
async def test_a_stream_without_its_right_end_is_a_wrong_answer(events):
    async with streaming(*events) as target:
        tally = await drive(STREAM, target, connections=1, seconds=0.05)

    assert tally.errors["wrong answer"] == tally.statuses[200] > 0
    assert not tally.first_s


async def test_a_refusal_is_counted_by_its_status():
    async with streaming("{}", status=429) as target:
        tally = await drive(STREAM, target, connections=1, seconds=0.05)

    assert set(tally.statuses) == {429}
