"""Class activation maps (Zhou et al., 2016): what each place of the last maps adds to a class.

Where a network ends in global average pooling and one dense layer, a class' logit is the mean over all places
of maps · weights, plus a bias. The addends of that mean, before the mean is taken, are its map: exact, and
no more than one matrix product.
"""

from typing import Any, NamedTuple

import keras
import tensorflow as tf

TOLERANCE = 1e-3
IDENTITIES = (keras.layers.Dropout,)  # of what may lie between, those that do nothing at inference


class Head(NamedTuple):
    """The end of a network."""

    maps: Any  # symbolic [B, h, w, C], what is pooled
    dense: keras.layers.Dense  # from C to the classes


def find_head(output: Any) -> Head | None:
    """Return the maps and the dense layer that an output comes from; None if it ends otherwise."""
    layer = output._keras_history.operation
    while isinstance(layer, (keras.layers.Softmax, keras.layers.Activation, *IDENTITIES)):
        layer = layer.input._keras_history.operation
    if not isinstance(layer, keras.layers.Dense):
        return None
    below = layer.input._keras_history.operation
    while isinstance(below, IDENTITIES):
        below = below.input._keras_history.operation
    if not isinstance(below, keras.layers.GlobalAveragePooling2D):
        return None
    return Head(below.input, layer)


def heatmap(maps: tf.Tensor, kernel: Any, class_index: tf.Tensor) -> tf.Tensor:
    """Maps [B, h, w, C], a dense layer's kernel [C, N], classes int32 [B] → float32 [B, h, w]."""
    weights = tf.gather(tf.transpose(kernel), class_index)
    return tf.einsum("bhwc,bc->bhw", maps, weights)
