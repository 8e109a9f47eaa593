"""Fixtures that more than one folder of tests uses."""

import pytest


@pytest.fixture
def anyio_backend():
    return "asyncio"
