"""The layer table of a card: parameters and output shape of each layer, with the formula."""

from collections.abc import Sequence
from typing import Any, TypedDict

import keras


class LayerRow(TypedDict):
    """One row of a card's layer table; `shape` is without the batch axis."""

    name: str
    type: str
    shape: list[int]
    parameters: int
    formula: str


def layer_table(model: keras.Model) -> list[LayerRow]:
    """Describe every layer of a built network, in order."""
    return [_row(layer) for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]


def _row(layer: Any) -> LayerRow:
    return {
        "name": layer.name,
        "type": type(layer).__name__,
        "shape": _output_shape(layer),
        "parameters": layer.count_params(),
        "formula": _formula(layer),
    }


def _output_shape(layer: Any) -> list[int]:
    """The shape of its output; empty if it has several outputs or is used several times."""
    try:
        return list(layer.output.shape[1:])
    except (AttributeError, ValueError):
        return []


def _formula(layer: Any) -> str:
    shape, bias = _input_shape(layer), " + 1" if getattr(layer, "use_bias", True) else ""
    match layer if len(shape) > 1 else None:
        case (
            keras.layers.Conv2D() | keras.layers.Conv2DTranspose() | keras.layers.DepthwiseConv2D()
        ):
            return _convolution_formula(layer, shape)
        case keras.layers.MaxPooling2D():
            return f"no weights; {_size(shape[1], layer.pool_size[0], layer.strides[0], layer.padding)}"
        case keras.layers.Dense():
            return f"({shape[-1]}{bias})·{layer.units} = {layer.count_params():,}"
        case keras.layers.LSTM():
            count = f"4·({shape[-1]} + {layer.units} + 1)·{layer.units} = {layer.count_params():,}"
            return f"{count}; four gates, each of input, own output and bias"
        case keras.layers.CategoryEncoding():
            return f"no weights; a 1 at the character's id, 0 at the other {layer.num_tokens - 1}"
        case keras.layers.Flatten():
            return "·".join(str(size) for size in shape[1:]) + f" = {layer.output.shape[-1]}"
        case keras.layers.Dropout():
            return f"no weights; sets {layer.rate:.0%} of its inputs to 0 while training"
        case _:
            return "no weights" if not layer.count_params() else f"{layer.count_params():,}"


def _input_shape(layer: Any) -> Sequence[int]:
    """The shape of its first input; empty if the layer is used several times."""
    try:
        first = layer.input[0] if isinstance(layer.input, list) else layer.input
        return tuple(first.shape)
    except (AttributeError, ValueError, KeyError):
        return ()


def _convolution_formula(layer: Any, shape: Sequence[int]) -> str:
    height, width = layer.kernel_size
    bias = " + 1" if layer.use_bias else ""
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        each, maps = (
            "",
            shape[-1] * layer.depth_multiplier,
        )  # each output channel has one input channel
    else:
        groups = getattr(layer, "groups", 1)  # a transposed convolution has none
        each, maps = f"·{shape[-1] // groups}", layer.filters
    weights = f"({height}·{width}{each}{bias})·{maps} = {layer.count_params():,}"
    stride, window = layer.strides[0], (height - 1) * layer.dilation_rate[0] + 1
    if isinstance(layer, keras.layers.Conv2DTranspose) and shape[1]:
        return f"{weights}; size {shape[1]}·{stride} = {layer.output.shape[1]}"
    return f"{weights}; {_size(shape[1], window, stride, layer.padding)}"


def _size(size: int | None, window: int, stride: int, padding: str) -> str:
    if size is None:
        return "size as the image's"
    if padding == "same":
        return f"size ⌈{size}/{stride}⌉ = {-(-size // stride)}"
    return f"size ({size} − {window} + 2·0)/{stride} + 1 = {(size - window) // stride + 1}"
