"""Engines loaded before a fork: used by the children, and only for the files they were loaded from."""

import multiprocessing
import sys
import threading

import numpy as np
import pytest

from service.onnx_engine import Step
from service.runtime.preloading import PreloadedEngines
from service.runtime.serving_files import ServingFiles
from tests.service.onnx_versions import write_onnx_version

SIGNATURES = {name: [Step("images.onnx", name)] for name in ("double", "brightest")}
IMAGES = {"images": np.full((1, 28, 28, 1), 7, np.uint8)}


def preloaded_from(models):
    engines = PreloadedEngines()
    engines.preload(models, ServingFiles(models, None), "auto")
    return engines


def doubled(engine):
    return engine.run("double", IMAGES)["doubled"].max()


def test_what_is_served_is_loaded_once_and_handed_out_once(tmp_path, monkeypatch):
    directory = write_onnx_version(tmp_path)
    engines = preloaded_from(tmp_path)
    made = []

    def make(*arguments):
        made.append(arguments)

    monkeypatch.setattr("service.runtime.preloading.OnnxEngine", make)

    assert doubled(engines.load(directory, SIGNATURES)) == 14
    assert not made
    engines.load(directory, SIGNATURES)  # a load by command reads the files anew
    assert made == [(directory, SIGNATURES)]


def test_files_that_have_changed_are_loaded_anew(tmp_path):
    directory = write_onnx_version(tmp_path)
    engines = preloaded_from(tmp_path)
    graph = directory / "assets.extra/onnx/images.onnx"
    other = write_onnx_version(tmp_path, "other", factor=3.0) / "assets.extra/onnx/images.onnx"
    graph.write_bytes(other.read_bytes())

    assert doubled(engines.load(directory, SIGNATURES)) == 21


@pytest.mark.parametrize("broken", ["graph", "manifest", "unloaded"])
def test_what_cannot_or_should_not_be_served_is_left_to_the_worker(tmp_path, broken, monkeypatch):
    directory = write_onnx_version(tmp_path)
    if broken == "unloaded":
        (tmp_path / "digits/serving.json").write_text('{"unloaded": true}')
    else:
        name = "onnx/images.onnx" if broken == "graph" else "manifest.json"
        (directory / "assets.extra" / name).write_bytes(b"no")
    made = []
    monkeypatch.setattr("service.runtime.preloading.OnnxEngine", lambda *a: made.append(a))

    preloaded_from(tmp_path)

    assert not made


@pytest.mark.skipif(sys.platform != "linux", reason="forks")
def test_a_forked_process_runs_what_was_loaded_before_and_no_thread_is_left(tmp_path):
    directory = write_onnx_version(tmp_path)
    threads = threading.active_count()
    engines = preloaded_from(tmp_path)
    assert threading.active_count() == threads
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()

    def child():
        answers.put(float(doubled(engines.load(directory, SIGNATURES))))

    children = [context.Process(target=child) for _ in range(2)]
    for process in children:
        process.start()
    for process in children:
        process.join(60)

    assert [process.exitcode for process in children] == [0, 0]
    assert [answers.get(), answers.get()] == [14, 14]
