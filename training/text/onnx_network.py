"""Shared parts of a character model's ONNX graphs: weights, state, and the steps of each row."""

import numpy as np
from onnx import TensorProto

from training.export.onnx_builder import Graph
from training.text import model as text_model
from training.text.model import Network

STATE = "state"


class Weights:
    """A network's arrays in the order that ONNX and the loops need."""

    def __init__(self, net: Network) -> None:
        self.layers = [tuple(np.asarray(w) for w in layer) for layer in net.layers]
        self.head, self.bias = np.asarray(net.head), np.asarray(net.bias)
        self.units, self.symbols = net.units, net.symbols
        self.initial = np.asarray(text_model.initial_state(net, 1))

    @property
    def size(self) -> int:
        """Of the state."""
        return 2 * len(self.layers) * self.units


def inside(graph: Graph, like: str, lengths: str) -> str:
    """Whether a step belongs to its row, bool [B, T]."""
    zero, one = (graph.constant(n, np.int64) for n in (0, 1))
    width = graph.add("Gather", graph.add("Shape", like), one)
    steps = graph.add("Range", zero, width, one)
    long = graph.add("Cast", lengths, to=TensorProto.INT64)
    return graph.add("Less", steps, graph.add("Unsqueeze", long, graph.constant([1], np.int64)))


def initial_state(graph: Graph, w: Weights, like: str) -> str:
    """The state before any character, a row for each of `like`."""
    rows = graph.add("Gather", graph.add("Shape", like), graph.constant([0], np.int64))
    shape = graph.add("Concat", rows, graph.constant([w.size], np.int64), axis=0)
    return graph.add("Expand", graph.constant(w.initial), shape)


def split_state(graph: Graph, w: Weights, state: str) -> list[tuple[str, str]]:
    """H and c [B, U] of each layer."""
    count = 2 * len(w.layers)
    parts = graph.split("Split", count, state, axis=1, num_outputs=count)
    return list(zip(parts[::2], parts[1::2], strict=True))
