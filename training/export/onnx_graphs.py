"""Exports signatures as ONNX graphs, for an engine without TensorFlow: one graph for each set of inputs.

Signatures with the same inputs share a graph and its weights. A graph's inputs have the names of the
signature's inputs, its outputs are named `<signature>/<output>`, and its file is named after its inputs. A
signature that cannot be converted, or differs from TensorFlow by more than its tolerance, remains with TensorFlow.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnxruntime as ort
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from training.job import Arrays, Signature

FOLDER = "assets.extra/onnx"
OPSET = 18
MOST_BYTES = 2**31 - 2**20  # of a protocol buffer; more would need files of external data
GREYS = 1.0  # allowed difference of an image
# Arithmetic on tensors; none reads a file, a clock or a random number.
OPERATIONS = frozenset(
    """Abs Add And ArgMax ArgMin AveragePool BatchNormalization Cast Ceil Clip Concat Constant
    ConstantOfShape Conv ConvTranspose Cos CumSum DepthToSpace Div Dropout Einsum Elu Equal Erf Exp
    Expand Flatten Floor Gather GatherElements GatherND Gemm GlobalAveragePool GlobalMaxPool Greater
    GreaterOrEqual GRU HardSigmoid HardSwish Identity If InstanceNormalization LSTM
    LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax Loop MatMul Max MaxPool Mean Min Mod
    Mul Neg Not OneHot Or PRelu Pad Pow Range Reciprocal ReduceL1 ReduceL2 ReduceLogSumExp ReduceMax
    ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize RNN Round ScatterND
    Selu Shape Sigmoid Sign Sin Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub
    Sum Tanh Tile TopK Transpose Trilu Unsqueeze Where Xor""".split()  # noqa: SIM905 - readable
)


class Engines(NamedTuple):
    """The engine of each signature, and the reason."""

    names: dict[str, str]  # signature → onnx or tensorflow
    golden: dict[
        str, dict[str, np.ndarray]
    ]  # signature → outputs of its engine for the golden inputs
    report: dict[str, dict[str, Any]]  # the card's section


def convert(
    loaded: Any,
    signatures: Mapping[str, Signature],
    expected: Mapping[str, tuple[Arrays, Arrays]],
    directory: Path,
) -> Engines:
    """Write the graphs of a SavedModel below its directory, and choose an engine for each signature.

    loaded: the loaded SavedModel; expected: golden inputs and TensorFlow's outputs.
    """
    chosen = Engines({}, {}, {})
    for group in _groups(signatures):
        graph, reason = _graph(loaded, group)
        outputs = {}
        if graph:
            try:
                outputs = _run(graph, group, expected)
            except Exception:  # noqa: BLE001 - ONNX Runtime has a kind of its own for every refusal
                graph, reason = b"", "ONNX Runtime cannot run the converted graph"
        part = choose(group, outputs, expected, reason)
        chosen.names.update(part.names)
        chosen.golden.update(part.golden)
        chosen.report.update(part.report)
        if graph and any(chosen.names[name] == "onnx" for name in group):
            folder = directory / FOLDER
            folder.mkdir(parents=True, exist_ok=True)
            inputs = next(iter(group.values())).inputs
            (folder / ("+".join(sorted(inputs)) + ".onnx")).write_bytes(graph)
    return chosen


def choose(
    signatures: Mapping[str, Signature],
    outputs: Mapping[str, Arrays],
    expected: Mapping[str, tuple[Arrays, Arrays]],
    reason: str = "",
) -> Engines:
    """Choose ONNX Runtime if its outputs are close to TensorFlow's, otherwise TensorFlow.

    reason: why there are no outputs, if there are none.
    """
    names, golden, report = {}, {}, {}
    for name, signature in signatures.items():
        found, wanted = outputs.get(name, {}), expected[name][1]
        agrees = bool(found) and _is_close(signature, found, wanted)
        names[name] = "onnx" if agrees else "tensorflow"
        golden[name] = dict(found if agrees else wanted)
        far = {"largest_difference": _differences(signature, found, wanted)} if found else {}
        report[name] = {"engine": names[name], **far}
        if not agrees:
            report[name]["reason"] = reason or "ONNX Runtime differs by more than the tolerance"
    return Engines(names, golden, report)


def check(model: Any) -> None:
    """Raise ValueError with the reason for a graph that must not be served."""
    onnx.checker.check_model(model)
    found = set(_operations(model.graph))
    if extra := sorted(found - OPERATIONS):
        raise ValueError(f"it needs {', '.join(extra)}, which have no place in an ONNX graph here")
    if [(one.domain, one.version) for one in model.opset_import] != [("", OPSET)]:
        raise ValueError(f"it has other operation sets than {OPSET}")


def _groups(signatures: Mapping[str, Signature]) -> list[dict[str, Signature]]:
    groups: dict[frozenset[str], dict[str, Signature]] = {}
    for name, signature in signatures.items():
        groups.setdefault(frozenset(signature.inputs), {})[name] = signature
    return list(groups.values())


def _graph(loaded: Any, group: Mapping[str, Signature]) -> tuple[bytes, str]:
    """The group's graph as bytes, or none and the reason."""
    try:
        written = next((one.onnx for one in group.values() if one.onnx), None)
        model = written() if written else _from_tensorflow(loaded, group)
        check(model)
        if model.ByteSize() > MOST_BYTES:
            raise ValueError("it is larger than an ONNX file may be")
        content: bytes = model.SerializeToString()
    except Exception as error:  # noqa: BLE001 - converters raise what they like; TensorFlow runs it
        return b"", f"not converted: {error}"[:300]
    return content, ""


