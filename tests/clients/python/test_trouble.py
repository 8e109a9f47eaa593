"""What goes wrong between the client and a real service, or on the way: by both clients."""

import asyncio
import contextlib
import re
import socket
import threading
import time

import httpx
import numpy as np
import pytest

from service import errors as of_service
from tests.clients.python.serving import serving, until_ready
from tests.fakes import write_version
from vitrine_client import (
    AsyncVitrine,
    BodyTooLarge,
    DeadlineExceeded,
    InvalidSetting,
    NotReady,
    Overloaded,
    Retries,
    TimedOut,
    Timeout,
    Unauthorized,
    Unreachable,
    Vitrine,
    errors,
)

PIXELS = np.full((28, 28), 51, np.uint8)
ANSWER = b'{"model": {"name": "digits", "version": 1}, "predictions": []}'
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT = b'data: {"index": 0, "text": "abc"}\n\n'


def codes(module, base):
    kinds = [value for value in vars(module).values() if isinstance(value, type)]
    return {
        kind.__name__: getattr(kind, "code", getattr(kind, "default_code", None))
        for kind in kinds
        if issubclass(kind, base) and kind is not base
    }


def test_every_error_of_the_service_has_its_mirror():
    mirrored = codes(of_service, of_service.VitrineError)
    del mirrored["QueueRefusal"]  # to clients an Overloaded

    assert mirrored == codes(errors, errors.ServiceError)


@contextlib.contextmanager
def answering(*replies):
    """A server that sends the next of these bytes on each connection, and hangs up; gives its address."""
    with replying(*replies) as (url, _):
        yield url


def read_request(connection):
    """Read a request to its end: who hangs up before resets the connection."""
    received = b""
    while piece := connection.recv(2**16):
        received += piece
        head, ended, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head.lower())
        if ended and len(body) >= (int(length[1]) if length else 0):
            return


@contextlib.contextmanager
def replying(*replies):
    """The same; gives also a semaphore that counts the connections that it has hung up."""
    hung_up = threading.Semaphore(0)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            for reply in replies:
                connection, _ = listener.accept()
                with connection:
                    read_request(connection)
                    connection.sendall(reply)
                hung_up.release()

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", hung_up
        thread.join()


@pytest.fixture(params=["plain", "asynchronous"])
def ask_at(request):
    """Ask the service at an address: `ask_at(url, lambda vitrine: …)`; a stream is read to its end.

    noting: a list of the seconds to wait before another attempt, which are not waited then.
    """

    async def awaited(url, what, noting=None, **options):
        async def note(seconds):
            noting.append(seconds)

        options |= {"sleep": note} if noting is not None else {}
        async with AsyncVitrine(url, **options) as vitrine:
            asked = what(vitrine)
            return [each async for each in asked] if hasattr(asked, "__aiter__") else await asked

    def waited(url, what, noting=None, **options):
        options |= {"sleep": noting.append} if noting is not None else {}
        with Vitrine(url, **options) as vitrine:
            asked = what(vitrine)
            return list(asked) if hasattr(asked, "__next__") else asked

    if request.param == "plain":
        return waited
    return lambda url, what, **options: asyncio.run(awaited(url, what, **options))


def classify(vitrine):
    return vitrine.digits.classify(b"image")


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + ANSWER,
        b"220 smtp.test ready\r\n",
    ],
    ids=["nothing", "half a head", "half a body", "no HTTP"],
)
def test_a_server_that_hangs_up_is_unreachable(ask_at, reply):
    with answering(reply) as url, pytest.raises(Unreachable, match=r"broke|ended early"):
        ask_at(url, classify)


@pytest.mark.parametrize(
    "reply",
    [
        EVENTS + b"%x\r\n%s\r\n" % (len(EVENT), EVENT),
        EVENTS + b"%x\r\n%s\r\n0\r\n\r\n" % (len(EVENT), EVENT),
        EVENTS + b"ff\r\n" + EVENT,
    ],
    ids=["between chunks", "after the last chunk", "within a chunk"],
)
def test_a_stream_that_ends_too_early_is_told_from_one_that_is_done(ask_at, reply):
    with answering(reply) as url, pytest.raises(Unreachable, match=r"broke|ended early"):
        ask_at(url, lambda vitrine: vitrine.text.stream("To be"))


def test_a_connection_that_was_closed_meanwhile_is_opened_anew():
    body = b'{"live": true, "ready": true}'
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with replying(reply, reply) as (url, hung_up), Vitrine(url) as vitrine:
        assert vitrine.health.live().live
        assert hung_up.acquire(timeout=120)  # and it has said so to nobody
        assert vitrine.health.live().live


def test_a_silent_server_is_not_waited_for_for_ever(ask_at):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(TimedOut, match="in time"):
            ask_at(url, classify, timeout=Timeout(answer=0.1))


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [(429, "overloaded", Overloaded), (503, "not_ready", NotReady)],
)
def test_the_wait_that_the_service_asks_for_is_kept_on_a_real_connection(
    ask_at, status, code, expected
):
    body = b'{"error": "later", "code": "%s", "request_id": "r"}' % code.encode()
    head = f"HTTP/1.1 {status} Busy\r\nRetry-After: 0.2\r\nContent-Length: {len(body)}\r\n"
    head += "Connection: close\r\n\r\n"  # it is not waited here, so that it might be used again
    busy = head.encode() + body

    waits = []
    with answering(busy, busy) as url, pytest.raises(expected, match="later") as caught:
        ask_at(url, classify, retries=Retries(attempts=2), noting=waits)
    assert waits == [0.2]
    assert (caught.value.status, caught.value.request_id) == (status, "r")


