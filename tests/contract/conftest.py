"""One running service for all tests of this folder."""

import os

import pytest

from tests.running import running_service, wait_for_projection


@pytest.fixture(scope="session")
def service(request):
    """Base URL of one service that all tests of this folder may share; TESTED_URL names another one."""
    if url := os.environ.get("TESTED_URL"):
        yield url
        return
    with running_service(request.getfixturevalue("models")) as (_, port):
        url = f"http://127.0.0.1:{port}"
        wait_for_projection(url)
        yield url
