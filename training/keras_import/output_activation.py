"""Detects the kind of a classifier's outputs, from its last activation or its values [B, C]."""

import numpy as np
import tensorflow as tf

# How far from 1 the sum of probabilities may be, by the last layer's dtype; 0.02 also holds for
# quantized networks, whose steps are a 256th.
SUM_TOLERANCES = {"float64": 1e-3, "float32": 1e-3}
COARSE_TOLERANCE = 2e-2


def find_kind(raw: np.ndarray, activation: str | None, wanted: str, dtype: str) -> str:
    """`probabilities` or `logits`, from the outputs for some images, float32 [B, C].

    Args:
        raw: the outputs.
        activation: of its last layer; None: not known.
        wanted: auto, probabilities or logits.
        dtype: of the last layer.

    Raises:
        ValueError: it cannot be detected, or `wanted` does not fit the values.
    """
    tolerance = SUM_TOLERANCES.get(dtype, COARSE_TOLERANCE)
    is_share = bool((raw >= -tolerance).all() and (raw <= 1 + tolerance).all())
    furthest = float(np.abs(raw.sum(axis=1) - 1).max())  # of the rows' sums from 1
    if wanted == "probabilities":
        # The option overrides the tolerance as long as the graph can normalize the values.
        if not is_share or (raw.shape[1] > 1 and furthest > COARSE_TOLERANCE):
            raise ValueError(
                f"--outputs must be omitted for values that are not probabilities: {_seen(raw)}"
            )
        return wanted
    if wanted == "logits":
        return wanted
    if not is_share or activation == "linear":
        is_distribution = is_share and raw.shape[1] > 1 and furthest <= tolerance
        return "probabilities" if is_distribution else "logits"
    return _find_shares(raw, activation, furthest, tolerance)


def _find_shares(raw: np.ndarray, activation: str | None, furthest: float, tolerance: float) -> str:
    """The kind of values that all lie between 0 and 1."""
    if raw.shape[1] == 1:
        if activation == "sigmoid":
            return "probabilities"
    elif furthest <= (10 * tolerance if activation == "softmax" else tolerance):
        return "probabilities"
    elif activation == "sigmoid":
        raise ValueError(
            f"the last layer must give one distribution, got a sigmoid for each of {raw.shape[1]} classes; "
            "train with softmax, or give --outputs logits to put a softmax on these values"
        )
    raise ValueError(
        f"--outputs must be probabilities or logits, because the values fit both: {_seen(raw)}"
    )


def _seen(raw: np.ndarray) -> str:
    sums = raw.sum(axis=1)
    return (
        f"the last layer gave {raw.min():.3g} to {raw.max():.3g}, each image's sum "
        f"{sums.min():.3g} to {sums.max():.3g}"
    )


def describe(kind: str, classes: int) -> str:
    """Describe the conversion of the last layer's values."""
    if classes == 1:
        what = "a logit, through a sigmoid" if kind == "logits" else "a sigmoid"
        return f"{what}: the probability of the second label; the first gets the rest"
    return "logits; a softmax is added" if kind == "logits" else "probabilities, normalized to 1"


def to_probabilities(raw: tf.Tensor, kind: str) -> tf.Tensor:
    """Float32 [B, C] → float32 [B, C] with rows that sum to 1; [B, 2] where C is 1."""
    if raw.shape[1] == 1:
        second = tf.sigmoid(raw) if kind == "logits" else tf.clip_by_value(raw, 0.0, 1.0)
        return tf.concat([1 - second, second], axis=1)
    if kind == "logits":
        return tf.nn.softmax(raw)
    shares = tf.clip_by_value(raw, 0.0, 1.0)
    return shares / tf.reduce_sum(shares, axis=1, keepdims=True)
