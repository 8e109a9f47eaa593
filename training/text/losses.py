"""The loss of every character of a text, and the logits before it."""

from typing import Any

import tensorflow as tf

from training.text import lstm
from training.text.model import Network


def character_losses(
    net: Network, token_ids: Any, state: Any, dtype: tf.DType = tf.float32
) -> tuple[Any, Any, Any]:
    """Measure every character of token_ids int32 [B, T + 1] but the first.

    state: float32 [2·layers, B, U]; dtype: of the products' factors. Returns nats float32 [B, T],
    whether each was the likeliest bool [B, T], and the state after.
    """
    logits, after = logits_after(net, token_ids[:, :-1], state, dtype)
    nats = tf.nn.sparse_softmax_cross_entropy_with_logits(token_ids[:, 1:], logits)
    hits = tf.argmax(logits, axis=2, output_type=tf.int32) == token_ids[:, 1:]
    return nats, hits, after


def logits_after(
    net: Network, token_ids: Any, state: Any, dtype: tf.DType = tf.float32
) -> tuple[Any, Any]:
    """Logits float32 [B, T, V] after each of token_ids int32 [B, T], and the state after; see `character_losses`."""
    x, after = tf.one_hot(tf.transpose(token_ids), net.symbols), []
    for number, layer in enumerate(net.layers):
        inputs = lstm.multiply(x, layer.kernel, dtype) + layer.bias
        h, c = state[2 * number], state[2 * number + 1]
        x, h, c = lstm.run(inputs, layer.recurrent_kernel, h, c, dtype)
        after += [h, c]
    logits = lstm.multiply(x, net.head, dtype) + net.bias
    return tf.transpose(logits, [1, 0, 2]), tf.stack(after)
