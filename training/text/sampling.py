"""From logits to characters: temperature, top-k, top-p, and the log-probabilities of the choices."""

from typing import Any, NamedTuple, Protocol

import tensorflow as tf

TOP = 5  # likeliest characters returned with each one


class Controls(NamedTuple):
    """Sampling options, each [B]."""

    temperature: Any  # float32; 0: always the likeliest
    top_k: Any  # int32; 0: off
    top_p: Any  # float32; 1: off


class Recurrence(Protocol):
    """A network that reads a character at a time; a state is a tensor [B, …] or nested tuples of them."""

    @property
    def symbols(self) -> int:
        """V, the size of the vocabulary."""

    def logits(self, state: Any) -> Any:
        """Unnormalized log-probabilities [B, V] of the next character."""

    def step(self, token_ids: Any, state: Any) -> Any:
        """The state after one more character [B] in every row."""


def generate(
    net: Recurrence, state: Any, uniforms: Any, lengths: Any, controls: Controls
) -> tuple[dict[str, Any], Any]:
    """Generate lengths[b] characters after row b of `state`, with uniforms float32 [B, T] in [0, 1).

    Returns token_ids int32 [B, T], logprobs [B, T] (of the chosen, under the distribution before
    any control), the TOP likeliest as top_ids and top_logprobs [B, T, TOP]; and the state after.
    Beyond a row's length everything is 0. Takes as long as the longest row, not T.
    """
    steps, draws = tf.shape(uniforms)[1], tf.transpose(uniforms)

    def step(t: Any, state: Any, ids: Any, logits: Any) -> tuple[Any, ...]:
        scores = net.logits(state)
        token = choose(scores, draws[t], controls)
        going = (t < lengths)[:, None]
        after = tf.nest.map_structure(
            lambda new, old: tf.where(going, new, old), net.step(token, state), state
        )
        return t + 1, after, ids.write(t, token), logits.write(t, scores)

    arrays = (
        tf.TensorArray(tf.int32, steps, element_shape=[None]),
        tf.TensorArray(tf.float32, steps, element_shape=[None, net.symbols]),
    )
    longest = tf.reduce_max(lengths)
    _, state, ids, logits = tf.while_loop(lambda t, *_: t < longest, step, (0, state, *arrays))
    choices = _describe(tf.transpose(ids.stack()), tf.transpose(logits.stack(), [1, 0, 2]))
    inside = tf.sequence_mask(lengths, steps)
    masks = {2: inside, 3: inside[:, :, None]}
    return {name: tf.where(masks[x.shape.rank], x, 0) for name, x in choices.items()}, state


def _describe(ids: Any, logits: Any) -> dict[str, Any]:
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
