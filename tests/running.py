"""A real service in a process of its own, on a free port."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]


@contextlib.contextmanager
def running_service(models, until="ready", tls=None, **environment):
    """`python -m service` until the block ends; gives the process and its port once it is ready, or live.

    tls: the SSL context that trusts the service's certificate.
    TESTED_MODULE=service.cluster in the environment tests a cluster in its place.
    """
    module = os.environ.get("TESTED_MODULE", "service")
    if module == "service.cluster":
        from tests.service.cluster.running import SETTINGS, proxy_settings

        environment = {**SETTINGS, "VITRINE_CLUSTER_FRONTS": "1", **proxy_settings(), **environment}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    patience = {"VITRINE_TIMEOUT_MS": "600000"}  # a busy machine misses the usual deadline
    variables = {
        "VITRINE_PORT": str(port),
        "VITRINE_MODELS": str(models),
        **patience,
        **environment,
    }
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("VITRINE_")}
    with tempfile.TemporaryFile(
        "w+"
    ) as log:  # a pipe that nobody reads would stop it once it is full
        process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            env={**inherited, **variables},
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        try:
            _wait_until(until, process, port, tls, log)
            yield process, port
        finally:
            process.terminate()
            process.wait(timeout=180)


def wait_for_projection(url, **query):
    """Wait until a GAN of the service projects, for which TensorFlow's process has to start.

    It has a low priority: beside other work that takes minutes.
    """
    image = (ROOT / "docs" / "seven.png").read_bytes()
    with httpx.Client(base_url=url, trust_env=False, timeout=900) as client:
        asked = {"steps": 1, **query}
        while (
            answer := client.post("/v1/gan/project", params=asked, content=image)
        ).status_code == 503:
            assert "cannot" not in answer.text, answer.text
            time.sleep(0.1)


def _wait_until(state, process, port, tls, log):
    scheme = "https" if tls else "http"
    handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls)]
    for _ in range(12_000):
        assert process.poll() is None, log.seek(0) or log.read()
        with contextlib.suppress(OSError):
            url = f"{scheme}://127.0.0.1:{port}/v2/health/{state}"
            with urllib.request.build_opener(*handlers).open(url) as answer:
                assert json.load(answer)[state]
                return
        time.sleep(0.1)
    raise AssertionError(f"the service did not become {state} in twenty minutes")
