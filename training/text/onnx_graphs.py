"""The character model's signatures as ONNX graphs."""

from typing import Any

from training.text import onnx_generation, onnx_reading
from training.text.model import Network
from training.text.onnx_network import Weights

_GRAPHS = {
    "prefill": onnx_reading.prefill,
    "read": onnx_reading.read,
    "score": onnx_reading.score,
    "generate": onnx_generation.generate,
}


def make(net: Network, signature: str) -> Any:
    """The ONNX model of `prefill`, `read`, `score` or `generate`."""
    return _GRAPHS[signature](Weights(net))