def test_health_is_told_and_not_waited_for(ask_at):
    body = b'{"error": "Not ready: digits.", "code": "not_ready", "live": true, "ready": false}'
    reply = b"HTTP/1.1 503 No\r\nRetry-After: 1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with answering(reply) as url:
        health = ask_at(url, lambda vitrine: vitrine.health.ready())

    assert (health.live, health.ready, health.error) == (True, False, "Not ready: digits.")


def test_a_gateway_before_a_stopped_service_says_nothing_of_health(ask_at):
    body = b'{"error": "no upstream"}'
    reply = b"HTTP/1.1 503 No\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with answering(reply) as url, pytest.raises(errors.ServiceError, match="no upstream"):
        ask_at(url, lambda vitrine: vitrine.health.ready())


def test_a_key_opens_what_is_closed_without_one(ask_at, tmp_path):
    write_version(tmp_path)
    with serving(tmp_path, api_keys=("good",), max_body_bytes=1024) as running:
        until_ready(running)
        for key in (None, "bad"):
            with pytest.raises(Unauthorized):
                ask_at(running.url, lambda v: v.models.list(), key=key)
        assert ask_at(running.url, lambda v: v.models.list(), key="good").models == ("digits",)
        with pytest.raises(BodyTooLarge, match="1024"):
            ask_at(running.url, lambda v: v.digits.classify(b"x" * 1025), key="good")


@pytest.fixture
def project_within(ask_at, served, slow_gan, monkeypatch):
    """Ask for a projection of 20 s; gives the status of the deadline's error, 0 in mid-stream."""
    monkeypatch.setattr("service.scheduling.job_queue.JobQueue.check", lambda *_: None)
    slow_gan.seconds_each_run = 0.1

    def status(seconds, ask_for):
        timeout = Timeout(deadline=seconds)
        with pytest.raises(DeadlineExceeded) as caught:
            ask_at(
                served.url,
                lambda v: getattr(v.gan, ask_for)(PIXELS, normalize="off", steps=1000),
                timeout=timeout,
            )
        return caught.value.status

    return status


def test_the_service_keeps_the_deadline_it_is_given(project_within):
    assert project_within(0.3, "project") == 504


def test_a_stream_ends_at_the_deadline_it_is_given(project_within):
    tried = (project_within(seconds, "stream_projection") for seconds in (0.4, 4, 12))
    assert 0 in tried  # on a busy machine the first ones may end before their stream begins


def stream(vitrine, steps):
    return vitrine.gan.stream_projection(PIXELS, normalize="off", steps=steps)


@pytest.fixture
def slow_gan(served):
    """The engine of the projection, slow enough to be left in the middle."""
    engine = served.engines["gan"]
    engine.runs.clear()
    engine.seconds_each_run = 0.02
    yield engine
    engine.seconds_each_run = 0.0


def test_a_projection_that_is_left_stops(served, slow_gan):
    with Vitrine(served.url) as vitrine:
        for event in stream(vitrine, steps=1000):
            assert event.step == 0
            break
        assert_stopped(slow_gan)
        assert vitrine.health.live().live  # the client goes on


@pytest.mark.parametrize("way", [contextlib.aclosing, contextlib.nullcontext])
def test_a_projection_that_is_left_stops_when_it_was_awaited(served, slow_gan, way):
    async def leave():
        async with AsyncVitrine(served.url) as vitrine:
            async with way(stream(vitrine, steps=1000)) as events:
                async for event in events:
                    assert event.step == 0
                    break
            del events
            await asyncio.to_thread(assert_stopped, slow_gan)

    asyncio.run(leave())


def test_a_projection_whose_task_is_cancelled_stops(served, slow_gan):
    async def leave():
        async with AsyncVitrine(served.url) as vitrine:

            async def read():
                async for _ in stream(vitrine, steps=1000):
                    pass

            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(read(), 0.2)
            await asyncio.to_thread(assert_stopped, slow_gan)

    asyncio.run(leave())


def assert_stopped(engine):
    """No run comes any more, long before the two hundred of a whole projection."""
    before, runs = -1, len(engine.runs)
    while runs != before:
        time.sleep(0.3)
        before, runs = runs, len(engine.runs)
    assert runs < 150


def test_one_plain_client_serves_many_threads(served):
    found = []
    with Vitrine(served.url) as vitrine:

        def work(lit):
            pixels = np.zeros(784, np.uint8)
            pixels[:lit] = 255
            for _ in range(10):
                answer = vitrine.digits.classify(pixels.reshape(28, 28))
                found.append(answer.predictions[0].digit == lit)

        threads = [threading.Thread(target=work, args=(lit,)) for lit in range(1, 9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert found == [True] * 80


@pytest.mark.parametrize(
    "wrong",
    [{"connect": 0}, {"answer": -1}, {"deadline": float("nan")}, {"deadline": 3601}],
    ids=str,
)
def test_a_timeout_is_a_number_of_seconds(wrong):
    with pytest.raises(InvalidSetting, match="seconds"):
        Timeout(**wrong)


def test_the_client_waits_longer_than_the_deadline_it_gives():
    timeout = Timeout(deadline=120)

    assert timeout.headers == {"X-Timeout-Ms": "120000"}
    assert timeout.of_connection == httpx.Timeout(125, connect=5)
    assert Timeout().headers == {}
