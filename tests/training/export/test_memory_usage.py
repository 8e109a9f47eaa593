"""A model's memory is measured, or said to be unknown."""

import pytest
import tensorflow as tf

from training.export import memory_usage

pytestmark = pytest.mark.tensorflow
BYTES = 40_000_000


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A model of one variable of 40 MB."""
    folder = tmp_path_factory.mktemp("saved")
    module = tf.Module()
    module.table = tf.Variable(tf.ones([BYTES // 4]))
    spec = tf.TensorSpec([None, None], tf.float32)
    look_up = tf.function(lambda x: {"y": x + module.table[0]}, input_signature=[spec])
    tf.saved_model.save(module, str(folder), signatures={"look_up": look_up})
    return folder


@pytest.mark.skipif(not memory_usage.STATUS.exists(), reason="nothing is measured without /proc")
def test_what_a_model_keeps_is_measured(saved):
    found = memory_usage.resident_megabytes(saved, {"look_up": 8}, free=3)

    assert BYTES / 1e6 < found < 3 * BYTES / 1e6


def test_a_model_that_does_not_run_has_no_figure(tmp_path):
    graphs = tmp_path / "assets.extra" / "onnx"
    graphs.mkdir(parents=True)
    (graphs / "x.onnx").write_bytes(b"no graph")

    assert memory_usage.resident_megabytes(tmp_path, {}, free=1) is None


def test_elsewhere_nothing_is_measured(saved, tmp_path, monkeypatch):
    monkeypatch.setattr(memory_usage, "STATUS", tmp_path / "status")

    assert memory_usage.resident_megabytes(saved, {"look_up": 8}, free=3) is None
