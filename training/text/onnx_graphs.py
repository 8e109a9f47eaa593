"""The character model's signatures as ONNX graphs, written node by node.

A converted graph takes four to six times as long as XLA; this loop of some 30 nodes a step is level with
it. Filters by top-k and top-p are computed only if a row asks for them, and leave the bytes of the others
as they are. Shapes: B rows, T steps, V characters, U units a layer, S = 2·layers·U.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from training.text import model as text_model
from training.text.model import Network

OPSET, IR_VERSION = 18, 9
COLDEST = 1e-30  # a temperature that leaves only the likeliest; 0 means this
LARGEST_UNIFORM = 1 - 2.0**-23  # so that a threshold is always below the whole mass
STATE = "state"
Tensors = dict[str, tuple[str, list[Any]]]  # name → dtype and shape
DTYPES = {"int32": TensorProto.INT32, "float32": TensorProto.FLOAT}


class Graph:
    """A graph under construction; `add` and `split` return the names of a node's outputs."""

    def __init__(self, outer: "Graph | None" = None) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._numbers: Iterator[int] = outer._numbers if outer else itertools.count()

    def add(self, operation: str, *inputs: str, **attributes: Any) -> str:
        """A node of one output."""
        [name] = self.split(operation, 1, *inputs, **attributes)
        return name

    def split(self, operation: str, outputs: int, *inputs: str, **attributes: Any) -> list[str]:
        """A node of several outputs."""
        names = [self.name(operation) for _ in range(outputs)]
        self._nodes.append(helper.make_node(operation, inputs, names, **attributes))
        return names

    def constant(self, value: Any, dtype: Any = np.float32) -> str:
        """A constant; graphs inside this one see it too."""
        name = self.name("constant")
        array = np.asarray(value, dtype=dtype, order="C")
        self._constants.append(numpy_helper.from_array(array, name))
        return name

    def name(self, stem: str) -> str:
        """A name that nothing else has, in this graph or around it."""
        return f"{stem}_{next(self._numbers)}"

    def rename(self, tensor: str, name: str) -> None:
        """Give a tensor the name of an output."""
        self._nodes.append(helper.make_node("Identity", [tensor], [name]))

    def made(self, name: str, inputs: Sequence[Any], outputs: Sequence[Any]) -> Any:
        """The finished graph; outputs are names or value infos."""
        infos = [onnx.ValueInfoProto(name=o) if isinstance(o, str) else o for o in outputs]
        return helper.make_graph(self._nodes, name, inputs, infos, self._constants)


def make(net: Network, signature: str) -> Any:
    """The ONNX model of `prefill`, `read`, `score` or `generate`."""
    return {"prefill": _prefill, "read": _read, "score": _score, "generate": _generate}[signature](
        _Weights(net)
    )


class _Weights:
    """A network's arrays in the order that ONNX and the loops want them."""

    def __init__(self, net: Network) -> None:
        self.layers = [tuple(np.asarray(w) for w in layer) for layer in net.layers]
        self.head, self.bias = np.asarray(net.head), np.asarray(net.bias)
        self.units, self.symbols = net.units, net.symbols
        self.initial = np.asarray(text_model.initial_state(net, 1))

    @property
    def size(self) -> int:
        """Of the state."""
        return 2 * len(self.layers) * self.units


def _prefill(w: _Weights) -> Any:
    graph = Graph()
    state = _fresh_state(graph, w, "token_ids")
    graph.rename(_read_layers(graph, w, state, "lengths")[1], "prefill/state")
    inputs: Tensors = {"token_ids": ("int32", ["B", "T"]), "lengths": ("int32", ["B"])}
    return _model(graph, inputs, {"prefill/state": ("float32", ["B", w.size])})


def _read(w: _Weights) -> Any:
    graph = Graph()
    logprobs, state = _read_layers(graph, w, STATE, "lengths")
    inside = _inside(graph, "token_ids", "lengths")
    kept = graph.add("Where", inside, logprobs, graph.constant(0))
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
    return _model(graph, inputs, outputs)


def _score(w: _Weights) -> Any:
    graph = Graph()
    state = _fresh_state(graph, w, "token_ids")
    shape = graph.add("Shape", "token_ids")
    rows = graph.add("Gather", shape, graph.constant([0], np.int64))
    width = graph.add("Gather", shape, graph.constant(1, np.int64))
    lengths = graph.add("Expand", graph.add("Cast", width, to=TensorProto.INT32), rows)
    graph.rename(_read_layers(graph, w, state, lengths)[0], "score/logprobs")
    inputs: Tensors = {"token_ids": ("int32", ["B", "T"])}
    return _model(graph, inputs, {"score/logprobs": ("float32", ["B", "T"])})


