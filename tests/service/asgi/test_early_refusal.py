"""What a queue has just refused is refused by its head; what may find a place reaches the application."""

import asyncio
import json
from types import SimpleNamespace

import pytest

from service.asgi import early_refusal, refusal
from service.asgi.early_refusal import EarlyRefusals
from service.asgi.request_head import request_id_of
from service.errors import QueueRefusal
from service.metrics import Metrics
from service.settings import Settings
from tests.fakes import write_version
from tests.service.apps import on_a_socket
from tests.waiting import until_waiting

pytestmark = pytest.mark.anyio
CLASSIFY = "/v1/digits/classify"
HEADERS = ((b"content-length", b"100"), (b"x-timeout-ms", b"500"))


class Clock:
    now = 50.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(early_refusal, "time", clock)
    monkeypatch.setattr(refusal, "time", clock)
    return clock


class Table:
    """A table that has recorded one refusal."""

    def __init__(self, **options):
        options = {"answers_other_origins": False, **options}
        self.queue = SimpleNamespace(departures=0, is_full=False)
        self.refusals = EarlyRefusals(Metrics(), **options)

    def record(self, headers=HEADERS, method="POST"):
        scope = {
            "method": method,
            "raw_path": b"/v1/x",
            "query_string": b"top=1",
            "headers": list(headers),
            "queue": self.queue,
        }
        self.refusals.record(scope, QueueRefusal("Too busy. Try again in 3 s.", 3))

    def answer(self, headers=HEADERS, target=b"/v1/x?top=1", method=b"POST"):
        found = self.refusals.match(method, target, headers)
        return found and found.render(request_id_of(headers), b"")


@pytest.fixture
def table(clock):
    table = Table()
    table.record()
    return table


def test_the_same_request_gets_the_same_answer_with_its_own_id(table):
    own_id = b'me"\\'
    head, _, body = table.answer((*HEADERS, (b"x-request-id", own_id))).partition(b"\r\n\r\n")

    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 429 Too Many Requests"
    assert {b"retry-after: 3", b"x-request-id: " + own_id} < set(lines)
    assert b"content-length: %d" % len(body) in lines
    assert json.loads(body) == {
        "error": "Too busy. Try again in 3 s.", "code": "overloaded", "request_id": own_id.decode(),
    }  # fmt: skip


@pytest.mark.parametrize(
    "other",
    [
        {"target": b"/v1/x"},
        {"method": b"GET"},
        {"headers": ((b"content-length", b"100"), (b"x-timeout-ms", b"5000"))},
        {"headers": ((b"content-length", b"99"), (b"x-timeout-ms", b"500"))},
        {"headers": (*HEADERS, (b"authorization", b"Bearer other"))},
        {"headers": (*HEADERS, (b"x-api-key", b"other"))},
        {"headers": (*HEADERS, (b"expect", b"100-continue"))},
        {"headers": (HEADERS[1], (b"transfer-encoding", b"chunked"))},
    ],
    ids=["target", "method", "patience", "shorter", "bearer", "key", "expect", "chunked"],
)
def test_a_request_that_may_be_admitted_reaches_the_application(table, other):
    assert table.answer(**other) is None
    assert table.answer() is not None


@pytest.mark.parametrize("count", [2, 100])
def test_each_departure_from_the_queue_allows_one_probe(table, count):
    assert table.answer() is not None
    table.queue.departures += count

    probes = [table.answer() is None for _ in range(count + 2)]
    assert probes == [True] * count + [False] * 2


def test_a_number_of_probes_a_second_is_always_allowed(table, clock):
    for _ in range(2):
        clock.now += 0.21
        assert [table.answer() is None for _ in range(3)] == [True, False, False]
        table.record()


def test_a_refusal_expires_unless_a_probe_was_refused(table, clock):
    clock.now += 0.2
    table.record()
    clock.now += 0.2
    while table.answer() is None:
        pass
    assert not table.refusals.is_empty

    clock.now += 0.1
    assert table.answer() is None
    assert table.refusals.is_empty


