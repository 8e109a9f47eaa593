"""The filters of a network's layers for `assets.extra/filters.npz`: filter, bias and window of each layer.

A convolution followed by batch normalization is written as one convolution.
"""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import keras
import numpy as np

from training.export import batchnorm_folding
from training.job import Arrays

WHITE = 255.0
UNCHANGED = (keras.layers.Dropout, keras.layers.Identity, keras.layers.Reshape)


class _Filter(NamedTuple):
    """One layer: its convolution or pooling, and the operations between it and its input layer."""

    layer: Any
    normalization: Any  # None: there is none
    is_relu: bool
    below: str  # the shown layer whose maps it reads, or "input"
    scale: float  # of a Rescaling layer in between
    offset: float


def describe(shown: Iterable[Any], black_white: tuple[float, float] = (0.0, WHITE)) -> Arrays:
    """Return `<layer>/kernel` [h, w, C, N] and `<layer>/bias` [N] of the layers that can be explained.

    `about` is JSON: each layer's `kind` (convolution or pooling), `below`, `size`, `strides`, `padding` (zeros
    above and to the left), `relu`; `range`, the values of black and of white, where it reads the input.

    Args:
        shown: The layers that `/v1/digits/activations` answers, in order.
        black_white: The values of a black and of a white pixel in the network's input.
    """
    arrays: dict[str, np.ndarray] = {}
    about: dict[str, Any] = {}
    names: list[str] = []
    for layer in shown:
        found = _trace(layer, names)
        names.append(layer.name)
        if found is None:
            continue
        about[layer.name] = _about(found, black_white)
        if isinstance(found.layer, keras.layers.Conv2D):
            kernel, bias = _kernel_and_bias(found)
            arrays |= {f"{layer.name}/kernel": kernel, f"{layer.name}/bias": bias}
    return {**arrays, "about": np.array(json.dumps(about))} if about else {}


def _trace(layer: Any, names: list[str]) -> _Filter | None:
    """Trace a shown layer to its input layer; None if there are other operations in between."""
    core, is_relu, normalization = layer, _is_relu(layer), None
    if is_relu:
        core = _producer(core)
    if isinstance(core, keras.layers.BatchNormalization):
        core, normalization = _producer(core), core
    if not _is_window(core):
        return None
    found = _Filter(core, normalization, is_relu or _has_relu(core), "", 1.0, 0.0)
    below, passed = _producer(core), set()
    while isinstance(below, (keras.layers.Rescaling, *UNCHANGED)):
        passed.add(type(below))
        if isinstance(below, keras.layers.Rescaling):
            found = found._replace(scale=float(below.scale), offset=float(below.offset))
        below = _producer(below)
    if isinstance(below, keras.layers.InputLayer):
        return found._replace(below="input")
    is_direct = below.name in names and passed <= {keras.layers.Dropout}
    return found._replace(below=below.name) if is_direct else None


def _producer(layer: Any) -> Any:
    return layer.input._keras_history.operation


def _is_relu(layer: Any) -> bool:
    if isinstance(layer, keras.layers.ReLU):
        return bool(layer.max_value is None and not layer.negative_slope and not layer.threshold)
    return isinstance(layer, keras.layers.Activation) and layer.activation is keras.activations.relu


def _has_relu(layer: Any) -> bool:
    return getattr(layer, "activation", None) is keras.activations.relu


def _is_window(layer: Any) -> bool:
    """Whether a layer is a pooling or a plain convolution (not depthwise or transposed)."""
    if isinstance(layer, keras.layers.MaxPooling2D):
        return True
    if type(layer) is not keras.layers.Conv2D or layer.groups != 1:
        return False
    is_plain = _has_relu(layer) or layer.activation is keras.activations.linear
    return is_plain and layer.dilation_rate == (1, 1)


def _about(found: _Filter, black_white: tuple[float, float]) -> dict[str, Any]:
    layer = found.layer
    is_convolution = isinstance(layer, keras.layers.Conv2D)
    size = layer.kernel_size if is_convolution else layer.pool_size
    about: dict[str, Any] = {
        "kind": "convolution" if is_convolution else "pooling",
        "below": found.below,
        "size": list(size),
        "strides": list(layer.strides),
        "padding": _padding(layer, size),
        "relu": found.is_relu,
    }
    if found.below == "input":
        about["range"] = [value * found.scale + found.offset for value in black_white]
    return about


def _padding(layer: Any, size: tuple[int, int]) -> list[int]:
    """Zeros above and to the left; TensorFlow puts the odd one below and to the right."""
    if layer.padding == "valid":
        return [0, 0]
    sides = zip(layer.input.shape[1:3], layer.output.shape[1:3], size, layer.strides, strict=True)
    return [max((out - 1) * step + window - inside, 0) // 2 for inside, out, window, step in sides]


def _kernel_and_bias(found: _Filter) -> tuple[np.ndarray, np.ndarray]:
    if found.normalization is not None:
        kernel, bias = batchnorm_folding.folded_weights(found.layer, found.normalization)
        return kernel.astype(np.float32), bias.astype(np.float32)
    kernel, *rest = found.layer.get_weights()
    return kernel, rest[0] if rest else np.zeros(kernel.shape[-1], np.float32)
