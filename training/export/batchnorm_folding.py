"""Folds batch normalization into the preceding convolutions: the same function with fewer operations.

At inference γ · (W*x + b - μ) / σ + β is again a convolution, with kernel W · γ/σ and bias β + (b - μ) · γ/σ.
"""

from typing import Any

import keras
import numpy as np


def fold(model: keras.Model) -> keras.Model:
    """The same network for inference, each normalization that alone follows a linear convolution in its kernel.

    It equals `model(x, training=False)` up to rounding. All other layers are the model's own.
    """
    pairs = {after.name: before for before, after in _pairs(model)}
    folded = {convolution.name for convolution in pairs.values()}

    def clone(layer: Any) -> Any:
        if layer.name not in folded:
            return layer
        return type(layer).from_config(layer.get_config() | {"use_bias": True})

    def call(layer: Any, inputs: Any, **options: Any) -> Any:
        return inputs if layer.name in pairs else layer(inputs, **options)

    network = keras.models.clone_model(model, clone_function=clone, call_function=call)
    for name, convolution in pairs.items():
        both = folded_weights(convolution, model.get_layer(name))
        network.get_layer(convolution.name).set_weights(both)
    return network


def _pairs(model: keras.Model) -> list[tuple[Any, Any]]:
    """(convolution, normalization) wherever nothing else reads the convolution."""
    found = []
    for layer in model.layers:
        if not isinstance(layer, keras.layers.BatchNormalization):
            continue
        before = layer.input._keras_history.operation
        if _is_linear_convolution(before) and len(before._outbound_nodes) == 1:
            found.append((before, layer))
    return found


def _is_linear_convolution(layer: Any) -> bool:
    kinds = keras.layers.Conv2D | keras.layers.DepthwiseConv2D
    return isinstance(layer, kinds) and layer.activation is keras.activations.linear


def folded_weights(convolution: Any, normalization: Any) -> list[np.ndarray]:
    """Kernel and bias of both together."""
    kernel, *bias = convolution.get_weights()
    scale = 1 / np.sqrt(np.asarray(normalization.moving_variance) + normalization.epsilon)
    if normalization.scale:
        scale = scale * np.asarray(normalization.gamma)
    shift = ((bias[0] if bias else 0.0) - np.asarray(normalization.moving_mean)) * scale
    if normalization.center:
        shift = shift + np.asarray(normalization.beta)
    if isinstance(convolution, keras.layers.DepthwiseConv2D):
        scale = scale.reshape(kernel.shape[2:])
    return [kernel * scale, shift]
