"""Writes an ONNX graph node by node."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from training.export.onnx_graphs import OPSET

IR_VERSION = 9
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
        """A constant, visible in nested graphs too."""
        name = self.name("constant")
        array = np.asarray(value, dtype=dtype, order="C")
        self._constants.append(numpy_helper.from_array(array, name))
        return name

    def name(self, stem: str) -> str:
        """A name that is unique in this graph and the enclosing ones."""
        return f"{stem}_{next(self._numbers)}"

    def rename(self, tensor: str, name: str) -> None:
        """Give a tensor the name of an output."""
        self._nodes.append(helper.make_node("Identity", [tensor], [name]))

    def made(self, name: str, inputs: Sequence[Any], outputs: Sequence[Any]) -> Any:
        """The finished graph; outputs are names or value infos."""
        infos = [onnx.ValueInfoProto(name=o) if isinstance(o, str) else o for o in outputs]
        return helper.make_graph(self._nodes, name, inputs, infos, self._constants)


def to_model(graph: Graph, inputs: Tensors, outputs: Tensors) -> Any:
    """The ONNX model of a graph with these inputs and outputs."""

    def info(tensors: Tensors) -> list[Any]:
        return [
            helper.make_tensor_value_info(name, DTYPES[dtype], shape)
            for name, (dtype, shape) in tensors.items()
        ]

    return helper.make_model(
        graph.made("graph", info(inputs), info(outputs)),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