def test_while_the_queue_is_full_a_refusal_does_not_expire_but_one_request_is_a_probe(table, clock):
    table.queue.is_full = True
    table.answer()
    table.refusals.remember(HEAD + b"x" * 100)
    for _ in range(3):
        table.queue.departures += 5
        assert refused_again(table) is not None
        clock.now += refusal.VALID_SECONDS + 0.01
        assert refused_again(table) is None
        assert [table.answer() is None for _ in range(3)] == [True, False, False]

    table.queue.is_full = False
    clock.now += refusal.VALID_SECONDS + 0.01
    assert table.answer() is None
    assert table.refusals.is_empty


HEAD = b"POST /v1/x?top=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nX-Timeout-Ms: 500\r\n\r\n"


def refused_again(table, data=HEAD + b"y" * 100):
    found = table.refusals.match_bytes(data)
    return found and found.render(request_id_of(()), b"")


def test_a_whole_request_with_the_same_head_is_refused_as_bytes(table):
    assert refused_again(table) is None  # it has not been parsed yet
    table.answer()
    table.refusals.remember(HEAD + b"x" * 100)

    ids = {json.loads(refused_again(table).partition(b"\r\n\r\n")[2])["request_id"] for _ in "ab"}
    assert len(ids) == 2
    for other in (
        HEAD,
        HEAD + b"y" * 99,
        HEAD + b"y" * 101,
        HEAD.replace(b"500", b"900") + b"y" * 100,
    ):
        assert refused_again(table, other) is None


def test_a_known_head_becomes_a_probe_when_there_may_be_room_and_expires(table, clock):
    table.answer()
    table.refusals.remember(HEAD + b"x" * 100)
    table.queue.departures += 1
    assert refused_again(table) is None
    assert table.answer() is None
    assert refused_again(table) is not None

    clock.now += refusal.VALID_SECONDS + 0.01
    assert refused_again(table) is None


def test_a_request_that_is_taken_unparsed_counts_as_a_probe(table):
    table.answer()
    table.refusals.remember(HEAD + b"x" * 100)
    table.queue.departures += 2
    for _ in range(2):
        assert refused_again(table) is None
        table.refusals.count_probe()

    assert refused_again(table) is not None
    table.refusals.count_probe()  # of another kind of request, which nothing has refused
    assert table.answer() is not None


def test_only_a_request_that_is_there_as_a_whole_and_has_no_id_is_remembered(table):
    table.answer((*HEADERS, (b"x-request-id", b"mine")))
    table.refusals.remember(HEAD + b"x" * 100)
    table.answer()
    table.refusals.remember(HEAD + b"x" * 50)
    table.refusals.remember(b"x" * 50)

    assert refused_again(table) is None


def test_where_answers_differ_by_origin_a_request_with_one_reaches_the_application(clock):
    table = Table(answers_other_origins=True)
    with_origin = (*HEADERS, (b"origin", b"http://x"))
    table.record(with_origin)
    assert table.refusals.is_empty

    table.record()
    assert table.answer(with_origin) is None
    assert table.answer() is not None


def test_a_refusal_without_a_body_is_not_recorded(clock):
    table = Table()
    table.record(method="HEAD")
    assert table.refusals.is_empty


def test_only_so_many_refusals_are_remembered(clock):
    table = Table()
    for number in range(early_refusal.MAX_REFUSALS * 2):
        table.record(((b"x-timeout-ms", b"%d" % number),))

    assert len(table.refusals._refusals) <= early_refusal.MAX_REFUSALS


def post(size, more=""):
    head = f"POST {CLASSIFY} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n{more}\r\n"
    return head.encode()


