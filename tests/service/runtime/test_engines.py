"""Which engine runs each signature, and what happens while one of them still starts."""

import gc
import shutil
import threading
import time

import numpy as np
import onnxruntime as ort
import pytest

from service.engine import CannotRun
from service.errors import NotReady
from service.runtime.engines import engine_loader
from service.runtime.golden import GoldenError
from service.runtime.manifest import ManifestError
from service.runtime.model import load_model
from tests.service.onnx_versions import write_head_version, write_onnx_version

IMAGES = {"images": np.full((3, 28, 28, 1), 7, np.uint8)}


class FakeTensorFlow:
    """Runs every signature, once its `gate` is open; remembers what ran."""

    name = "tensorflow"
    is_thread_free = False

    def __init__(self, *, is_open=True, reason=""):
        self.gate = threading.Event()
        self.reason = reason
        self.runs = []
        if is_open:
            self.gate.set()

    def load(self, directory):
        return self

    def run(self, signature, inputs):
        if self.reason:
            raise CannotRun(self.reason)
        if not self.gate.is_set():
            raise NotReady("starting")
        self.runs.append(signature)
        if signature == "slow":
            return {"sum": inputs["z"].sum(axis=1)}
        images = inputs["images"].astype(np.float32)
        if signature == "double":
            return {"doubled": images * 2}
        return {"largest": images.max(axis=(1, 2, 3), keepdims=True)}


def load(directory, tensorflow=None, choice="auto"):
    return load_model(directory, engine_loader(choice, (tensorflow or FakeTensorFlow()).load))


def test_each_signature_runs_on_the_engine_its_manifest_names(tmp_path):
    tensorflow = FakeTensorFlow()
    model = load(write_onnx_version(tmp_path), tensorflow)

    engines = {name: engine.name for name, engine in model.engines.items()}
    assert engines == {"double": "onnx", "brightest": "onnx", "slow": "tensorflow"}
    assert model.run("double", IMAGES)["doubled"].max() == 14
    assert set(tensorflow.runs) == {"slow"}


def test_a_folder_of_an_earlier_release_runs_on_tensorflow(tmp_path):
    model = load(write_onnx_version(tmp_path, engines={}))

    assert {engine.name for engine in model.engines.values()} == {"tensorflow"}


def test_onnx_runtime_needs_no_padding(tmp_path):
    model = load(write_onnx_version(tmp_path))

    assert model.run("double", IMAGES)["doubled"].shape == (3, 28, 28, 1)


def test_the_setting_overrides_the_manifest(tmp_path):
    directory = write_onnx_version(tmp_path)

    assert load(directory, choice="tensorflow").engines["double"].name == "tensorflow"
    with_onnx = load(write_onnx_version(tmp_path, "other", engines={}), choice="onnx")
    assert with_onnx.engines["double"].name == "onnx"
    with pytest.raises(NotReady, match="slow cannot run here: it has no ONNX graph"):
        with_onnx.run("slow", {"z": np.ones((1, 2), np.float32)})


def test_what_needs_no_tensorflow_answers_while_it_starts(tmp_path):
    tensorflow = FakeTensorFlow(is_open=False)
    model = load(write_onnx_version(tmp_path), tensorflow)
    z = {"z": np.ones((1, 2), np.float32)}

    assert model.run("brightest", IMAGES)["largest"].max() == 7
    with pytest.raises(NotReady, match="slow is not ready: starting") as refusal:
        model.run("slow", z)
    assert (
        refusal.value.retry_after_seconds == 5
    )  # a client that asks four times outlasts the start
    tensorflow.gate.set()
    deadline = time.monotonic() + 120
    while model.unready and time.monotonic() < deadline:
        time.sleep(0.01)
    assert model.run("slow", z)["sum"].tolist() == [2]


def test_a_signature_whose_engine_is_missing_says_why_and_the_others_run(tmp_path):
    model = load(write_onnx_version(tmp_path), FakeTensorFlow(reason="it is not installed"))

    assert model.run("double", IMAGES)["doubled"].max() == 14
    with pytest.raises(NotReady, match="slow cannot run here: it is not installed"):
        model.run("slow", {"z": np.ones((1, 2), np.float32)})


def test_a_version_none_of_whose_signatures_can_run_is_refused_with_the_reason(tmp_path):
    directory = write_onnx_version(tmp_path, engines={})

    with pytest.raises(CannotRun, match="double cannot run here: it is not installed"):
        load(directory, FakeTensorFlow(reason="it is not installed"))


def test_a_missing_graph_is_refused_and_not_replaced_by_another_engine(tmp_path):
    with pytest.raises(CannotRun, match=r"assets.extra/onnx/z.onnx is missing"):
        load(write_onnx_version(tmp_path, engines={"slow": "onnx"}))


def test_a_graph_that_differs_from_its_goldens_is_refused(tmp_path):
    with pytest.raises(GoldenError, match="doubled differs from golden"):
        load(write_onnx_version(tmp_path, factor=2.01))


PHOTO = {"images": np.full((1, 2, 2, 3), (1, 2, 3), np.uint8)}
HEADS = {"first": [[1, 0], [0, 1], [0, 0]], "second": [[0, 1], [0, 1], [1, 0]]}


@pytest.fixture
def loaded_files(monkeypatch, no_garbage):
    """The graphs that ONNX Runtime was given, by their inputs."""
    loaded = []

    class Counted(ort.InferenceSession):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            loaded.append(self.get_inputs()[0].name)

    monkeypatch.setattr("service.onnx_engine.ort.InferenceSession", Counted)
    return loaded


@pytest.mark.parametrize("choice", ["auto", "onnx"])
def test_heads_on_one_backbone_share_its_session(tmp_path, loaded_files, choice):
    first = load(write_head_version(tmp_path, "first", HEADS["first"]), choice=choice)
    graph = tmp_path / "first/1/assets.extra/onnx/backbone/images.onnx"
    second = load(write_head_version(tmp_path, "second", HEADS["second"], graph), choice=choice)

    assert loaded_files.count("images") == 1
    assert first.run("serving_default", PHOTO)["probabilities"].tolist() == [[1, 2]]
    assert second.run("serving_default", PHOTO)["probabilities"].tolist() == [[3, 3]]
    assert second.run("features", PHOTO)["features"].tolist() == [[1, 2, 3]]


def test_a_head_outlives_what_its_backbone_came_from(tmp_path, loaded_files):
    base = load(write_head_version(tmp_path, "first", HEADS["first"]))
    graph = tmp_path / "first/1/assets.extra/onnx/backbone/images.onnx"
    directory = write_head_version(tmp_path, "second", HEADS["second"], graph)
    head = load(directory)

    del base
    gc.collect()
    shutil.rmtree(tmp_path / "first")
    assert head.run("serving_default", PHOTO)["probabilities"].tolist() == [[3, 3]]
    assert load(directory).run("serving_default", PHOTO)["probabilities"].tolist() == [[3, 3]]
    assert loaded_files.count("images") == 1, "a reload finds the network that still runs"
    del head
    gc.collect()
    load(directory)
    assert loaded_files.count("images") == 2, "one that nobody holds is gone"


def test_a_backbone_that_is_no_signature_is_refused(tmp_path):
    directory = write_head_version(tmp_path, "first", HEADS["first"])
    file = directory / "assets.extra/manifest.json"
    file.write_text(file.read_text().replace('"backbone": "features"', '"backbone": "encode"'))

    with pytest.raises(ManifestError, match="backbone must be a signature, got 'encode'"):
        load(directory)
