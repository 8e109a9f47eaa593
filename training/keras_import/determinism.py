"""Checks that a network gives the same, finite outputs for the same inputs."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from training.keras_import.options import say

Outputs = Mapping[str, np.ndarray]


def run_twice(path: object, run: Callable[[], Outputs]) -> Outputs:
    """The outputs of a run, once a second one gave the same.

    Raises:
        ValueError: they differ; names the outputs.
    """
    first, second = run(), run()
    different = [name for name in first if not _equal(first[name], second[name])]
    if different:
        raise ValueError(
            f"{path} must be deterministic, got two values of {', '.join(different)} for the same inputs; "
            "save the network without Dropout or augmentation called with training=True"
        )
    return first


def trained_at_inference(model: Any) -> list[str]:
    """Layers of a functional or sequential Keras model, those of nested ones too, that are called with training=True.

    Returns "name (class)" of each, in the model's order.
    """
    return [
        f"{layer.name} ({type(layer).__name__})"
        for layer in model._flatten_layers(include_self=False)
        if any(node.arguments.kwargs.get("training") is True for node in layer._inbound_nodes)
    ]


def _equal(one: np.ndarray, other: np.ndarray) -> bool:
    if one.dtype.kind not in "fc":
        return bool(np.array_equal(one, other))
    if one.shape != other.shape:
        return False
    scale = max(1.0, float(np.max(np.abs(one), initial=0.0, where=np.isfinite(one))))
    return bool(np.allclose(one, other, rtol=0, atol=1e-5 * scale, equal_nan=True))


def finite_rows(path: object, raw: np.ndarray, what: str) -> np.ndarray:
    """Which rows of raw [B, ...] are finite, bool [B]; warns if some are not.

    Raises:
        ValueError: none is.
    """
    is_finite: Any = np.isfinite(raw).reshape(len(raw), -1).all(axis=1)
    count = int(np.count_nonzero(~is_finite))
    if count == len(raw):
        raise ValueError(
            f"{path} must give finite values, got NaN or infinity for {count} of {len(raw)} {what}; check "
            "its weights and the --input-range"
        )
    if count:
        say(
            f"warning: {path} gives NaN or infinity for {count} of {len(raw)} {what}; the service will "
            "answer such images with an error"
        )
    found: np.ndarray = is_finite
    return found
