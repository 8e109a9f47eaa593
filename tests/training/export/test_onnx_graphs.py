"""Signatures as ONNX graphs: converted together, compared with TensorFlow, refused with a reason."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest

tf = pytest.importorskip("tensorflow")

from training.export import onnx_graphs  # noqa: E402 - after the check that TensorFlow is there
from training.job import Signature  # noqa: E402

pytestmark = pytest.mark.tensorflow
SPECS = {"x": tf.TensorSpec([None, 3], tf.float32, "x")}
GIVEN = {"x": np.linspace(0, 2, 12, dtype=np.float32).reshape(4, 3)}
KERNEL = np.linspace(-1, 1, 6, dtype=np.float32).reshape(3, 2)


def softplus(x):
    return {"y": tf.math.log1p(tf.exp(x @ tf.constant(KERNEL)))}


def total(x):
    return {"sum": tf.reduce_sum(x @ tf.constant(KERNEL), axis=1)}


def slope(x):
    """With an operation that only a gradient has."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.nn.leaky_relu(x - 1)
    return {"slope": tape.gradient(y, x)}


def export(tmp_path, **functions):
    """Write a SavedModel of these functions and its graphs; return the engines and TensorFlow's outputs."""
    module = tf.Module()
    signatures = {}
    for name, function in functions.items():
        setattr(module, name, tf.function(function, input_signature=list(SPECS.values())))
        outputs = function(**{key: tf.constant(a) for key, a in GIVEN.items()})
        signatures[name] = Signature(function, SPECS, dict.fromkeys(outputs, 1e-5), {})
    written = {name: getattr(module, name) for name in functions}
    tf.saved_model.save(module, str(tmp_path), signatures=written)
    loaded = tf.saved_model.load(str(tmp_path))
    expected = {
        name: (GIVEN, {k: t.numpy() for k, t in loaded.signatures[name](**GIVEN).items()})
        for name in functions
    }
    return onnx_graphs.convert(loaded, signatures, expected, tmp_path), expected


def test_signatures_of_the_same_inputs_share_one_graph(tmp_path):
    engines, expected = export(tmp_path, softplus=softplus, total=total)

    assert engines.names == {"softplus": "onnx", "total": "onnx"}
    assert [path.name for path in (tmp_path / onnx_graphs.FOLDER).iterdir()] == ["x.onnx"]
    session = ort.InferenceSession(tmp_path / onnx_graphs.FOLDER / "x.onnx")
    assert {output.name for output in session.get_outputs()} == {"softplus/y", "total/sum"}
    [y] = session.run(["softplus/y"], GIVEN)
    np.testing.assert_allclose(y, expected["softplus"][1]["y"], atol=1e-6)
    assert engines.report["softplus"]["largest_difference"]["y"] < 1e-6


def test_what_cannot_be_converted_stays_with_tensorflow_and_says_why(tmp_path):
    engines, expected = export(tmp_path, slope=slope)

    assert engines.names == {"slope": "tensorflow"}
    assert "LeakyReluGrad" in engines.report["slope"]["reason"]
    assert not (tmp_path / onnx_graphs.FOLDER).exists()
    np.testing.assert_array_equal(engines.golden["slope"]["slope"], expected["slope"][1]["slope"])


def test_an_optimization_that_fails_does_not_lose_the_graph(tmp_path, monkeypatch):
    from tf2onnx.optimizer.transpose_optimizer import TransposeOptimizer

    def fail(self, graph):
        raise KeyError("a fault of the converter")

    monkeypatch.setattr(TransposeOptimizer, "_optimize", fail)

    assert export(tmp_path, softplus=softplus)[0].names == {"softplus": "onnx"}


def test_a_graph_that_disagrees_stays_with_tensorflow(tmp_path, monkeypatch):
    run = onnx_graphs._run

    def drifted(*arguments):
        outputs = run(*arguments)
        outputs["total"]["sum"] += 0.01
        return outputs

    monkeypatch.setattr(onnx_graphs, "_run", drifted)
    engines, expected = export(tmp_path, softplus=softplus, total=total)

    assert engines.names == {"softplus": "onnx", "total": "tensorflow"}
    assert engines.report["total"]["largest_difference"]["sum"] == pytest.approx(0.01, abs=1e-5)
    np.testing.assert_array_equal(engines.golden["total"]["sum"], expected["total"][1]["sum"])


def test_an_image_may_differ_by_one_grey():
    signature = Signature(softplus, SPECS, {"images": 2.0}, {})
    greys = {"images": np.full((2, 2), 100, np.uint8)}

    assert onnx_graphs._is_close(signature, {"images": greys["images"] + 1}, greys)
    assert not onnx_graphs._is_close(signature, {"images": greys["images"] + 2}, greys)


def test_only_listed_operations_may_be_in_a_graph():
    node = onnx.helper.make_node("RandomNormalLike", ["x"], ["y"])
    ends = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1]) for n in "xy"]
    graph = onnx.helper.make_graph([node], "random", ends[:1], ends[1:])
    opset = onnx.helper.make_opsetid("", onnx_graphs.OPSET)
    model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=9)

    with pytest.raises(ValueError, match="RandomNormalLike"):
        onnx_graphs.check(model)