def _read_layers(graph: Graph, w: _Weights, state: str, lengths: str) -> tuple[str, str]:
    """Log-probability [B, T] of each of `token_ids`, and the state [B, S] after `lengths` of them."""
    ids = graph.add("Transpose", "token_ids", perm=[1, 0])
    ids = graph.add("Cast", ids, to=TensorProto.INT64)
    parts = _parts(graph, w, state)
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


def _generate(w: _Weights) -> Any:
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
    parts = [part for pair in _parts(graph, w, STATE) for part in pair]
    body = _body(graph, w, controls, len(parts))
    # At least one: what a loop of no steps puts out has no shape. That step changes no state.
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
    told: Tensors = {
        "generate/token_ids": ("int32", ["B", "T"]),
        "generate/logprobs": ("float32", ["B", "T"]),
        "generate/top_ids": ("int32", ["B", "T", text_model.TOP]),
        "generate/top_logprobs": ("float32", ["B", "T", text_model.TOP]),
        "generate/state": ("float32", ["B", w.size]),
    }
    return _model(graph, inputs, told)


class _Controls(NamedTuple):
    """Tensors outside the loop that each of its steps reads."""

    warmth: str  # temperature [B, 1]
    draws: str  # uniforms [T, B, 1]
    lengths: str  # int64 [B, 1]
    top_k: str  # [B, 1]
    top_p: str  # [B, 1]
    filtering: str  # bool [B, 1]: the row has a filter
    any_filter: str  # bool: some row has


def _body(outer: Graph, w: _Weights, controls: _Controls, parts: int) -> Any:
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
    """Draw an id int64 [B]: the first whose cumulative weight is above the row's share of the whole."""
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
    """Weights with 0 for what top-k, then top-p leave out; ties go to the lower id."""
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


def _tell(graph: Graph, w: _Weights, ids: str, logits: str) -> None:
    """The outputs besides the state, of ids [N, B] and logits [N, B, V], N the longest row's steps."""
    logprobs = graph.add("LogSoftmax", logits, axis=2)
    column = graph.add("Unsqueeze", ids, graph.constant([2], np.int64))
    chosen = graph.add("GatherElements", logprobs, column, axis=2)
    count = min(text_model.TOP, w.symbols)
    top, top_ids = graph.split("TopK", 2, logprobs, graph.constant([count], np.int64), axis=2)
    inside = _inside(graph, "uniforms", "lengths")
    deep = graph.add("Unsqueeze", inside, graph.constant([2], np.int64))
    lowest = float(np.finfo(np.float32).min)
    for name, tensor, dtype, fill in (
        ("token_ids", column, TensorProto.INT32, None),
        ("logprobs", chosen, TensorProto.FLOAT, None),
        ("top_ids", top_ids, TensorProto.INT32, 0),
        ("top_logprobs", top, TensorProto.FLOAT, lowest),
    ):
        zero = graph.constant(0, np.int32 if dtype == TensorProto.INT32 else np.float32)
        tensor = graph.add("Cast", tensor, to=dtype)
        if fill is not None and count < text_model.TOP:
            pads = graph.constant([0, 0, 0, 0, 0, text_model.TOP - count], np.int64)
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


def _inside(graph: Graph, like: str, lengths: str) -> str:
    """Whether a step belongs to its row, bool [B, T]."""
    zero, one = (graph.constant(n, np.int64) for n in (0, 1))
    width = graph.add("Gather", graph.add("Shape", like), one)
    steps = graph.add("Range", zero, width, one)
    long = graph.add("Cast", lengths, to=TensorProto.INT64)
    return graph.add("Less", steps, graph.add("Unsqueeze", long, graph.constant([1], np.int64)))


def _fresh_state(graph: Graph, w: _Weights, like: str) -> str:
    """The state before any character, a row for each of `like`."""
    rows = graph.add("Gather", graph.add("Shape", like), graph.constant([0], np.int64))
    shape = graph.add("Concat", rows, graph.constant([w.size], np.int64), axis=0)
    return graph.add("Expand", graph.constant(w.initial), shape)


def _parts(graph: Graph, w: _Weights, state: str) -> list[tuple[str, str]]:
    """H and c [B, U] of each layer."""
    count = 2 * len(w.layers)
    parts = graph.split("Split", count, state, axis=1, num_outputs=count)
    return list(zip(parts[::2], parts[1::2], strict=True))


def _model(graph: Graph, inputs: Tensors, outputs: Tensors) -> Any:
    def info(tensors: Tensors) -> list[Any]:
        return [
            helper.make_tensor_value_info(name, DTYPES[dtype], shape)
            for name, (dtype, shape) in tensors.items()
        ]

    return helper.make_model(
        graph.made("text", info(inputs), info(outputs)),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
