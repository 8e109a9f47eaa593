"""What an ONNX file may hold."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from service.onnx_engine import GraphError, OnnxEngine, Step, shrinking_arena
from service.onnx_graph import check_graph, without_outputs


def graph(nodes, initializers=()):
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None])
    y = helper.make_tensor_value_info("s/y", TensorProto.FLOAT, [None])
    return helper.make_graph(nodes, "g", [x], [y], initializers)


def model(nodes, initializers=(), **more):
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("foreign", 1)]
    return helper.make_model(graph(nodes, initializers), opset_imports=opsets, **more)


def relu(output="s/y", **options):
    return helper.make_node("Relu", ["x"], [output], **options)


def elsewhere():
    tensor = numpy_helper.from_array(np.ones(4, np.float32), "w")
    onnx.external_data_helper.set_external_data(tensor, "../../secret.bin")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    return tensor


def branch(node):
    """A node whose inner graph is `node`."""
    inner = helper.make_graph([node], "inner", [], [helper.make_empty_tensor_value_info("z")])
    return helper.make_node("If", ["c"], ["s/y"], then_branch=inner, else_branch=inner)


REFUSED = {
    "foreign": (model([relu(domain="foreign")]), "operation 'Relu' is of the domain 'foreign'"),
    "inside": (model([branch(relu("z", domain="foreign"))]), "of the domain 'foreign'"),
    "file": (model([relu()], [elsewhere()]), "its weights are in another file"),
    "constant": (
        model([helper.make_node("Constant", [], ["s/y"], value=elsewhere())]),
        "its weights are in another file",
    ),
    "function": (
        model(
            [relu()],
            functions=[helper.make_function("foreign", "F", ["x"], ["y"], [relu("y")], [])],
        ),
        "it defines functions",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_graph_that_may_do_more_than_compute_is_refused(tmp_path, name):
    found, said = REFUSED[name]
    folder = tmp_path / "assets.extra/onnx"
    folder.mkdir(parents=True)
    (folder / "x.onnx").write_bytes(found.SerializeToString())

    with pytest.raises(GraphError, match=said):
        OnnxEngine(tmp_path, {"s": [Step("x.onnx", "s")]})


@pytest.mark.parametrize("content", [b"no model at all", b"\xff" * 20, b"\x3a\xff\x01"])
def test_what_is_no_model_is_refused(content):
    with pytest.raises(ValueError, match="it is not an ONNX model"):
        check_graph(content)


def test_a_graph_of_standard_operations_runs(tmp_path):
    folder = tmp_path / "assets.extra/onnx"
    folder.mkdir(parents=True)
    (folder / "x.onnx").write_bytes(model([relu()], ir_version=10).SerializeToString())

    engine = OnnxEngine(tmp_path, {"s": [Step("x.onnx", "s")]})
    answer = engine.run("s", {"x": np.float32([-1, 2])})
    with shrinking_arena():
        again = engine.run("s", {"x": np.float32([-1, 2])})

    assert answer["y"].tolist() == again["y"].tolist() == [0, 2]


def layered():
    """`s/y` is max(x, 0) + max(x, 0); the inner value is an output as well."""
    made = model([relu("activations/h"), helper.make_node("Add", ["activations/h"] * 2, ["s/y"])])
    made.graph.output.append(
        helper.make_tensor_value_info("activations/h", TensorProto.FLOAT, [None])
    )
    return made


def test_outputs_are_removed_and_nothing_else():
    expected = layered()
    del expected.graph.output[1]

    left = onnx.ModelProto.FromString(
        without_outputs(layered().SerializeToString(), "activations/")
    )
    assert left == expected
    assert (
        without_outputs(expected.SerializeToString(), "activations/")
        == expected.SerializeToString()
    )


def test_layers_and_answers_come_from_one_file(tmp_path):
    graphs = tmp_path / "assets.extra/onnx"
    graphs.mkdir(parents=True)
    onnx.save(layered(), graphs / "x.onnx")
    engine = OnnxEngine(tmp_path, {name: [Step("x.onnx", name)] for name in ("s", "activations")})
    x = np.array([-1, 3], np.float32)

    assert engine.run("s", {"x": x})["y"].tolist() == [0, 6]
    assert engine.run("activations", {"x": x})["h"].tolist() == [0, 3]
