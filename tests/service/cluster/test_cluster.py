"""The service on a Ray cluster of several nodes, all on this machine: the same answers, and what is lost when parts die."""

import concurrent.futures
import json
import os
import shutil
import signal
import time

import httpx
import pytest

from tests.running import running_service
from tests.service.cluster.running import (
    SEVEN,
    Load,
    copy_models,
    processes_of,
    proxy_settings,
    replicas,
    running_cluster,
)

pytest.importorskip("ray")
MODELS = ("digits", "labels", "text-course", "vae")
QUEUE_SIZE = 16
pytestmark = [pytest.mark.tensorflow, pytest.mark.nightly, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def few_models(models, tmp_path_factory):
    """The folder of a few models; every replica reads it."""
    folder = tmp_path_factory.mktemp("few")
    copy_models(models, folder, MODELS)
    return folder


@pytest.fixture(scope="module")
def nodes():
    """A head and two workers; the head takes the fronts' HTTP."""
    from ray.cluster_utils import Cluster

    environment = pytest.MonkeyPatch()
    for name, value in proxy_settings().items():
        environment.setenv(name, value)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
    workers = [cluster.add_node(num_cpus=2) for _ in range(2)]
    cluster.wait_for_nodes()
    yield cluster, workers
    cluster.shutdown()
    environment.undo()


@pytest.fixture(scope="module")
def clustered(nodes, few_models):
    """A client of the service on the cluster, ready."""
    cluster, _ = nodes
    settings = {
        "RAY_ADDRESS": cluster.address,
        "VITRINE_CLUSTER_MIN_REPLICAS": "2",
        "VITRINE_QUEUE_SIZE": str(QUEUE_SIZE),
    }
    with (
        running_cluster(few_models, **settings) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=60) as client,
    ):
        yield client


REQUESTS = [
    ("/v1/digits/classify", {"content": SEVEN}),
    ("/v1/images/label?top=3", {"content": SEVEN}),
    (
        "/v1/text/generate?model=text-course",
        {"json": {"seed": "\n", "length": 80, "random_seed": 7}},
    ),
    ("/v1/text/score?model=text-course", {"json": {"text": "the ", "unknown": "replace"}}),
    ("/v1/vae/sample", {"json": {"n": 4, "random_seed": 7}}),
    ("/v1/vae/reconstruct", {"content": SEVEN}),
    ("/v1/digits/classify?model=nothing", {"content": SEVEN}),
    ("/v1/digits/classify", {"content": b"no image"}),
    ("/v1/vae/sample", {"json": {"n": 0}}),
]


def test_every_answer_is_the_one_of_a_single_service(clustered, few_models):
    with running_service(few_models) as (_, port):
        single = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60)
        for path, body in REQUESTS:
            ours, theirs = clustered.post(path, **body), single.post(path, **body)
            mine, expected = ours.json(), theirs.json()
            mine.pop("request_id", None)
            expected.pop("request_id", None)
            assert (ours.status_code, mine) == (theirs.status_code, expected), path
        single.close()


def test_a_stream_ends_as_it_should(clustered):
    with clustered.stream(
        "POST",
        "/v1/text/generate?model=text-course",
        json={"seed": "\n", "length": 40, "stream": True},
    ) as response:
        lines = [line for line in response.iter_lines() if line]

    assert response.status_code == 200
    assert lines[-1] == "data: [DONE]"


def test_more_than_the_queue_holds_is_refused_with_the_time_to_wait(clustered):
    with concurrent.futures.ThreadPoolExecutor(4 * QUEUE_SIZE) as pool:
        answers = list(
            pool.map(
                lambda _: clustered.post("/v1/images/label", content=SEVEN),
                range(8 * QUEUE_SIZE),
            )
        )
    refused = [answer for answer in answers if answer.status_code == 429]

    assert {answer.status_code for answer in answers} == {200, 429}
    assert {answer.json()["code"] for answer in refused} == {"overloaded"}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)


def test_a_deadline_is_kept(clustered):
    answer = clustered.post(
        "/v1/text/generate?model=text-course",
        json={"seed": "\n", "length": 10_000},
        headers={"X-Timeout-Ms": "20"},
    )

    assert answer.status_code in (429, 504)


def test_a_replica_that_is_killed_loses_no_request_and_comes_back(clustered):
    before = replicas("digits")
    assert len(before) >= 2
    victim = min(before)
    with Load(clustered) as load:
        time.sleep(1)
        os.kill(victim, signal.SIGKILL)
        seconds = wait_for_replicas("digits", len(before), {victim})
        time.sleep(1)

    print(f"a replica was replaced after {seconds:.1f} s; {len(load.answers)} requests, 0 failed")
    assert set(load.answers) == {200}


def wait_for_replicas(model, number, besides):
    """Seconds until this number of replicas runs, without killed ones, which may not have ended yet."""
    started = time.monotonic()
    for _ in range(600):
        if len(replicas(model) - besides) >= number:
            return time.monotonic() - started
        time.sleep(0.2)
    raise AssertionError(f"{number} replicas of {model} did not come back")


def test_a_new_version_is_rolled_out_under_load_without_a_failed_request(clustered, few_models):
    with Load(clustered) as load:
        time.sleep(1)
        add_version(few_models / "digits", 2)
        for _ in range(300):
            if "digits/2" in load.models:
                break
            time.sleep(0.5)
        time.sleep(40)  # until the replicas of version 1 have ended
        load.models.clear()
        time.sleep(1)

    print(f"{len(load.answers)} requests beside a rollout, 0 failed")
    assert load.models == {"digits/2"}
    assert set(load.answers) == {200}


def add_version(model, number):
    """Export version 1 again under another number, in one step."""
    new = model / ".new"
    shutil.copytree(model / "1", new)
    manifest = new / "assets.extra" / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "version": number}))
    new.rename(model / str(number))


def test_serving_json_decides_what_the_replicas_serve(clustered, few_models):
    (few_models / "digits" / "serving.json").write_text('{"versions": [1]}')
    agreed = 0  # answers in a row, of both fronts, that have switched
    for _ in range(300):
        answer = clustered.post("/v1/digits/classify", content=SEVEN)
        assert answer.status_code == 200
        agreed = agreed + 1 if answer.headers["X-Model"] == "digits/1" else 0
        if agreed == 20:
            break
        time.sleep(0.1 if agreed else 0.5)

    assert agreed == 20
    assert clustered.post("/v1/digits/classify?version=2", content=SEVEN).status_code == 404


def test_a_node_that_is_killed_loses_at_most_what_was_in_flight_there(clustered, nodes):
    cluster, workers = nodes
    before = replicas("digits")
    victim = max(workers, key=lambda node: len(before & processes_of(node)))
    lost = before & processes_of(victim)
    with Load(clustered) as load:
        time.sleep(1)
        started = time.monotonic()
        cluster.remove_node(victim, allow_graceful=False)
        wait_for_replicas("digits", len(before), lost)
        seconds = time.monotonic() - started
        time.sleep(10)
        answered = len(load.answers)
        time.sleep(3)

    failed = [answer for answer in load.answers if answer != 200]
    print(
        f"a node with {len(lost)} of {len(before)} replicas: all there again after {seconds:.1f} s; "
        f"{len(failed)} of {len(load.answers)} lost"
    )
    assert len(load.answers) > answered  # it continues
    assert len(failed) <= 4, failed  # what four clients had in flight
    assert set(load.answers[-20:]) == {200}
