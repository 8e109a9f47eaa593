"""Features of a photo network, for evaluations that do not depend on a digit network.

EfficientNet-Lite0 with its ImageNet weights was not trained on digits. A digit network may have learned to
ignore defects of generated digits.
"""

import sys
import time
from typing import Any

import keras
import numpy as np

from training.pretrained import frozen_features

SIZE = 1280  # features per image
REPORTED = 2_500  # images between two lines of progress


class PhotoFeatures:
    """The features of a photo network, which is loaded once."""

    def __init__(self) -> None:
        """Load the network; ValueError if the package of its weights is missing."""
        maps = frozen_features.backbone(frozen_features.TransferConfig())
        pooled = keras.layers.GlobalAveragePooling2D()(maps.output)
        self._network: Any = keras.Model(maps.inputs, pooled)

    def __call__(self, images: np.ndarray, name: str) -> np.ndarray:
        """The last maps' means float64 [B, 1280] of images uint8 [B, 28, 28, 1], seen at 96×96.

        Some ten milliseconds an image on a slow core: progress goes to stderr under `name`.
        """
        began, runs = time.monotonic(), []
        for start in range(0, len(images), frozen_features.BATCH):
            batch = images[start : start + frozen_features.BATCH].astype(np.float32)
            runs.append(np.asarray(self._network.predict_on_batch(batch), np.float64))
            done = start + len(batch)
            if done % REPORTED == 0:
                seconds = time.monotonic() - began
                line = f"{name}: features of {done:,} of {len(images):,}, {seconds:.0f} s"
                print(line, file=sys.stderr, flush=True)
        return np.concatenate(runs)