class Raw:
    """A connection that sends bytes and reads one answer at a time."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def ask(self, *parts):
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()
        return await self.answer()

    async def answer(self):
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 120)
        lines = head.decode().lower().split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines[1:] if line)
        body = await self.reader.readexactly(int(fields["content-length"]))
        return int(lines[0].split()[1]), fields, json.loads(body)


@pytest.fixture
async def full(tmp_path, engine, png, monkeypatch):
    """A service whose only place is taken, and that has refused a request: its client and a connection."""
    monkeypatch.setattr(refusal, "VALID_SECONDS", 1000.0)
    monkeypatch.setattr(refusal, "PROBES_PER_SECOND", 0.0)
    write_version(tmp_path)
    settings = Settings(models=tmp_path, port=0, drain_seconds=0, queue_size=1)
    async with on_a_socket(settings, engine) as client:
        engine.gate.clear()
        accepted = asyncio.create_task(client.post(CLASSIFY, content=png()))
        await until_waiting(client, 1)
        reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
        raw = Raw(reader, writer)
        assert (await raw.ask(post(4), b"some"))[
            0
        ] == 429  # by the application: from now on by the head
        yield SimpleNamespace(client=client, raw=raw, accepted=accepted, open=engine.gate.set)
        engine.gate.set()
        await accepted
        writer.close()


def refuse_to_be_called(*_):
    raise AssertionError("the app was asked")


async def count(client, line):
    return [one for one in (await client.get("/metrics")).text.splitlines() if line in one]


async def test_a_refusal_is_counted_and_the_app_not_asked(full, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("service.routes.digits.Prediction", refuse_to_be_called)
        status, fields, body = await full.raw.ask(post(4), b"some")

    assert (status, body["code"], fields["x-request-id"]) == (429, "overloaded", body["request_id"])
    assert {"date", "retry-after", "content-type"} < set(fields)
    labels = f'{{method="POST",route="{CLASSIFY}",status="429"}} 2.0'
    assert await count(full.client, f"vitrine_requests_total{labels}")
    assert await count(full.client, 'vitrine_errors_total{code="overloaded"} 2.0')


async def test_a_request_of_the_same_bytes_is_refused_unparsed_and_counted(full, monkeypatch):
    await full.raw.ask(post(4) + b"some")
    with monkeypatch.context() as patched:
        patched.setattr("service.asgi.protocol.TimeoutHttpProtocol._feed", refuse_to_be_called)
        answers = [await full.raw.ask(post(4) + body) for body in (b"some", b"more")]

    assert [status for status, *_ in answers] == [429, 429]
    for _, fields, body in answers:
        assert fields["x-request-id"] == body["request_id"]
        assert {"date", "retry-after", "content-type"} < set(fields)
    labels = f'{{method="POST",route="{CLASSIFY}",status="429"}} 4.0'
    assert await count(full.client, f"vitrine_requests_total{labels}")
    full.raw.writer.write(post(4) + b"some" + post(4) + b"some")  # two at once are parsed
    assert [(await full.raw.answer())[0] for _ in range(2)] == [429, 429]


async def test_the_body_of_a_refused_request_is_dropped_and_the_connection_goes_on(full):
    answers = [await full.raw.ask(post(200_000), b"x" * 100_000)]
    full.raw.writer.write(b"y" * 100_000)
    full.raw.writer.write(post(4) + b"some" + post(4) + b"some")
    answers += [await full.raw.answer() for _ in range(2)]

    assert [status for status, *_ in answers] == [429] * 3
    assert len({body["request_id"] for *_, body in answers}) == 3


async def test_connection_close_is_confirmed_and_the_connection_closed_each_time(
    full,
):
    for _ in range(3):
        raw = Raw(*await asyncio.open_connection("127.0.0.1", full.client.base_url.port))
        _, fields, _ = await raw.ask(post(4, "Connection: close\r\n") + b"some")

        assert fields["connection"] == "close"
        assert await asyncio.wait_for(raw.reader.read(), 120) == b""
        raw.writer.close()


async def test_who_asks_when_the_place_is_free_again_is_answered(full, png):
    full.open()
    await full.accepted
    image = png(3)

    status, _, body = await full.raw.ask(post(len(image)), image)
    assert (status, body["predictions"][0]["digit"]) == (200, 3)
