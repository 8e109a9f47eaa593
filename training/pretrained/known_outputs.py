"""Known outputs of the original EfficientNet-Lite networks for a computed image.

The figures come from networks whose probabilities for a photograph differ from the stored output of the
original TensorFlow model by less than 1e-6 (Lite0 2e-7, Lite2 8e-7).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np


class Known(NamedTuple):
    """Probabilities of the likeliest classes for `sines`; length and mean of the pooled features."""

    probabilities: Mapping[int, float]
    length: float
    mean: float


ORIGINALS = {
    "EfficientNetLite0": Known(
        {418: 0.14481, 506: 0.13963, 584: 0.05090, 772: 0.04836, 782: 0.02918}, 20.83241, 0.179019
    ),
    "EfficientNetLite2": Known(
        {714: 0.70866, 906: 0.07151, 723: 0.01956, 641: 0.01710, 451: 0.00998}, 18.27411, 0.185516
    ),
}


def differences(outputs: Mapping[str, Any], known: Known) -> dict[str, float]:
    """Differences of outputs for `sines` from the original's; all are below 1e-4 for the same network."""
    features, found = (np.asarray(outputs[name])[0] for name in ("features", "probabilities"))
    expected = np.array(list(known.probabilities.values()))
    return {
        "known_probabilities_largest_difference": float(
            np.abs(found[list(known.probabilities)] - expected).max()
        ),
        "known_features_length_difference": abs(float(np.linalg.norm(features)) - known.length),
        "known_features_mean_difference": abs(float(features.mean()) - known.mean),
    }


def sines(size: int = 224) -> np.ndarray:
    """Create the image of the known outputs, float32 [1, size, size, 3], grey levels 0..255."""
    row, column = np.arange(size)[:, np.newaxis], np.arange(size)
    channels = [127 + 100 * np.sin(0.05 * (row + 1) * (c + 1) + 0.07 * column) for c in range(3)]
    return np.stack(channels, -1)[np.newaxis].astype(np.float32)
