"""A single row uses two threads while no other runs, as long as that is faster."""

import threading
import time

import numpy as np

from service.onnx_engine import OnnxEngine, Step, threads_of_runs
from service.runtime.spread_runs import SpreadRuns
from tests.service.onnx_versions import write_onnx_version

ROW = {"images": np.zeros((1, 2), np.float32)}


class Runs:
    """Remembers the threads of each run; those on two can be slow, or fail at the start."""

    def __init__(self, *, seconds_on_two=0.0, is_failing=False):
        self.threads = []
        self.seconds_on_two = seconds_on_two
        self.is_failing = is_failing
        self.on_run = lambda: None

    def __call__(self, inputs):
        self.threads.append(threads_of_runs())
        if self.threads[-1] == 2:
            if self.is_failing:
                raise RuntimeError
            time.sleep(self.seconds_on_two)
        on_run, self.on_run = self.on_run, lambda: None
        on_run()
        return dict(inputs)


def after_start(runs):
    """Spread runs of which one row on one thread takes a minute, and the run at the start forgotten."""
    spread = SpreadRuns(runs, ROW, 60.0)
    runs.threads.clear()
    return spread


def test_a_single_row_uses_two_threads_and_several_rows_one():
    runs = Runs()
    spread = after_start(runs)

    spread(ROW)
    spread({"images": np.zeros((2, 2), np.float32)})

    assert runs.threads == [2, 1]
    assert threads_of_runs() == 1


def test_a_run_beside_another_uses_one_thread():
    runs = Runs()
    spread = after_start(runs)

    def run_beside():
        beside = threading.Thread(target=spread, args=(ROW,))
        beside.start()
        beside.join()

    runs.on_run = run_beside
    spread(ROW)

    assert runs.threads == [2, 1]


def test_after_a_slow_run_on_two_threads_one_is_used():
    runs = Runs(seconds_on_two=0.2)
    spread = SpreadRuns(runs, ROW, 0.01)
    runs.threads.clear()

    spread(ROW)
    spread(ROW)

    assert runs.threads == [2, 1]


def test_a_graph_that_cannot_use_two_threads_runs_on_one():
    runs = Runs(is_failing=True)
    spread = after_start(runs)

    spread(ROW)

    assert runs.threads == [1]


def test_a_graph_on_two_threads_gives_the_same_and_is_not_loaded_from_changed_files(tmp_path):
    directory = write_onnx_version(tmp_path)
    other = write_onnx_version(tmp_path, "other", factor=3.0) / "assets.extra/onnx/images.onnx"
    images = {"images": np.full((1, 28, 28, 1), 7, np.uint8)}
    threads = []

    def doubled(engine):
        spread = SpreadRuns(lambda one: noted(engine.run("double", one)), images, 60.0)
        return spread(images)["doubled"].max()

    def noted(outputs):
        threads.append(threads_of_runs())
        return outputs

    engines = [OnnxEngine(directory, {"double": [Step("images.onnx", "double")]}) for _ in "ab"]
    assert doubled(engines[0]) == 14
    (directory / "assets.extra/onnx/images.onnx").write_bytes(other.read_bytes())
    assert doubled(engines[1]) == 14
    assert threads == [2, 2, 1]
