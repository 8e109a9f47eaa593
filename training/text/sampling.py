"""From logits to a character: temperature, top-k, top-p, and the log-probabilities of the choice."""

from typing import Any, NamedTuple

import tensorflow as tf

TOP = 5  # likeliest characters returned with each one


class Controls(NamedTuple):
    """Sampling options, each [B]."""

    temperature: Any  # float32; 0: always the likeliest
    top_k: Any  # int32; 0: off
    top_p: Any  # float32; 1: off


def describe_choices(ids: Any, logits: Any) -> dict[str, Any]:
    """Log-probabilities and likeliest characters of chosen ids [B, T] and logits [B, T, V]; padded if V < TOP."""
    logprobs = tf.nn.log_softmax(logits)
    count = min(TOP, logits.shape[-1])
    top, top_ids = tf.math.top_k(logprobs, count)
    missing = [[0, 0], [0, 0], [0, TOP - count]]
    return {
        "token_ids": ids,
        "logprobs": tf.gather(logprobs, ids, axis=2, batch_dims=2),
        "top_ids": tf.pad(top_ids, missing),
        "top_logprobs": tf.pad(top, missing, constant_values=logits.dtype.min),
    }


def choose(logits: Any, uniform: Any, controls: Controls) -> Any:
    """Sample an id int32 [B] from logits [B, V] with uniform [B]: temperature, top-k, top-p, inverse CDF."""
    greedy = tf.argmax(logits, axis=1, output_type=tf.int32)
    frozen = controls.temperature <= 0
    temperature = tf.where(frozen, 1.0, controls.temperature)[:, None]
    scaled = (logits - tf.reduce_max(logits, axis=1, keepdims=True)) / temperature
    weights = tf.exp(scaled)
    # Greedy rows need no filter, nor do the padding rows of a batch.
    filtering = ~frozen & ((controls.top_k > 0) | (controls.top_p < 1))
    weights = tf.cond(
        tf.reduce_any(filtering),
        lambda: tf.where(filtering[:, None], _filter(logits, weights, controls), weights),
        lambda: weights,
    )
    mass = tf.cumsum(weights, axis=1)
    beyond = (mass > uniform[:, None] * mass[:, -1:]) & (weights > 0)
    drawn = tf.argmax(beyond, axis=1, output_type=tf.int32)
    # After rounding no id may be above the threshold; then the last possible one is taken.
    last = logits.shape[1] - 1 - tf.argmax(weights[:, ::-1] > 0, axis=1, output_type=tf.int32)
    drawn = tf.where(tf.reduce_any(beyond, axis=1), drawn, last)
    return tf.where(frozen, greedy, drawn)


def _filter(logits: Any, weights: Any, controls: Controls) -> Any:
    """Weights [B, V] with 0 for ids excluded by top-k, then top-p; ties go to the lower id.

    Every pair of characters is compared, which is faster than sorting for a small vocabulary.
    """
    ids = tf.range(logits.shape[1])
    mine, other = logits[:, :, None], logits[:, None, :]
    before = (other > mine) | ((other == mine) & (ids[None, :] < ids[:, None]))  # [B, V, V]
    rank = tf.reduce_sum(tf.cast(before, tf.int32), axis=2)
    top_k = controls.top_k[:, None]
    weights = tf.where((top_k <= 0) | (rank < top_k), weights, 0.0)
    heavier = tf.reduce_sum(tf.where(before, weights[:, None, :], 0.0), axis=2)
    wanted = controls.top_p[:, None] * tf.reduce_sum(weights, axis=1, keepdims=True)
    kept = (rank == 0) | (heavier < wanted) | (controls.top_p[:, None] >= 1)
    return tf.where(kept, weights, 0.0)
