"""Class activation maps (Zhou et al., 2016): the contribution of each position of the last feature maps to a class.

If a network ends in global average pooling and one dense layer, a class' logit is the mean over all positions
of maps · weights, plus a bias. The terms of that mean are the activation map. It is exact and costs one matrix
product.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from training.job import Signature

TOLERANCE = 1e-3
IDENTITIES = (keras.layers.Dropout,)  # layers in between that do nothing at inference


class Head(NamedTuple):
    """The end of a network."""

    maps: Any  # symbolic [B, h, w, C], what is pooled
    dense: keras.layers.Dense  # from C to the classes


def find_head(output: Any) -> Head | None:
    """Return the maps and the dense layer of an output; None for another kind of ending."""
    layer = output._keras_history.operation
    while isinstance(layer, (keras.layers.Softmax, keras.layers.Activation, *IDENTITIES)):
        layer = layer.input._keras_history.operation
    if not isinstance(layer, keras.layers.Dense):
        return None
    below = layer.input._keras_history.operation
    while isinstance(below, IDENTITIES):
        below = below.input._keras_history.operation
    is_pooling = isinstance(below, keras.layers.GlobalAveragePooling2D)
    if not is_pooling or below.data_format != "channels_last":
        return None
    return Head(below.input, layer)


def heatmap(maps: tf.Tensor, kernel: Any, class_index: tf.Tensor) -> tf.Tensor:
    """Maps [B, h, w, C], a dense layer's kernel [C, N], classes int32 [B] → float32 [B, h, w]."""
    weights = tf.gather(tf.transpose(kernel), class_index)
    return tf.einsum("bhwc,bc->bhw", maps, weights)


def signatures(
    run: Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]],
    kernel: Any,
    images: np.ndarray,
    scores: str = "probabilities",
) -> dict[str, Signature]:
    """`explain`, the map of one class, and `classify_and_explain`, scores and all maps in one run.

    Args:
        run: Images uint8 [B, H, W, C] → scores [B, N], and the maps [B, h, w, C] that are pooled.
        kernel: Of the dense layer, [C, N].
        images: Golden images.
        scores: The name of the scores.
    """

    def explain(images: tf.Tensor, class_index: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"heatmap": heatmap(run(images)[1], kernel, class_index)}

    def classify_and_explain(images: tf.Tensor) -> dict[str, tf.Tensor]:
        found, maps = run(images)
        return {scores: found, "heatmaps": tf.einsum("bhwc,cn->bhwn", maps, kernel)}

    inputs = {"images": tf.TensorSpec([None, *images.shape[1:]], tf.uint8)}
    classes = np.arange(len(images), dtype=np.int32) % kernel.shape[1]
    return {
        "explain": Signature(
            explain,
            inputs | {"class_index": tf.TensorSpec([None], tf.int32)},
            {"heatmap": TOLERANCE},
            {"images": images, "class_index": classes},
        ),
        "classify_and_explain": Signature(
            classify_and_explain, inputs, {scores: 1e-4, "heatmaps": TOLERANCE}, {"images": images}
        ),
    }