def _from_tensorflow(loaded: Any, group: Mapping[str, Signature]) -> Any:
    """Convert the functions of a group as one: variables become constants first."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # A failed conversion is reported in one sentence, without a traceback per node; TensorFlow then runs it.
    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)
    for name in group:
        _check_convertible(loaded.signatures[name].graph.as_graph_def())

    def together(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {
            f"{name}/{output}": tf.identity(tensor)
            for name in group
            for output, tensor in loaded.signatures[name](**inputs).items()
        }

    given = next(iter(group.values())).inputs
    specs = {key: tf.TensorSpec(spec.shape, spec.dtype, key) for key, spec in given.items()}
    function = tf.function(together, autograph=False).get_concrete_function(**specs)
    frozen = convert_variables_to_constants_v2(function, lower_control_flow=False)
    graph = frozen.graph.as_graph_def()
    names = {tensor.name: tensor.name.partition(":")[0] for tensor in frozen.inputs}
    names |= dict(
        zip((t.name for t in frozen.outputs), sorted(function.structured_outputs), strict=True)
    )
    model = _optimized(
        graph_def=graph,
        input_names=[tensor.name for tensor in frozen.inputs],
        output_names=[tensor.name for tensor in frozen.outputs],
        opset=OPSET,
        custom_op_handlers={"Log1p": (_log1p, [])},
        tensors_to_rename=names,
    )
    kept = [one for one in model.opset_import if not one.domain]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    return model


def _optimized(**conversion: Any) -> Any:
    """Convert; graph and weights are copied before each of some 30 optimizations only if one of them fails."""
    from tf2onnx.constants import ENV_TF2ONNX_CATCH_ERRORS
    from tf2onnx.convert import from_graph_def

    os.environ[ENV_TF2ONNX_CATCH_ERRORS] = "FALSE"
    try:
        return from_graph_def(**conversion)[0]
    except Exception:  # noqa: BLE001 - an optimization may raise anything
        del os.environ[ENV_TF2ONNX_CATCH_ERRORS]
        return from_graph_def(**conversion)[0]


def _check_convertible(graph: Any) -> None:
    """Refuse gradients, which ONNX does not support, before a conversion that takes a minute."""
    from tf2onnx.handler import tf_op

    known = {name for table in tf_op.get_opsets().values() for opset in table for name in opset}
    nodes = [*graph.node, *(node for f in graph.library.function for node in f.node_def)]
    unknown = sorted({node.op for node in nodes if node.op.endswith("Grad")} - known)
    if unknown:
        raise ValueError(f"ONNX has no {', '.join(unknown)}")


def _log1p(context: Any, node: Any, name: str, arguments: Any) -> None:
    """log1p(x) → log(x + 1)."""
    del name, arguments
    one = context.make_const(f"{node.name}_one", np.array(1, np.float32))
    context.insert_new_node_on_input(node, "Add", [node.input[0], one.output[0]])
    node.type, node.domain = "Log", ""


def _operations(graph: Any) -> Iterator[str]:
    """The operations of a graph and of the graphs inside it."""
    for node in graph.node:
        yield f"{node.domain}.{node.op_type}" if node.domain else node.op_type
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from _operations(inner)


def _run(
    graph: bytes, group: Mapping[str, Signature], expected: Mapping[str, tuple[Arrays, Arrays]]
) -> dict[str, dict[str, np.ndarray]]:
    """Outputs of ONNX Runtime for the golden inputs of each signature, as in the service."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    outputs = {}
    for name in group:
        wanted = [o.name for o in session.get_outputs() if o.name.startswith(f"{name}/")]
        arrays = session.run(wanted, dict(expected[name][0]))
        outputs[name] = {
            key.removeprefix(f"{name}/"): a for key, a in zip(wanted, arrays, strict=True)
        }
    return outputs


def _differences(signature: Signature, found: Arrays, expected: Arrays) -> dict[str, float]:
    """The largest difference of each compared output."""
    return {
        name: float(np.abs(found[name].astype(np.float64) - expected[name]).max(initial=0.0))
        for name in signature.tolerance
        if name in found
    }


def _is_close(signature: Signature, found: Arrays, expected: Arrays) -> bool:
    """Whether every output is within its tolerance; images within one grey level."""
    for name, tolerance in signature.tolerance.items():
        if np.issubdtype(expected[name].dtype, np.integer):
            close = np.allclose(found[name], expected[name], rtol=0, atol=GREYS)
        else:
            close = np.allclose(found[name], expected[name], rtol=tolerance, atol=tolerance)
        if not close:
            return False
    return True
