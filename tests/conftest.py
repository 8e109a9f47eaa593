"""Fixtures that more than one folder of tests uses, and how a parallel run shares them out.

In a parallel run the tests of one file stay on one worker, since they share fixtures; so do the files
that ask one running service. The exported models are made once, for all workers. Long files start first.
"""

import gc
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

# Before NumPy is imported: workers whose matrix products use every core wait for each other, in loops that burn
# the cores. Two of them take twice the processor time; beside other work a test took nine times as long.
os.environ |= dict.fromkeys(["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"], "1")

ROOT = Path(__file__).parents[1]
SERVICE = "one service"
ASKING_ONE_SERVICE = {
    "tests/contract/test_client_page.py",
    "tests/contract/test_export_to_service.py",
    "tests/contract/test_gan.py",
    "tests/contract/test_notebook.py",
    "tests/contract/test_task_pages.py",
}
# They wait for the exported models, other processes or a connection's limits, or train: not at the end of a run.
LONG = (
    "tests/browser/",
    "tests/clients/load/",
    "tests/clients/python/test_trouble.py",
    "tests/contract/",
    "tests/service/asgi/",
    "tests/service/processes/",
    "tests/service/routes/test_direct_digits.py",
    "tests/service/routes/test_streams.py",
    "tests/service/routes/test_text.py",
    "tests/service/test_lan.py",
    "tests/service/test_without_tensorflow.py",
    "tests/test_command.py",
    "tests/training/keras_import/",
    "tests/training/pretrained/",
    "tests/training/text/test_jobs.py",
)
# Half a second or more each, in every worker, for the tests of one file: imported in these tests.
SLOW_PACKAGES = {
    "keras",
    "matplotlib",
    "nbclient",
    "scipy.stats",
    "sklearn",
    "tensorflow",
    "tf2onnx",
}
WITHOUT_TENSORFLOW = "not tensorflow"
NEEDS_TENSORFLOW = re.compile(r"^pytestmark = \[?pytest\.mark\.tensorflow\b", re.MULTILINE)

# A busy machine makes no example wrong.
ANY_MACHINE = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}


def pytest_configure(config):
    """A quarter of the usual examples at every change, each time others; all of them once a day."""
    examples = 25 if "not nightly" in config.option.markexpr else 100
    hypothesis.settings.register_profile("any machine", max_examples=examples, **ANY_MACHINE)
    hypothesis.settings.load_profile("any machine")


def pytest_ignore_collect(collection_path, config):
    """Do not import TensorFlow for a file whose every test is deselected by `not tensorflow`."""
    if WITHOUT_TENSORFLOW not in config.option.markexpr or collection_path.suffix != ".py":
        return None
    return bool(NEEDS_TENSORFLOW.search(collection_path.read_text(encoding="utf-8"))) or None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """More than cores: each waits, for a service that starts or a timer, a fifth of its time, without TensorFlow a third."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return 2 * cores if WITHOUT_TENSORFLOW in config.option.markexpr else cores + (cores + 1) // 2


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Keep together, in a parallel run, the tests that share fixtures."""
    return _ByFile(config, log)


class _ByFile(LoadScopeScheduling):
    def _split_scope(self, nodeid):
        file = nodeid.partition("::")[0]
        return SERVICE if file in ASKING_ONE_SERVICE else file


def pytest_collection_modifyitems(items):
    """What needs TensorFlow first, and of it what takes long: so that a parallel run ends on all workers together."""
    slow, quick = [], []
    for item in items:
        is_slow = item.get_closest_marker("tensorflow") or item.get_closest_marker("browser")
        (slow if is_slow else quick).append(item)
    slow.sort(key=lambda item: (_file(item) not in ASKING_ONE_SERVICE, not _is_long(_file(item))))
    places = _places(dict.fromkeys(map(_file, quick)))
    quick.sort(key=lambda item: places[_file(item)])
    items[:] = slow + quick


def _places(files):
    """Between 0 and 1: files that wait between those that compute, since workers that wait together leave cores idle."""
    waiting = [file for file in files if _is_long(file)]
    computing = [file for file in files if not _is_long(file)]
    end = 0.75  # none of those that wait is the last
    return {file: end * n / len(waiting) for n, file in enumerate(waiting)} | {
        file: n / len(computing) for n, file in enumerate(computing)
    }


def _is_long(file):
    return file.startswith(LONG)


def _file(item):
    return item.nodeid.partition("::")[0]


def pytest_collection_finish(session):
    """Note which slow packages collecting imported; search rarely for garbage, and not in what is loaded."""
    session.config.imported_at_collection = sys.modules.keys() & SLOW_PACKAGES
    gc.collect()
    gc.freeze()
    gc.set_threshold(
        20_000, 10, 20
    )  # the usual ones take a tenth of the processor time of the tests


@pytest.fixture(scope="session", autouse=True)
def no_memory_measurement():
    """An export in this process does not load the version in another one: that takes up to ten seconds each.

    tests/training/export/test_memory_usage.py tests it, and the commands that fixtures run do measure.
    """
    with pytest.MonkeyPatch.context() as patch:
        if "tensorflow" in sys.modules:  # nothing exports without
            patch.setattr("training.export.saved_model.resident_megabytes", lambda *_: None)
        yield


@pytest.fixture
def no_garbage():
    """Let `gc.collect()` look only at what the test makes, which takes less than a hundredth of the time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """The folder that `python -m training export` fills: of all workers, so that nobody may change it.

    TESTED_MODELS names one that is filled already.
    """
    if "TESTED_MODELS" in os.environ:
        return Path(os.environ["TESTED_MODELS"]).resolve()
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    folder, ended = folder / "models", folder / "exported"
    try:
        folder.mkdir()
    except FileExistsError:  # another worker exports them
        while not ended.exists():
            time.sleep(0.2)
        assert ended.read_text() == "0"
        return folder
    command = [sys.executable, "-m", "training", "export", "--models", str(folder)]
    finished = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    (folder.parent / "errors").write_text(finished.stderr)
    (folder.parent / "said").write_text(finished.stdout)
    ended.write_text(str(finished.returncode))
    assert finished.returncode == 0, finished.stderr
    return folder
