"""One running service for all tests of this folder."""

import pytest

from tests.running import running_service


@pytest.fixture(scope="session")
def service(models):
    """Base URL of one service that all tests of this folder may share."""
    with running_service(models) as (_, port):
        yield f"http://127.0.0.1:{port}"
