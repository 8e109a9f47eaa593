"""A real service in a process of its own, on a free port."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

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
    variables = {"VITRINE_PORT": str(port), "VITRINE_MODELS": str(models), **environment}
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("VITRINE_")}
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env={**inherited, **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _wait_until(until, process, port, tls)
        yield process, port
    finally:
        process.terminate()
        process.communicate(timeout=180)


def _wait_until(state, process, port, tls):
    scheme = "https" if tls else "http"
    handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls)]
    for _ in range(3600):
        assert process.poll() is None, process.stderr.read()
        with contextlib.suppress(OSError):
            url = f"{scheme}://127.0.0.1:{port}/v2/health/{state}"
            with urllib.request.build_opener(*handlers).open(url) as answer:
                assert json.load(answer)[state]
                return
        time.sleep(0.1)
    raise AssertionError(f"the service did not become {state} in six minutes")
