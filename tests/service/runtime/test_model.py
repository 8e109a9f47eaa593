"""One version: padding, warm-up and the golden check."""

import gc
import json
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

from service.metrics import Metrics
from service.runtime.golden import GoldenError
from service.runtime.manifest import ManifestError
from service.runtime.model import load_model
from service.runtime.servable import Servable
from service.runtime.signature import parse_tensor
from service.runtime.text_model import make_text_model
from service.scheduling.admission import Admission
from tests.fake_text import WIDTH, FakeTextEngine, write_text_version
from tests.fakes import FakeEngine, every, write_version


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture
def directory(tmp_path):
    return write_version(tmp_path, max_batch_size=8)


def edit_manifest(directory, **changes):
    path = directory / "assets.extra" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_every_signature_is_warm_at_every_batch_size_before_it_answers(
    directory, engine, monkeypatch
):
    monkeypatch.setattr("service.runtime.model.CHEAP_SECONDS", 60.0)  # also on a busy machine
    load_model(directory, every(engine))

    assert engine.batch_sizes[:4] == [1, 2, 4, 8]
    assert (
        engine.batch_sizes.count(2) == engine.batch_sizes.count(4) - 2 == 8
    )  # two signatures, warmed up and timed; goldens: three rows


def test_the_warm_up_tells_what_runs_cost(directory, tmp_path):
    class Slow(FakeEngine):
        def run(self, signature, inputs):
            time.sleep(0.002 * len(inputs["images"]))
            return super().run(signature, inputs)

    cost = load_model(directory, every(Slow())).costs["serving_default"]
    assert cost.seconds(1) >= 0.002  # a sleep is never shorter
    assert cost.seconds(3) >= 0.008  # padded to four rows
    assert cost.seconds(8) >= 0.016

    text = load_model(write_text_version(tmp_path), every(FakeTextEngine()))
    assert all(text.costs[signature].seconds(1) > 0 for signature in ("read", "generate"))


class InterruptedEngine(FakeEngine):
    """Needs 1 ms of the processor; other processes have it for 20 ms in the first runs of a size that are timed."""

    is_thread_free = True

    def __init__(self):
        super().__init__()
        self.wall, self.used = 100.0, 0.0

    def run(self, signature, inputs):
        outputs = super().run(signature, inputs)
        self.used += 0.001
        self.wall += 0.001 if self.batch_sizes.count(len(inputs["images"])) > 6 else 0.021
        return outputs


def test_a_cost_that_a_busy_machine_falsifies_is_measured_again(directory, monkeypatch):
    engine = InterruptedEngine()
    clock = SimpleNamespace(
        perf_counter=lambda: engine.wall, thread_time=lambda: engine.used, monotonic=time.monotonic
    )
    monkeypatch.setattr("service.runtime.model.time", clock)

    cost = load_model(directory, every(engine)).costs["serving_default"]
    assert cost.seconds(8) == pytest.approx(0.001)


def test_a_text_model_is_warm_at_its_own_batch_sizes_and_steps_only(tmp_path):
    engine = FakeTextEngine()
    model = load_model(write_text_version(tmp_path), every(engine))

    assert model.batch_sizes == [WIDTH]
    assert {signature for signature, _ in engine.runs} == {"prefill", "read", "generate"}
    assert {len(lengths) for _, lengths in engine.runs} == {WIDTH}


def test_only_warm_batch_sizes_are_ever_run(directory, engine):
    model = load_model(directory, every(engine))
    engine.batch_sizes.clear()
    images = np.zeros((5, 28, 28, 1), np.uint8)
    images[3, 0, :9] = 255
    outputs = model.run("serving_default", {"images": images})

    assert engine.batch_sizes == [8]
    assert outputs["probabilities"].argmax(axis=1).tolist() == [0, 0, 0, 9, 0]


def test_a_model_that_differs_from_its_goldens_is_refused(directory):
    class Drifted(FakeEngine):
        is_thread_free = False

        def run(self, signature, inputs):
            return {name: a + 0.01 for name, a in super().run(signature, inputs).items()}

    with pytest.raises(GoldenError, match=r"probabilities differs from golden by 0.01"):
        load_model(directory, every(Drifted()))


