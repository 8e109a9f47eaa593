"""One running service for all tests of this folder."""

import os
import time

import httpx
import pytest

from tests.running import ROOT, running_service


@pytest.fixture(scope="session")
def service(request):
    """Base URL of one service that all tests of this folder may share; TESTED_URL names another one."""
    if url := os.environ.get("TESTED_URL"):
        yield url
        return
    with running_service(request.getfixturevalue("models")) as (_, port):
        url = f"http://127.0.0.1:{port}"
        image = (ROOT / "docs" / "seven.png").read_bytes()
        with httpx.Client(base_url=url, trust_env=False, timeout=900) as client:
            while (
                answer := client.post("/v1/gan/project?steps=1", content=image)
            ).status_code == 503:
                assert "cannot" not in answer.text, answer.text
                time.sleep(0.1)  # TensorFlow's process is starting
        yield url
