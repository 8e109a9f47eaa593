"""The ONNX graph of `generate`: a loop of about 30 nodes per step.

A converted graph takes four to six times as long as XLA; this loop is as fast. Filters by top-k
and top-p are computed only if a row needs them, and do not change the bytes of other rows.
Shapes: B rows, T steps, N the longest row's steps, V characters, U units a layer, S = 2·layers·U.
"""

from typing import Any, NamedTuple

import numpy as np
from onnx import TensorProto, helper

from training.export.onnx_builder import Graph, Tensors, to_model
from training.text import sampling
from training.text.onnx_network import STATE, Weights, inside, split_state

COLDEST = 1e-30  # the temperature used for 0 (greedy)
LARGEST_UNIFORM = 1 - 2.0**-23  # keeps a threshold below the total mass


def generate(w: Weights) -> Any:
    """Characters sampled from `state`, their log-probabilities and the likeliest at each step."""
    graph = Graph()
    zero, zero_number = graph.constant(0), graph.constant(0, np.int32)
    column = graph.constant([1], np.int64)
    frozen = graph.add("LessOrEqual", "temperature", zero)
    warmth = graph.add("Where", frozen, graph.constant(COLDEST), "temperature")
    draws = graph.add("Min", "uniforms", graph.constant(LARGEST_UNIFORM))
    draws = graph.add("Where", graph.add("Unsqueeze", frozen, column), zero, draws)
    draws = graph.add("Transpose", draws, perm=[1, 0])
    limited = graph.add(
        "Or",
        graph.add("Greater", "top_k", zero_number),
        graph.add("Less", "top_p", graph.constant(1)),
    )
    filtering = graph.add("And", graph.add("Not", frozen), limited)
    number = graph.add("ReduceMax", graph.add("Cast", filtering, to=TensorProto.INT32), keepdims=0)
    longest = graph.add("ReduceMax", "lengths", keepdims=0)
    long_lengths = graph.add("Cast", "lengths", to=TensorProto.INT64)
    controls = _Controls(
        warmth=graph.add("Unsqueeze", warmth, column),
        draws=graph.add("Unsqueeze", draws, graph.constant([2], np.int64)),
        lengths=graph.add("Unsqueeze", long_lengths, column),
        top_k=graph.add("Unsqueeze", "top_k", column),
        top_p=graph.add("Unsqueeze", "top_p", column),
        filtering=graph.add("Unsqueeze", filtering, column),
        any_filter=graph.add("Cast", number, to=TensorProto.BOOL),
    )
    parts = [part for pair in split_state(graph, w, STATE) for part in pair]
    body = _body(graph, w, controls, len(parts))
    # At least one step, because the outputs of an empty loop have no shape; it changes no state.
    trips = graph.add(
        "Max", graph.add("Cast", longest, to=TensorProto.INT64), graph.constant(1, np.int64)
    )
    going = graph.constant(True, np.bool_)
    outputs = graph.split("Loop", len(parts) + 2, trips, going, *parts, body=body)
    _tell(graph, w, outputs[-2], outputs[-1])
    graph.rename(graph.add("Concat", *outputs[:-2], axis=1), "generate/state")
    inputs: Tensors = {
        STATE: ("float32", ["B", w.size]),
        "uniforms": ("float32", ["B", "T"]),
        "lengths": ("int32", ["B"]),
        "temperature": ("float32", ["B"]),
        "top_k": ("int32", ["B"]),
        "top_p": ("float32", ["B"]),
    }
    results: Tensors = {
        "generate/token_ids": ("int32", ["B", "T"]),
        "generate/logprobs": ("float32", ["B", "T"]),
        "generate/top_ids": ("int32", ["B", "T", sampling.TOP]),
        "generate/top_logprobs": ("float32", ["B", "T", sampling.TOP]),
        "generate/state": ("float32", ["B", w.size]),
    }
    return to_model(graph, inputs, results)


