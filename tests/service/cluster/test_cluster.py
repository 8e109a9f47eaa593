"""The service on a Ray cluster of several nodes, all on this machine: the same answers, and what is lost when parts die."""

import concurrent.futures
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.running import running_service

pytest.importorskip("ray")
from ray.cluster_utils import Cluster

ROOT = Path(__file__).parents[3]
SEVEN = (ROOT / "docs" / "seven.png").read_bytes()
MODELS = ("digits", "labels", "text-course", "vae")
pytestmark = [pytest.mark.tensorflow, pytest.mark.nightly, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def few_models(models, tmp_path_factory):
    """The folder of a few models; every replica reads it."""
    folder = tmp_path_factory.mktemp("few")
    for name in MODELS:
        (folder / name).symlink_to(models / name)
    return folder


@pytest.fixture(scope="module")
def nodes():
    """A head and two workers; the head takes the fronts' HTTP."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
    workers = [cluster.add_node(num_cpus=2) for _ in range(2)]
    cluster.wait_for_nodes()
    yield cluster, workers
    cluster.shutdown()


@pytest.fixture(scope="module")
def clustered(nodes, few_models):
    """A client of the service on the cluster, ready."""
    cluster, _ = nodes
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "RAY_ADDRESS": cluster.address,
        "PYTHONPATH": str(ROOT),
        "VITRINE_PORT": str(port),
        "VITRINE_MODELS": str(few_models),
        "VITRINE_CLUSTER_PROXIES": "head",
        "VITRINE_CLUSTER_FRONTS": "1",
        "VITRINE_CLUSTER_CPUS_PER_FRONT": "0.5",
        "VITRINE_CLUSTER_CPUS_PER_REPLICA": "0.5",
        "VITRINE_CLUSTER_MIN_REPLICAS": "2",
    }
    process = subprocess.Popen([sys.executable, "-m", "service.cluster"], cwd=ROOT, env=environment)
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60
        ) as client:
            wait_until_ready(client, process)
            yield client
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def wait_until_ready(client, process=None):
    for _ in range(600):
        assert process is None or process.poll() is None
        with contextlib.suppress(httpx.TransportError):
            if client.get("/v2/health/ready").status_code == 200:
                return
        time.sleep(0.5)
    raise AssertionError("the cluster did not become ready in five minutes")


def replicas(model):
    """The process ids of a model's replicas."""
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if (
                folder.name.isdigit()
                and f"ServeReplica:{model}-" in (folder / "cmdline").read_text()
            ):
                found.append(int(folder.name))
    return found


class Load:
    """Asks in a loop from several threads; `answers` are statuses, or the name of what failed."""

    def __init__(self, client, threads=4):
        self.answers = []
        self._stop = threading.Event()
        self._client = client
        self._threads = [threading.Thread(target=self._ask) for _ in range(threads)]

    def _ask(self):
        while not self._stop.is_set():
            try:
                response = self._client.post("/v1/digits/classify", content=SEVEN)
                self.answers.append(response.status_code)
            except httpx.TransportError as error:
                self.answers.append(type(error).__name__)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()


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


def test_a_replica_that_is_killed_loses_no_request_and_comes_back(clustered):
    before = replicas("digits")
    assert len(before) >= 2
    with Load(clustered) as load:
        time.sleep(1)
        os.kill(before[0], signal.SIGKILL)
        for _ in range(120):
            if len(set(replicas("digits")) - {before[0]}) >= len(before):
                break
            time.sleep(0.5)
        time.sleep(1)

    assert len(set(replicas("digits")) - {before[0]}) >= len(before)
    assert set(load.answers) == {200}


def test_a_node_that_is_killed_loses_at_most_what_was_in_flight_there(clustered, nodes):
    cluster, workers = nodes
    with Load(clustered) as load:
        time.sleep(1)
        cluster.remove_node(workers[0], allow_graceful=False)
        time.sleep(10)
        before = len(load.answers)
        time.sleep(3)

    failed = [answer for answer in load.answers if answer != 200]
    assert len(load.answers) > before  # it goes on
    assert len(failed) <= 4, failed  # what four clients had in flight
    assert set(load.answers[-20:]) == {200}


def test_requests_together_reach_more_than_one_replica(clustered):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: clustered.post("/v1/images/label", content=SEVEN), range(32))
        )

    assert {answer.status_code for answer in answers} == {200}
