"""Several workers on one socket: they are one service, and it outlives each of them."""

import collections
import concurrent.futures
import contextlib
import os
import shutil
import signal
import socket
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


ONE_CONNECTION_EACH = httpx.Limits(max_keepalive_connections=0)  # so that any worker may answer
CLIENT = httpx.Client(limits=ONE_CONNECTION_EACH, trust_env=False, timeout=120, verify=False)


def ask(port, path="/v2/health/ready"):
    """The answer over a connection of its own."""
    return CLIENT.get(f"http://127.0.0.1:{port}{path}")


def until(condition, seconds=240):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)


def is_ready(port):
    with contextlib.suppress(httpx.HTTPError):
        return ask(port).status_code == 200
    return False


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three versions of one model; the newest answers."""
    folder = tmp_path_factory.mktemp("supervised")
    for version in (1, 2, 3):
        write_version(folder, version=version)
    return folder


@pytest.fixture(scope="module")
def running(folder):
    """The supervisor's process and the port: one for all tests, which leave it with two workers."""
    command = [sys.executable, "-m", "tests.service.processes.fake_service", str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield process, int(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate(timeout=120)


@pytest.fixture
def service(running):
    """The same, once both workers are ready."""
    process, port = running
    until(lambda: is_ready(port) and len(workers_of(process.pid)) == 2)
    return process, port


def counted(port):
    lines = ask(port, "/metrics").text.splitlines()
    start = 'vitrine_requests_total{method="GET",route="/v1/models",status="200"} '
    return sum(float(line.removeprefix(start)) for line in lines if line.startswith(start))


def connections_of(pid, port):
    """How many established connections to the port a process holds."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    of_port = {line[9] for line in lines if line[3] == "01" and line[1].endswith(f":{port:04X}")}
    held = 0
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            held += descriptor.readlink().name.removeprefix("socket:[").rstrip("]") in of_port
    return held


def test_a_burst_of_connections_is_shared(service):
    process, port = service

    def held():
        return [connections_of(pid, port) for pid in workers_of(process.pid)]

    def is_shared():
        until(lambda: sum(held()) == 0)
        with contextlib.ExitStack() as stack:
            for _ in range(40):
                stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            until(lambda: sum(held()) == 40)
            return min(held()) >= 15

    until(
        is_shared
    )  # on a busy machine one may not be scheduled for as long as the other waits for it


def test_metrics_are_those_of_all_workers(service):
    _, port = service
    before = counted(port)
    for _ in range(30):
        ask(port, "/v1/models")

    assert counted(port) - before == 30


SERVING = "/v1/models/digits/serving"
LOADS = 'vitrine_model_loads_total{model="digits",result="ok"}'
ADMIN = {"authorization": "Bearer sesame"}
LIT = {"instances": [[[[0]] * 28] * 27 + [[[0]] * 27 + [[255]]]]}


def version_of(port):
    """The version that answers on a connection of its own, from the header and from the numbers."""
    url = f"http://127.0.0.1:{port}/v1/models/digits:predict"
    answer = CLIENT.post(url, json=LIT)
    [row] = answer.json()["predictions"]
    assert answer.headers["x-model"] == f"digits/{row['outlier_score']:.0f}"
    return int(row["outlier_score"])


def configure(port, config):
    url = f"http://127.0.0.1:{port}{SERVING}"
    answer = CLIENT.put(url, json=config, headers=ADMIN)
    assert answer.status_code == 200, answer.text


def test_after_a_change_no_connection_sees_another_version(service):
    _, port = service
    for config, expected in [
        ({"versions": [3]}, 3),
        ({"versions": [1]}, 1),  # a rollback
        ({"versions": [2], "labels": {"stable": 1}}, 2),
        ({}, 3),
    ]:
        configure(port, config)
        assert {version_of(port) for _ in range(16)} == {expected}
    stable = [ask(port, "/v1/models/digits/labels/stable").status_code for _ in range(8)]
    assert set(stable) == {404}


def test_until_all_workers_have_loaded_a_version_none_answers_with_it(service, folder):
    _, port = service
    configure(port, {"versions": [1]})
    loads = value_of(ask(port, "/metrics").text, LOADS)
    (folder / "wait").touch()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        change = pool.submit(configure, port, {"versions": [2]})
        until(lambda: (folder / "waiting").exists())  # one worker is slow
        until(lambda: value_of(ask(port, "/metrics").text, LOADS) == loads + 1)  # and one is done

        during = {version_of(port) for _ in range(16)}
        (folder / "waiting").unlink()
        change.result(120)

    assert during == {1}
    assert {version_of(port) for _ in range(16)} == {2}


def test_what_one_worker_cannot_load_changes_nothing_in_any(service, folder):
    _, port = service
    configure(port, {"versions": [1]})
    (folder / "fail").touch()

    url = f"http://127.0.0.1:{port}{SERVING}"
    refused = httpx.put(url, json={"versions": [2]}, headers=ADMIN, trust_env=False, timeout=120)

    assert refused.status_code == 422
    assert "got 2: the model cannot be loaded" in refused.json()["error"]
    assert {version_of(port) for _ in range(16)} == {1}
    assert ask(port, SERVING).json()["versions"] == [1]


def test_load_reads_the_files_anew_in_every_worker(service):
    _, port = service
    loads = value_of(ask(port, "/metrics").text, LOADS)
    url = f"http://127.0.0.1:{port}/v2/repository/models/digits/load"

    assert httpx.post(url, headers=ADMIN, trust_env=False, timeout=120).status_code == 200

    assert value_of(ask(port, "/metrics").text, LOADS) == loads + 2


def test_unload_holds_in_every_worker_until_load(service):
    _, port = service
    url = f"http://127.0.0.1:{port}/v2/repository/models/digits"
    for action, status in [("unload", 404), ("load", 200)]:
        answer = CLIENT.post(f"{url}/{action}", headers=ADMIN)
        assert answer.status_code == 200
        found = {ask(port, "/v2/models/digits/ready").status_code for _ in range(16)}
        assert found == {status}


def test_every_metric_is_what_the_clients_counted_over_all_workers(service):
    """Answers by status, refusals by code, rows and queue waits: none is lost, none is counted twice."""
    _, port = service
    url = f"http://127.0.0.1:{port}"
    counts = collections.Counter()
    before = ask(port, "/metrics").text
    for number in range(60):
        rows = number % 3
        body = {"instances": LIT["instances"] * rows} if rows else {"instances": []}
        path = "/v1/models/digits:predict" if number % 5 else "/v1/models/nobody:predict"
        answer = CLIENT.post(f"{url}{path}", json=body)
        counts[answer.status_code] += 1
        counts[answer.json().get("code", "rows")] += rows if answer.status_code == 200 else 1
    answer = CLIENT.post(f"{url}/v1/digits/classify", content=b"x")
    counts[answer.json()["code"]] += 1

    metrics = ask(port, "/metrics").text

    def growth(series):
        return value_of(metrics, series) - value_of(before, series)

    for status in (200, 400, 404):
        labels = f'method="POST",route="/v1/models/{{model}}:predict",status="{status}"'
        assert growth(f"vitrine_requests_total{{{labels}}}") == counts[status]
    for code in ("invalid_input", "model_not_found", "unsupported_image"):
        assert growth(f'vitrine_errors_total{{code="{code}"}}') == counts[code]
    assert growth('vitrine_batch_rows_sum{model="digits"}') == counts["rows"]
    assert growth('vitrine_queue_seconds_count{model="digits"}') == counts[200]
    assert value_of(metrics, 'vitrine_model_loads_total{model="digits",result="ok"}') >= 2
    assert "nobody" not in metrics


def value_of(metrics, series):
    """The value of a series; 0 before it is first counted."""
    return sum(
        float(line.removeprefix(series))
        for line in metrics.splitlines()
        if line.startswith(f"{series} ")
    )


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool (Debian: prometheus) is missing")
def test_promtool_has_nothing_to_say_about_the_metrics(service):
    _, port = service
    version_of(port)
    metrics = ask(port, "/metrics").text

    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=metrics, capture_output=True, text=True, check=False
    )

    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_a_killed_worker_is_replaced_and_what_it_counted_is_kept(service):
    process, port = service
    for _ in range(10):
        ask(port, "/v1/models")
    count = counted(port)
    before = workers_of(process.pid)
    os.kill(min(before), signal.SIGKILL)

    until(lambda: len(workers_of(process.pid) - {min(before)}) == 2)
    until(lambda: is_ready(port))
    assert counted(port) == count >= 10


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


def test_statistics_are_those_of_all_workers(service):
    _, port = service
    paths = ("/v2/models/stats", "/v2/models/digits/stats")
    before = [totals(ask(port, path)) for path in paths]
    for _ in range(30):
        url = f"http://127.0.0.1:{port}/v1/models/digits:predict"
        assert CLIENT.post(url, json=LIT).status_code == 200

    for path, (inferences, successes, executions, batches) in zip(paths, before, strict=True):
        after = totals(ask(port, path))
        assert (after[0] - inferences, after[1] - successes) == (30, 30)
        assert after[2] - executions == after[3] - batches


def totals(answer):
    """The inferences, the successful ones, the executions, and those of each batch size, together."""
    statistics = answer.json()["model_stats"]
    return [
        sum(one["inference_count"] for one in statistics),
        sum(one["inference_stats"]["success"]["count"] for one in statistics),
        sum(one["execution_count"] for one in statistics),
        sum(batch["compute_infer"]["count"] for one in statistics for batch in one["batch_stats"]),
    ]


def test_sigterm_ends_all_and_the_status_is_0(service):
    """The last one: it ends the service of all."""
    process, _ = service
    workers = workers_of(process.pid)
    process.terminate()

    assert process.wait(timeout=120) == 0
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