class _Controls(NamedTuple):
    """Tensors outside the loop that are read in each step."""

    warmth: str  # temperature [B, 1]
    draws: str  # uniforms [T, B, 1]
    lengths: str  # int64 [B, 1]
    top_k: str  # [B, 1]
    top_p: str  # [B, 1]
    filtering: str  # bool [B, 1]: the row has a filter
    any_filter: str  # bool: some row has


def _body(outer: Graph, w: Weights, controls: _Controls, parts: int) -> Any:
    """One step: scores of the last h, a character for each row, and the layers after it.

    The weights are constants of this graph: ONNX Runtime packs only those once, not at each step.
    """
    body = Graph(outer)
    step, condition = body.name("step"), body.name("going")
    before = [body.name("part") for _ in range(parts)]
    scores = body.add("MatMul", before[-2], body.constant(w.head))
    logits = body.add("Add", scores, body.constant(w.bias))
    token = _choose(body, controls, logits, step, w.symbols)
    going = body.add("Less", step, controls.lengths)
    sizes = body.constant([3 * w.units, w.units], np.int64)
    after, below = [], token
    for number, weights in enumerate(w.layers):
        h, c = before[2 * number : 2 * number + 2]
        kernel, recurrent, bias = (_gates(array) for array in weights)
        if number == 0:  # one character: its row of the kernel
            gates = body.add("Gather", body.constant(kernel + bias), below, axis=0)
        else:
            product = body.add("MatMul", below, body.constant(kernel))
            gates = body.add("Add", product, body.constant(bias))
        gates = body.add("Add", body.add("MatMul", h, body.constant(recurrent)), gates)
        below, new_c = _cell(body, gates, c, sizes)
        after += [body.add("Where", going, below, h), body.add("Where", going, new_c, c)]
    kept = body.add("Identity", condition)
    inputs = [
        helper.make_tensor_value_info(step, TensorProto.INT64, []),
        helper.make_tensor_value_info(condition, TensorProto.BOOL, []),
        *(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in before),
    ]
    return body.made("body", inputs, [kept, *after, token, logits])


def _gates(weights: np.ndarray) -> np.ndarray:
    """Gates input, forget, candidate, output → input, forget, output, candidate: one sigmoid for three."""
    i, f, g, o = np.split(weights, 4, axis=-1)
    return np.concatenate([i, f, o, g], axis=-1)


def _cell(body: Graph, gates: str, c: str, sizes: str) -> tuple[str, str]:
    """Gates [B, 4U] before their nonlinearity, memory c [B, U] → h and c after the step."""
    switches, candidate = body.split("Split", 2, gates, sizes, axis=1)
    i, f, o = body.split("Split", 3, body.add("Sigmoid", switches), axis=1, num_outputs=3)
    added = body.add("Mul", i, body.add("Tanh", candidate))
    c = body.add("Add", body.add("Mul", f, c), added)
    return body.add("Mul", o, body.add("Tanh", c)), c


def _choose(body: Graph, controls: _Controls, logits: str, step: str, symbols: int) -> str:
    """Sample an id int64 [B]: the first whose cumulative weight exceeds the row's share of the total."""
    most = body.add("ReduceMax", logits, body.constant([1], np.int64), keepdims=1)
    scaled = body.add("Div", body.add("Sub", logits, most), controls.warmth)
    weights = body.add("Exp", scaled)
    filtered = Graph(body)
    kept = _filter(filtered, controls, logits, weights, symbols)
    kept = filtered.add("Where", controls.filtering, kept, weights)
    plain = Graph(body)
    weights = body.add(
        "If",
        controls.any_filter,
        then_branch=filtered.made("filtered", [], [kept]),
        else_branch=plain.made("plain", [], [plain.add("Identity", weights)]),
    )
    mass = body.add("CumSum", weights, body.constant(1, np.int64))
    whole = body.add("Gather", mass, body.constant([symbols - 1], np.int64), axis=1)
    share = body.add("Mul", body.add("Gather", controls.draws, step, axis=0), whole)
    beyond = body.add("Cast", body.add("Greater", mass, share), to=TensorProto.UINT8)
    return body.add("ArgMax", beyond, axis=1, keepdims=0)