def test_another_processor_within_tolerance_is_accepted(directory):
    class Rounded(FakeEngine):
        is_thread_free = False

        def run(self, signature, inputs):
            return {name: a + 5e-5 for name, a in super().run(signature, inputs).items()}

    assert load_model(directory, every(Rounded())).manifest.name == "digits"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: (d / "saved_model.pb").write_bytes(b"half"), "sha256 differs"),
        (lambda d: (d / "saved_model.pb").unlink(), "saved_model.pb is missing"),
        (lambda d: (d / "assets.extra/manifest.json").unlink(), "manifest.json is missing"),
        (lambda d: (d / "assets.extra/manifest.json").write_text("{"), "cannot be read"),
        (lambda d: edit_manifest(d, max_batch_size=0), "max_batch_size"),
        (lambda d: edit_manifest(d, batch_sizes=[2, 4]), "batch_sizes must be max_batch_size"),
        (lambda d: edit_manifest(d, batch_sizes=[0, 8]), "batch_sizes must be max_batch_size"),
        (lambda d: edit_manifest(d, vocabulary=["a", "bc"]), "one character"),
        (lambda d: edit_manifest(d, vocabulary=["a", "a"]), "must occur once"),
        (lambda d: edit_manifest(d, steps=0), "steps"),
        (lambda d: edit_manifest(d, chunk=16), "chunk must be a key of format 1, got an unknown one"),
        (lambda d: edit_manifest(d, format=2, chunk=16), "format must be 1, got 2: a newer version"),
        (lambda d: edit_manifest(d, format="1"), "format must be 1, got '1'"),
        (
            lambda d: edit_manifest(d, input={"height": 28, "width": 28, "channels": 1, "size": 9}),
            "input.size must be a key",
        ),
        (lambda d: edit_manifest(d, name="other"), "the manifest is of other/1"),
        (lambda d: edit_manifest(d, files={"../../x": "sha256:0"}), "leaves the version directory"),
        (lambda d: edit_manifest(d, card="../../../x"), "leaves the version directory"),
        (lambda d: edit_manifest(d, files={}) or (d / "assets.extra/golden.npz").unlink(), "golden"),
    ],
    ids=[
        "changed-file", "missing-file", "no-manifest", "half-manifest", "bad-field",
        "sizes", "no-size", "characters", "twice", "steps",
        "unknown-key", "newer-format", "odd-format", "unknown-inner-key",
        "wrong-place", "file-outside", "card-outside", "no-goldens",
    ],
)  # fmt: skip
def test_a_damaged_version_says_what_is_wrong(directory, damage, message):
    damage(directory)

    with pytest.raises(ManifestError, match=message):
        load_model(directory, every(FakeEngine()))


def test_a_text_model_without_its_signatures_is_not_served(tmp_path):
    directory = write_text_version(tmp_path)
    manifest = json.loads((directory / "assets.extra/manifest.json").read_text())
    del manifest["signatures"]["read"]
    edit_manifest(directory, signatures=manifest["signatures"])
    model = load_model(directory, every(FakeTextEngine()))

    with ThreadPoolExecutor(1) as executor, pytest.raises(ManifestError, match=r"needs .* read"):
        make_text_model(model, executor, lambda *_: None)


def test_tensor_specifications_are_parsed():
    assert parse_tensor("uint8 [B,28,28,1]") == ("uint8", (None, 28, 28, 1))
    with pytest.raises(ValueError, match="must be a tensor such as"):
        parse_tensor("uint8 28x28")


def test_a_servable_is_freed_with_the_last_that_holds_it(directory, engine):
    gc.disable()
    try:
        model = load_model(directory, every(engine))
        servable = Servable(model, Admission(8), Metrics())
        gone = weakref.ref(servable), weakref.ref(model)
        del servable, model
        assert [one() for one in gone] == [None, None]
    finally:
        gc.enable()
