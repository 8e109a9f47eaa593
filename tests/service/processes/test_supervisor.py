"""Several workers on one socket: they are one service, and it outlives each of them."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.fakes import write_version

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks, and looks into /proc")
ROOT = Path(__file__).parents[3]


def workers_of(pid):
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(child) for child in children}


def ask(port, path="/v2/health/ready"):
    """The answer over a connection of its own."""
    return httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False, timeout=20)


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)


def is_ready(port):
    with contextlib.suppress(httpx.HTTPError):
        return ask(port).status_code == 200
    return False


@pytest.fixture
def service(tmp_path):
    """The supervisor's process and the port, once both workers are ready."""
    write_version(tmp_path)
    command = [sys.executable, "-m", "tests.service.processes.fake_service", str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        port = int(process.stdout.readline())
        until(lambda: is_ready(port) and len(workers_of(process.pid)) == 2)
        yield process, port
    finally:
        process.terminate()
        process.communicate(timeout=40)


def counted(port):
    lines = ask(port, "/metrics").text.splitlines()
    start = 'vitrine_requests_total{method="GET",route="/v1/models",status="200"} '
    return sum(float(line.removeprefix(start)) for line in lines if line.startswith(start))


def test_metrics_are_those_of_all_workers(service):
    _, port = service
    for _ in range(30):
        ask(port, "/v1/models")

    assert counted(port) == 30


def test_a_killed_worker_is_replaced_and_what_it_counted_is_kept(service):
    process, port = service
    for _ in range(10):
        ask(port, "/v1/models")
    assert counted(port) == 10
    before = workers_of(process.pid)
    os.kill(min(before), signal.SIGKILL)

    until(lambda: len(workers_of(process.pid) - {min(before)}) == 2)
    until(lambda: is_ready(port))
    assert counted(port) == 10


def test_a_worker_that_stands_still_is_killed_and_replaced(service):
    process, port = service
    stopped = min(workers_of(process.pid))
    os.kill(stopped, signal.SIGSTOP)

    until(lambda: stopped not in workers_of(process.pid))
    until(lambda: is_ready(port) and len(workers_of(process.pid)) == 2)


def test_sighup_replaces_all_workers_and_loses_no_request(service):
    process, port = service
    before = workers_of(process.pid)
    process.send_signal(signal.SIGHUP)
    statuses = []

    def is_replaced():
        statuses.append(ask(port, "/v1/models").status_code)
        now = workers_of(process.pid)
        return len(now) == 2 and not now & before

    until(is_replaced)
    assert set(statuses) == {200}


def test_sigterm_ends_all_and_the_status_is_0(service):
    process, _ = service
    workers = workers_of(process.pid)
    process.terminate()

    assert process.wait(timeout=40) == 0
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
