"""Fixtures that more than one folder of tests uses."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """The folder that `python -m training export` fills."""
    folder = tmp_path_factory.mktemp("exported") / "models"
    command = [sys.executable, "-m", "training", "export", "--models", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder
