"""The ONNX graphs of `prefill`, `read` and `score`: one LSTM node per layer over all characters.

Shapes: B rows, T steps, V characters, U units a layer, S = 2·layers·U.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto

from training.export.onnx_builder import Graph, Tensors, to_model
from training.text.onnx_network import STATE, Weights, initial_state, inside, split_state


def prefill(w: Weights) -> Any:
    """The state after `lengths` of `token_ids`, from the initial one."""
    graph = Graph()
    state = initial_state(graph, w, "token_ids")
    graph.rename(_read_layers(graph, w, state, "lengths")[1], "prefill/state")
    inputs: Tensors = {"token_ids": ("int32", ["B", "T"]), "lengths": ("int32", ["B"])}
    return to_model(graph, inputs, {"prefill/state": ("float32", ["B", w.size])})


def read(w: Weights) -> Any:
    """Log-probabilities of `token_ids` and the state after them, from a given state."""
    graph = Graph()
    logprobs, state = _read_layers(graph, w, STATE, "lengths")
    is_inside = inside(graph, "token_ids", "lengths")
    kept = graph.add("Where", is_inside, logprobs, graph.constant(0))
    graph.rename(kept, "read/logprobs")
    graph.rename(state, "read/state")
    inputs: Tensors = {
        STATE: ("float32", ["B", w.size]),
        "token_ids": ("int32", ["B", "T"]),
        "lengths": ("int32", ["B"]),
    }
    outputs: Tensors = {
        "read/logprobs": ("float32", ["B", "T"]),
        "read/state": ("float32", ["B", w.size]),
    }
    return to_model(graph, inputs, outputs)


def score(w: Weights) -> Any:
    """Log-probabilities of all of `token_ids`, from the initial state."""
    graph = Graph()
    state = initial_state(graph, w, "token_ids")
    shape = graph.add("Shape", "token_ids")
    rows = graph.add("Gather", shape, graph.constant([0], np.int64))
    width = graph.add("Gather", shape, graph.constant(1, np.int64))
    lengths = graph.add("Expand", graph.add("Cast", width, to=TensorProto.INT32), rows)
    graph.rename(_read_layers(graph, w, state, lengths)[0], "score/logprobs")
    inputs: Tensors = {"token_ids": ("int32", ["B", "T"])}
    return to_model(graph, inputs, {"score/logprobs": ("float32", ["B", "T"])})


def _read_layers(graph: Graph, w: Weights, state: str, lengths: str) -> tuple[str, str]:
    """Log-probability [B, T] of each of `token_ids`, and the state [B, S] after `lengths` of them."""
    ids = graph.add("Transpose", "token_ids", perm=[1, 0])
    ids = graph.add("Cast", ids, to=TensorProto.INT64)
    parts = split_state(graph, w, state)
    depth, values = graph.constant(w.symbols, np.int64), graph.constant([0, 1])
    below = graph.add("OneHot", ids, depth, values, axis=-1)
    empty = graph.add("Equal", lengths, graph.constant(0, np.int32))
    is_empty = graph.add("Unsqueeze", empty, graph.constant([1], np.int64))
    after = []
    for layer, (h, c) in zip(w.layers, parts, strict=True):
        below, new_h, new_c = _lstm(graph, layer, below, lengths, (h, c))
        after += [graph.add("Where", is_empty, h, new_h), graph.add("Where", is_empty, c, new_c)]
    head, bias = graph.constant(w.head), graph.constant(w.bias)
    first = graph.add("Unsqueeze", parts[-1][0], graph.constant([0], np.int64))
    bounds = [graph.constant([n], np.int64) for n in (0, -1, 0)]
    earlier = graph.add("Concat", first, graph.add("Slice", below, *bounds), axis=0)
    logits = graph.add("Add", graph.add("MatMul", earlier, head), bias)
    ids_column = graph.add("Unsqueeze", ids, graph.constant([2], np.int64))
    column = graph.add(
        "GatherElements", graph.add("LogSoftmax", logits, axis=2), ids_column, axis=2
    )
    flat = graph.add("Squeeze", column, graph.constant([2], np.int64))
    return graph.add("Transpose", flat, perm=[1, 0]), graph.add("Concat", *after, axis=1)


def _lstm(
    graph: Graph, layer: Sequence[np.ndarray], below: str, lengths: str, state: tuple[str, str]
) -> list[str]:
    """A layer over all steps: outputs [T, B, U], zero after a row's length, and the last h and c [B, U]."""
    kernel, recurrent, bias = (_reorder(array) for array in layer)
    units = recurrent.shape[0]
    first = graph.constant([0], np.int64)
    outputs, h, c = graph.split(
        "LSTM",
        3,
        below,
        graph.constant(kernel.T[None]),
        graph.constant(recurrent.T[None]),
        graph.constant(np.concatenate([bias, np.zeros_like(bias)])[None]),
        lengths,
        *(graph.add("Unsqueeze", part, first) for part in state),
        hidden_size=units,
    )
    second = graph.constant([1], np.int64)
    squeezed = [graph.add("Squeeze", outputs, second)]
    return squeezed + [graph.add("Squeeze", part, first) for part in (h, c)]


def _reorder(weights: np.ndarray) -> np.ndarray:
    """Gates input, forget, candidate, output → input, output, forget, candidate, as ONNX has them."""
    i, f, g, o = np.split(weights, 4, axis=-1)
    return np.concatenate([i, o, f, g], axis=-1)
