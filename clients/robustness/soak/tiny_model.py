"""A digit model of two operations, whose outlier score is its version, so that an answer proves its version.

With products of matrices before them each row takes a part of a millisecond for each, in the processor's caches.
"""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

TAKEN = {"images": "uint8 [B,28,28,1]"}
OUTPUTS = {
    "serving_default": {"probabilities": "float32 [B,10]", "outlier_score": "float32 [B]"},
    "activations": {"logits": "float32 [B,10]"},
}
WIDTH = 256  # of the matrices


def write_version(models: Path, version: int, name: str = "digits", products: int = 0) -> Path:
    """Add the version atomically; return its directory. With `products` a run takes one row."""
    made = models.parent / f"making-{version}"
    extra = made / "assets.extra"
    (extra / "onnx").mkdir(parents=True)
    onnx.save(_graph(version, products), extra / "onnx" / "images.onnx")
    images = np.zeros((2, 28, 28, 1), np.uint8)
    even = np.full((2, 10), 0.1, np.float32)
    golden = {f"{signature}/inputs/images": images for signature in OUTPUTS} | {
        "serving_default/outputs/probabilities": even,
        "serving_default/outputs/outlier_score": np.full(2, version, np.float32),
        "activations/outputs/logits": np.zeros((2, 10), np.float32),
    }
    np.savez(extra / "golden.npz", **golden)  # type: ignore[arg-type]
    (made / "saved_model.pb").write_bytes(b"")
    (extra / "card.json").write_text(json.dumps({"summary": "its version", "layers": []}))
    (extra / "manifest.json").write_text(
        json.dumps(_manifest(made, name, version, 1 if products else 8))
    )
    directory = models / name / str(version)
    directory.parent.mkdir(parents=True, exist_ok=True)
    made.rename(directory)
    return directory


def remove_version(models: Path, version: int, name: str = "digits") -> None:
    """Take a version away."""
    shutil.rmtree(models / name / str(version), ignore_errors=True)


def _manifest(made: Path, name: str, version: int, most_rows: int) -> dict[str, object]:
    files = {
        path.relative_to(made).as_posix(): "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
        for path in made.rglob("*")
        if path.is_file()
    }
    return {
        "format": 1,
        "name": name,
        "version": version,
        "task": "classify_digit",
        "input": {"height": 28, "width": 28, "channels": 1},
        "labels": [[str(digit), str(digit)] for digit in range(10)],
        "signatures": {name: {"inputs": TAKEN, "outputs": OUTPUTS[name]} for name in OUTPUTS},
        "engines": dict.fromkeys(OUTPUTS, "onnx"),
        "max_batch_size": most_rows,
        "card": "card.json",
        "files": files,
    }


def _graph(version: int, products: int) -> onnx.ModelProto:
    """Sums of no pixels: zeros of the right shape, to which the numbers are added."""
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMax", ["floats", "axes"], ["wide0"], keepdims=1),
        helper.make_node("Expand", ["wide0", "width"], ["product0"]),
        *(
            helper.make_node("MatMul", [f"product{n}", "matrix"], [f"product{n + 1}"])
            for n in range(products)
        ),
        helper.make_node("Mul", [f"product{products}", "zero"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros", "axes"], ["none"], keepdims=0),
        helper.make_node("Add", ["none", "version"], ["serving_default/outlier_score"]),
        helper.make_node("ReduceSum", ["zeros", "axes"], ["column4"], keepdims=1),
        helper.make_node("Reshape", ["column4", "column"], ["column2"]),
        helper.make_node("Add", ["column2", "tenths"], ["serving_default/probabilities"]),
        helper.make_node("Add", ["column2", "tens"], ["activations/logits"]),
    ]
    taken = [helper.make_tensor_value_info("images", TensorProto.UINT8, [None, 28, 28, 1])]
    given = [
        helper.make_tensor_value_info("serving_default/outlier_score", TensorProto.FLOAT, [None]),
        helper.make_tensor_value_info(
            "serving_default/probabilities", TensorProto.FLOAT, [None, 10]
        ),
        helper.make_tensor_value_info("activations/logits", TensorProto.FLOAT, [None, 10]),
    ]
    constants = [
        helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
        helper.make_tensor("width", TensorProto.INT64, [4], [1, 1, WIDTH, WIDTH]),
        helper.make_tensor("axes", TensorProto.INT64, [3], [1, 2, 3]),
        helper.make_tensor("version", TensorProto.FLOAT, [], [float(version)]),
        helper.make_tensor("column", TensorProto.INT64, [2], [-1, 1]),
        helper.make_tensor("tenths", TensorProto.FLOAT, [1, 10], [0.1] * 10),
        helper.make_tensor("tens", TensorProto.FLOAT, [1, 10], [0.0] * 10),
    ]
    if products:
        even = np.full(WIDTH * WIDTH, 1 / WIDTH)
        constants.append(helper.make_tensor("matrix", TensorProto.FLOAT, [WIDTH, WIDTH], even))
    graph = helper.make_graph(nodes, "images", taken, given, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
