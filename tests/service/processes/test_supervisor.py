"""Several workers on one socket: they are one service, and it outlives each of them."""

import collections
import contextlib
import os
import shutil
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


SERVING = "/v1/models/digits/serving"
ADMIN = {"authorization": "Bearer sesame"}
LIT = {"instances": [[[[0]] * 28] * 27 + [[[0]] * 27 + [[255]]]]}


def version_of(port):
    """The version that answers on a connection of its own, from the header and from the numbers."""
    url = f"http://127.0.0.1:{port}/v1/models/digits:predict"
    answer = httpx.post(url, json=LIT, trust_env=False, timeout=20)
    [row] = answer.json()["predictions"]
    assert answer.headers["x-model"] == f"digits/{row['outlier_score']:.0f}"
    return int(row["outlier_score"])


def configure(port, config):
    url = f"http://127.0.0.1:{port}{SERVING}"
    answer = httpx.put(url, json=config, headers=ADMIN, trust_env=False, timeout=60)
    assert answer.status_code == 200, answer.text


def test_after_a_change_no_connection_sees_another_version(service, tmp_path):
    _, port = service
    for version in (2, 3):
        write_version(tmp_path, version=version)
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


def test_unload_holds_in_every_worker_until_load(service):
    _, port = service
    url = f"http://127.0.0.1:{port}/v2/repository/models/digits"
    for action, status in [("unload", 404), ("load", 200)]:
        answer = httpx.post(f"{url}/{action}", headers=ADMIN, trust_env=False, timeout=60)
        assert answer.status_code == 200
        found = {ask(port, "/v2/models/digits/ready").status_code for _ in range(16)}
        assert found == {status}


def test_every_metric_is_what_the_clients_counted_over_all_workers(service):
    """Answers by status, refusals by code, rows and queue waits: none is lost, none is counted twice."""
    _, port = service
    url = f"http://127.0.0.1:{port}"
    counts = collections.Counter()
    for number in range(60):
        rows = number % 3
        body = {"instances": LIT["instances"] * rows} if rows else {"instances": []}
        path = "/v1/models/digits:predict" if number % 5 else "/v1/models/nobody:predict"
        answer = httpx.post(f"{url}{path}", json=body, trust_env=False, timeout=20)
        counts[answer.status_code] += 1
        counts[answer.json().get("code", "rows")] += rows if answer.status_code == 200 else 1
    answer = httpx.post(f"{url}/v1/digits/classify", content=b"x", trust_env=False)
    counts[answer.json()["code"]] += 1

    metrics = ask(port, "/metrics").text
    for status in (200, 400, 404):
        labels = f'method="POST",route="/v1/models/{{model}}:predict",status="{status}"'
        assert value_of(metrics, f"vitrine_requests_total{{{labels}}}") == counts[status]
    for code in ("invalid_input", "model_not_found", "unsupported_image"):
        assert value_of(metrics, f'vitrine_errors_total{{code="{code}"}}') == counts[code]
    assert value_of(metrics, 'vitrine_batch_rows_sum{model="digits"}') == counts["rows"]
    assert value_of(metrics, 'vitrine_queue_seconds_count{model="digits"}') == counts[200]
    assert value_of(metrics, 'vitrine_model_loads_total{model="digits",result="ok"}') == 2
    assert "nobody" not in metrics


def value_of(metrics, series):
    [line] = [line for line in metrics.splitlines() if line.startswith(f"{series} ")]
    return float(line.removeprefix(series))


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


def test_statistics_are_those_of_all_workers(service):
    _, port = service
    for _ in range(30):
        url = f"http://127.0.0.1:{port}/v1/models/digits:predict"
        assert httpx.post(url, json=LIT, trust_env=False, timeout=20).status_code == 200

    for path in ("/v2/models/stats", "/v2/models/digits/stats"):
        (stats,) = ask(port, path).json()["model_stats"]
        assert stats["inference_count"] == stats["inference_stats"]["success"]["count"] == 30
        assert stats["execution_count"] == sum(
            batch["compute_infer"]["count"] for batch in stats["batch_stats"]
        )
