"""Checks the content of an ONNX file before ONNX Runtime loads it, and removes outputs.

Operations of ONNX's own set compute on tensors; none reads a file, a clock or a device. Operations of
other domains, functions and external weight files are refused. Field numbers are those of
onnx.proto (ONNX 1.x, `ModelProto` and below).
"""

from collections.abc import Iterator

from service.codecs.wire_format import WireError, integer, messages, replaced, text

STANDARD_DOMAINS = frozenset(("", "ai.onnx"))
_MODEL_GRAPH, _MODEL_FUNCTIONS = 7, 25
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_OUTPUT = 1, 5, 12
_VALUE_NAME = 1
_NODE_OPERATION, _NODE_ATTRIBUTE, _NODE_DOMAIN = 4, 5, 7
_ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH, _ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS = 5, 6, 10, 11
_TENSOR_LOCATION = 14  # 1: in another file


def check_graph(content: bytes) -> None:
    """Raise ValueError with the reason if the model in `content` may do more than compute."""
    model = memoryview(content)
    try:
        if messages(model, _MODEL_FUNCTIONS):
            raise ValueError("it defines functions")
        for graph in _graphs(messages(model, _MODEL_GRAPH)):
            _check_one(graph)
    except WireError as error:
        raise ValueError(f"it is not an ONNX model: {error}") from None


def without_outputs(content: bytes, prefix: str) -> bytes:
    """The checked model in `content` without the outputs of such names, which its nodes may still compute."""
    if prefix.encode() not in content:
        return content

    def output(value: memoryview) -> bytes | None:
        return None if text(value, _VALUE_NAME).startswith(prefix) else bytes(value)

    def graph(value: memoryview) -> bytes:
        return replaced(value, _GRAPH_OUTPUT, output)

    return replaced(memoryview(content), _MODEL_GRAPH, graph)


def _graphs(pending: list[memoryview]) -> Iterator[memoryview]:
    """These graphs and the graphs in their nodes, such as the body of a loop."""
    while pending:
        graph = pending.pop()
        yield graph
        for attribute in _attributes(graph):
            pending += messages(attribute, _ATTRIBUTE_GRAPH)
            pending += messages(attribute, _ATTRIBUTE_GRAPHS)


def _check_one(graph: memoryview) -> None:
    for node in messages(graph, _GRAPH_NODE):
        if (domain := text(node, _NODE_DOMAIN)) not in STANDARD_DOMAINS:
            name = text(node, _NODE_OPERATION)
            raise ValueError(f"the operation {name[:60]!r} is of the domain {domain[:60]!r}")
    tensors = messages(graph, _GRAPH_INITIALIZER)
    for attribute in _attributes(graph):
        tensors += messages(attribute, _ATTRIBUTE_TENSOR)
        tensors += messages(attribute, _ATTRIBUTE_TENSORS)
    if any(integer(tensor, _TENSOR_LOCATION) for tensor in tensors):
        raise ValueError("its weights are in another file")


def _attributes(graph: memoryview) -> list[memoryview]:
    return [
        attribute
        for node in messages(graph, _GRAPH_NODE)
        for attribute in messages(node, _NODE_ATTRIBUTE)
    ]
