"""`vitrine cluster` in a process of its own, and what its tests look at."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[3]
SEVEN = (ROOT / "docs" / "seven.png").read_bytes()
SETTINGS = {
    "VITRINE_CLUSTER_PROXIES": "head",
    "VITRINE_CLUSTER_FRONTS": "2",
    "VITRINE_CLUSTER_CPUS_PER_FRONT": "0.1",
    "VITRINE_CLUSTER_CPUS_PER_REPLICA": "0.1",
}


def free_port():
    """Below the ports that the system gives to connections, so that none takes it before the server starts."""
    while True:
        port = random.randrange(20_000, 32_000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("", port))
            return port


def proxy_settings():
    """HAProxy, on ports of its own, so that several clusters fit on a machine."""
    ports = ("HAPROXY_METRICS_PORT", "HAPROXY_STATS_PORT", "FALLBACK_PROXY_HTTP_PORT")
    return {
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        **{f"RAY_SERVE_{name}": str(free_port()) for name in ports},
    }


@contextlib.contextmanager
def running_cluster(models, **environment):
    """The base URL of `vitrine cluster`, once it is ready."""
    port = free_port()
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("VITRINE_")}
    variables = {
        "PYTHONPATH": str(ROOT),
        "VITRINE_PORT": str(port),
        "VITRINE_MODELS": str(models),
        **SETTINGS,
        **proxy_settings(),
        **environment,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "service.cluster"], cwd=ROOT, env={**inherited, **variables}
    )
    url = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
            wait_until_ready(client, process)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(90)
        finally:
            process.kill()


def wait_until_ready(client, process):
    for _ in range(1200):
        assert process.poll() is None
        with contextlib.suppress(httpx.TransportError):
            if client.get("/v2/health/ready").status_code == 200:
                return
        time.sleep(0.5)
    raise AssertionError(f"the cluster did not become ready: {client.get('/v2/health/ready').text}")


def copy_models(source, target, names):
    """Copy models by hard links; a link to a folder elsewhere would not be served."""
    for name in names:
        shutil.copytree(source / name, target / name, copy_function=os.link)


def replicas(model):
    """The process ids of a model's replicas."""
    found = set()
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if (
                folder.name.isdigit()
                and f"ServeReplica:{model}-" in (folder / "cmdline").read_text()
            ):
                found.add(int(folder.name))
    return found


def processes_of(node):
    """The process ids of a node's workers: Ray's raylet starts them."""
    raylet = node.all_processes["raylet"][0].process.pid
    children = Path(f"/proc/{raylet}/task").glob("*/children")
    return {int(pid) for task in children for pid in task.read_text().split()}


class Load:
    """Asks in a loop from several threads; `answers` are statuses, or the name of what failed."""

    def __init__(self, client, threads=4):
        self.answers = []
        self.models = set()
        self._stop = threading.Event()
        self._client = client
        self._threads = [threading.Thread(target=self._ask) for _ in range(threads)]

    def _ask(self):
        while not self._stop.is_set():
            try:
                response = self._client.post("/v1/digits/classify", content=SEVEN)
                self.answers.append(response.status_code)
                self.models.add(response.headers.get("X-Model"))
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