def _filter(body: Graph, controls: _Controls, logits: str, weights: str, symbols: int) -> str:
    """Weights with 0 for ids excluded by top-k, then top-p; ties go to the lower id."""
    rows, columns = (body.constant([axis], np.int64) for axis in (1, 2))
    zero, zero_number = body.constant(0), body.constant(0, np.int32)
    ids = np.arange(symbols)
    earlier = body.constant((ids[None, :] < ids[:, None])[None], np.bool_)  # [1, V, V]
    mine = body.add("Unsqueeze", logits, columns)
    other = body.add("Unsqueeze", logits, rows)
    ties = body.add("And", body.add("Equal", other, mine), earlier)
    before = body.add("Or", body.add("Greater", other, mine), ties)  # [B, V, V]
    counted = body.add("Cast", before, to=TensorProto.INT32)
    rank = body.add("ReduceSum", counted, columns, keepdims=0)
    every = body.add("LessOrEqual", controls.top_k, zero_number)
    allowed = body.add("Or", every, body.add("Less", rank, controls.top_k))
    weights = body.add("Where", allowed, weights, zero)
    theirs = body.add("Where", before, body.add("Unsqueeze", weights, rows), zero)
    heavier = body.add("ReduceSum", theirs, columns, keepdims=0)
    whole = body.add("ReduceSum", weights, rows, keepdims=1)
    wanted = body.add("Less", heavier, body.add("Mul", controls.top_p, whole))
    first = body.add("Equal", rank, zero_number)
    off = body.add("GreaterOrEqual", controls.top_p, body.constant(1))
    kept = body.add("Or", body.add("Or", first, wanted), off)
    return body.add("Where", kept, weights, zero)


def _tell(graph: Graph, w: Weights, ids: str, logits: str) -> None:
    """The outputs besides the state, of ids [N, B] and logits [N, B, V], N the longest row's steps."""
    logprobs = graph.add("LogSoftmax", logits, axis=2)
    column = graph.add("Unsqueeze", ids, graph.constant([2], np.int64))
    chosen = graph.add("GatherElements", logprobs, column, axis=2)
    count = min(sampling.TOP, w.symbols)
    top, top_ids = graph.split("TopK", 2, logprobs, graph.constant([count], np.int64), axis=2)
    is_inside = inside(graph, "uniforms", "lengths")
    deep = graph.add("Unsqueeze", is_inside, graph.constant([2], np.int64))
    lowest = float(np.finfo(np.float32).min)
    for name, tensor, dtype, fill in (
        ("token_ids", column, TensorProto.INT32, None),
        ("logprobs", chosen, TensorProto.FLOAT, None),
        ("top_ids", top_ids, TensorProto.INT32, 0),
        ("top_logprobs", top, TensorProto.FLOAT, lowest),
    ):
        zero = graph.constant(0, np.int32 if dtype == TensorProto.INT32 else np.float32)
        tensor = graph.add("Cast", tensor, to=dtype)
        if fill is not None and count < sampling.TOP:
            pads = graph.constant([0, 0, 0, 0, 0, sampling.TOP - count], np.int64)
            value = graph.constant(fill, np.int32 if dtype == TensorProto.INT32 else np.float32)
            tensor = graph.add("Pad", tensor, pads, value)
        tensor = graph.add("Pad", tensor, _missing_steps(graph, ids), zero)
        tensor = graph.add("Transpose", tensor, perm=[1, 0, 2])
        tensor = graph.add("Where", deep, tensor, zero)
        if fill is None:
            tensor = graph.add("Squeeze", tensor, graph.constant([2], np.int64))
        graph.rename(tensor, f"generate/{name}")


def _missing_steps(graph: Graph, ids: str) -> str:
    """The pads that make [N, B, …] as long as the uniforms are."""
    width = graph.add("Gather", graph.add("Shape", "uniforms"), graph.constant([1], np.int64))
    steps = graph.add("Gather", graph.add("Shape", ids), graph.constant([0], np.int64))
    none = graph.constant([0, 0, 0], np.int64)
    rest = graph.constant([0, 0], np.int64)
    return graph.add("Concat", none, graph.add("Sub", width, steps), rest, axis=0)
