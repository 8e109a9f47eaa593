"""Fixtures that more than one folder of tests uses, and how a parallel run shares them out.

In a parallel run the tests of one file stay on one worker, since they share fixtures; so do the files
that ask for the exported models, which are made once. Long files start first.
"""

import gc
import os
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parents[1]
EXPORTED = "exported models"
WITH_EXPORTED_MODELS = {
    "tests/browser/test_class.py",
    "tests/browser/test_page.py",
    "tests/browser/test_site.py",
    "tests/contract/test_client_page.py",
    "tests/contract/test_export_to_service.py",
    "tests/contract/test_notebook.py",
    "tests/contract/test_soak.py",
    "tests/contract/test_stop.py",
    "tests/contract/test_task_pages.py",
}
WITHOUT_TENSORFLOW = "not tensorflow"
NEEDS_TENSORFLOW = "pytestmark = pytest.mark.tensorflow"

# A busy machine makes no example wrong.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")


def pytest_ignore_collect(collection_path, config):
    """Do not import TensorFlow for a file whose every test is deselected by `not tensorflow`."""
    if WITHOUT_TENSORFLOW not in config.option.markexpr or collection_path.suffix != ".py":
        return None
    return NEEDS_TENSORFLOW in collection_path.read_text(encoding="utf-8") or None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """One worker for each core; of the fast tests, which wait for half of their time, two."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return 2 * cores if WITHOUT_TENSORFLOW in config.option.markexpr else cores


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Keep together, in a parallel run, the tests that share fixtures."""
    return _ByFile(config, log)


class _ByFile(LoadScopeScheduling):
    def _split_scope(self, nodeid):
        file = nodeid.partition("::")[0]
        return EXPORTED if file in WITH_EXPORTED_MODELS else file


def pytest_collection_modifyitems(items):
    """Start what takes long first, so that a parallel run ends on all workers together."""
    items.sort(key=_rank)


def _rank(item):
    file = item.nodeid.partition("::")[0]
    if file in WITH_EXPORTED_MODELS:
        return 0
    return 1 if item.get_closest_marker("tensorflow") else 2


def pytest_collection_finish():
    """Leave what is loaded to no later search for garbage."""
    gc.collect()
    gc.freeze()


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
