"""Version directories with ONNX graphs that one can compute in one's head."""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

OPSET = 18


def write_onnx_version(root, name="digits", *, engines=None, factor=2.0):
    """Two signatures on `images`: `double` gives them times `factor`, `brightest` their largest.

    A third, `slow`, takes `z` and has no graph: it needs TensorFlow.
    """
    directory = Path(root) / name / "1"
    graphs = directory / "assets.extra/onnx"
    graphs.mkdir(parents=True)
    onnx.save(_graph(factor), graphs / "images.onnx")
    (directory / "saved_model.pb").write_bytes(b"")
    images = np.arange(2 * 28 * 28, dtype=np.uint8).reshape(2, 28, 28, 1)
    golden = {
        "double/inputs/images": images,
        "double/outputs/doubled": images.astype(np.float32) * 2,
        "brightest/inputs/images": images,
        "brightest/outputs/largest": np.full((2, 1, 1, 1), 255, np.float32),
        "slow/inputs/z": np.ones((1, 2), np.float32),
        "slow/outputs/sum": np.full(1, 2, np.float32),
    }
    np.savez(directory / "assets.extra/golden.npz", **golden)
    taken = {"images": "uint8 [B,28,28,1]"}
    manifest = {
        "name": name,
        "version": 1,
        "task": "classify_digit",
        "signatures": {
            "double": {"inputs": taken, "outputs": {"doubled": "float32 [B,28,28,1]"}},
            "brightest": {"inputs": taken, "outputs": {"largest": "float32 [B,1,1,1]"}},
            "slow": {"inputs": {"z": "float32 [B,2]"}, "outputs": {"sum": "float32 [B]"}},
        },
        "engines": {"double": "onnx", "brightest": "onnx"} if engines is None else engines,
        "max_batch_size": 4,
        "files": {
            path.relative_to(directory).as_posix(): "sha256:"
            + hashlib.sha256(path.read_bytes()).hexdigest()
            for path in directory.rglob("*")
            if path.is_file()
        },
    }
    (directory / "assets.extra/manifest.json").write_text(json.dumps(manifest))
    return directory


def write_head_version(root, name, weights, backbone=None):
    """`features` gives the mean of each of 3 channels of 2 × 2 pixels, `serving_default` that times `weights`.

    backbone: a file to take the graph of `features` from, which holds other signatures as well.
    """
    directory = Path(root) / name / "1"
    graphs = directory / "assets.extra/onnx"
    (graphs / "backbone").mkdir(parents=True)
    if backbone:
        (graphs / "backbone/images.onnx").hardlink_to(backbone)
    else:
        onnx.save(_backbone_graph(), graphs / "backbone/images.onnx")
    weights = np.asarray(weights, np.float32)
    onnx.save(_head_graph(weights), graphs / "features.onnx")
    images = np.arange(2 * 12, dtype=np.uint8).reshape(2, 2, 2, 3)
    means = images.mean(axis=(1, 2), dtype=np.float32)
    golden = {
        "features/inputs/images": images,
        "features/outputs/features": means,
        "serving_default/inputs/images": images,
        "serving_default/outputs/probabilities": means @ weights,
    }
    np.savez(directory / "assets.extra/golden.npz", **golden)
    taken, count = {"images": "uint8 [B,2,2,3]"}, weights.shape[1]
    manifest = {
        "name": name,
        "version": 1,
        "task": "classify_image",
        "input": {"height": 2, "width": 2, "channels": 3},
        "labels": [[str(n), str(n)] for n in range(count)],
        "signatures": {
            "serving_default": {
                "inputs": taken,
                "outputs": {"probabilities": f"float32 [B,{count}]"},
            },
            "features": {"inputs": taken, "outputs": {"features": "float32 [B,3]"}},
        },
        "engines": {"serving_default": "onnx", "features": "onnx"},
        "backbone": "features",
        "max_batch_size": 4,
    }
    (directory / "assets.extra/manifest.json").write_text(json.dumps(manifest))
    return directory


def _backbone_graph():
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats", "axes"], ["features/features"], keepdims=0),
        helper.make_node("Identity", ["features/features"], ["serving_default/probabilities"]),
    ]
    outputs = ["features/features", "serving_default/probabilities"]
    graph = helper.make_graph(
        nodes,
        "backbone",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, [None, 2, 2, 3])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 3]) for name in outputs],
        [helper.make_tensor("axes", TensorProto.INT64, [2], [1, 2])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)


def _head_graph(weights):
    output = "serving_default/probabilities"
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["features", "weights"], [output])],
        "head",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, weights.shape[0]])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, [None, weights.shape[1]])],
        [onnx.numpy_helper.from_array(weights, "weights")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)


def _graph(factor):
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["floats", "factor"], ["double/doubled"]),
        helper.make_node("ReduceMax", ["floats", "axes"], ["brightest/largest"]),
    ]
    graph = helper.make_graph(
        nodes,
        "images",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, [None, 28, 28, 1])],
        [
            helper.make_tensor_value_info("double/doubled", TensorProto.FLOAT, [None, 28, 28, 1]),
            helper.make_tensor_value_info("brightest/largest", TensorProto.FLOAT, [None, 1, 1, 1]),
        ],
        [
            helper.make_tensor("factor", TensorProto.FLOAT, [], [factor]),
            helper.make_tensor("axes", TensorProto.INT64, [3], [1, 2, 3]),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
