"""Fixtures that more than one folder of tests uses, and how a parallel run shares them out.

In a parallel run (`-n 2 --dist loadgroup`) the tests of one file stay on one worker, since they share
fixtures; so do all tests of the exported models, which are made once. Long files start first.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXPORTED = "models"  # the fixture below
NEEDS_TENSORFLOW = "pytestmark = pytest.mark.tensorflow"


def pytest_ignore_collect(collection_path, config):
    """Do not import TensorFlow for a file whose every test is deselected by `not tensorflow`."""
    if "not tensorflow" not in config.option.markexpr or collection_path.suffix != ".py":
        return None
    return NEEDS_TENSORFLOW in collection_path.read_text(encoding="utf-8") or None


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(config, items):
    """Group and order the tests of a parallel run."""
    if not config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        return
    for item in items:
        group = EXPORTED if EXPORTED in item.fixturenames else item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=_rank)


def _rank(item):
    """When a test starts in a parallel run: exported models first, then TensorFlow, then the rest."""
    if EXPORTED in item.fixturenames:
        return 0
    return 1 if item.get_closest_marker("tensorflow") else 2


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
