"""Fixtures that more than one folder of tests uses, and how a parallel run shares them out.

In a parallel run the tests of one file stay on one worker, since they share fixtures; so do all tests of
the exported models, which are made once and served by one service. Long files start first.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parents[1]
WITH_EXPORTED_MODELS = ("tests/contract/", "tests/browser/")
NEEDS_TENSORFLOW = "pytestmark = pytest.mark.tensorflow"


def pytest_ignore_collect(collection_path, config):
    """Do not import TensorFlow for a file whose every test is deselected by `not tensorflow`."""
    if "not tensorflow" not in config.option.markexpr or collection_path.suffix != ".py":
        return None
    return NEEDS_TENSORFLOW in collection_path.read_text(encoding="utf-8") or None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Keep together, in a parallel run, the tests that share fixtures."""
    return _ByFile(config, log)


class _ByFile(LoadScopeScheduling):
    def _split_scope(self, nodeid):
        file = nodeid.partition("::")[0]
        return "exported models" if file.startswith(WITH_EXPORTED_MODELS) else file


def pytest_collection_modifyitems(items):
    """Start what takes long first, so that a parallel run ends on all workers together."""
    items.sort(key=_rank)


def _rank(item):
    if item.nodeid.startswith(WITH_EXPORTED_MODELS):
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
