"""What the last layer of a classifier gives, told by its numbers, and how it becomes probabilities.

Knows no file and no network, only numbers [B, C].
"""

import numpy as np
import tensorflow as tf

OUTPUTS = ("auto", "probabilities", "logits")
SUM_TOLERANCE = 1e-3  # how far from 1 the sum of probabilities may be


def find_kind(raw: np.ndarray, activation: str | None, wanted: str = "auto") -> str:
    """`probabilities` or `logits`, for what a network gave for some pictures, float32 [B, C].

    activation: of its last layer, where it is known; wanted: one of OUTPUTS, what a person says.

    Raises:
        ValueError: it cannot be told, or what was said is not so.
    """
    is_binary = raw.shape[1] == 1
    is_share = bool((raw >= 0).all() and (raw <= 1).all())
    sums_to_one = is_share and np.allclose(raw.sum(axis=1), 1, atol=SUM_TOLERANCE)
    if wanted == "probabilities" and not (is_share if is_binary else sums_to_one):
        raise ValueError(f"{_seen(raw)}; those are no probabilities, leave --outputs out")
    if wanted != "auto":
        return wanted
    if sums_to_one and not is_binary:
        return "probabilities"
    if activation == "linear" or not is_share:
        return "logits"
    if activation == "sigmoid" and is_binary:
        return "probabilities"
    if activation == "sigmoid":
        raise ValueError(
            f"the last layer is a sigmoid for each of {raw.shape[1]} classes, so that several may be true "
            "at once, and a label is one distribution; train with softmax, or say --outputs logits to "
            "put a softmax on these numbers"
        )
    raise ValueError(f"{_seen(raw)}; say --outputs probabilities or --outputs logits")


def _seen(raw: np.ndarray) -> str:
    sums = raw.sum(axis=1)
    return (
        f"the last layer gave {raw.min():.3g} to {raw.max():.3g}, each picture's sum "
        f"{sums.min():.3g} to {sums.max():.3g}"
    )


def describe(kind: str, classes: int) -> str:
    """Say in words what is done with the last layer's numbers."""
    if classes == 1:
        what = "a logit, through a sigmoid" if kind == "logits" else "a sigmoid"
        return f"{what}: the probability of the second label; the first gets the rest"
    return "logits; a softmax is added" if kind == "logits" else "probabilities, as they are"


def to_probabilities(raw: tf.Tensor, kind: str) -> tf.Tensor:
    """Float32 [B, C] → float32 [B, C] with rows that sum to 1; [B, 2] where C is 1."""
    if raw.shape[1] == 1:
        second = tf.sigmoid(raw) if kind == "logits" else raw
        return tf.concat([1 - second, second], axis=1)
    return tf.nn.softmax(raw) if kind == "logits" else raw
