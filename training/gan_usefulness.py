"""Do generated digits teach what real ones would? A fresh network that sees nothing else is the test."""

from typing import Any

import keras
import numpy as np

from training.job import Split

EPOCHS, BATCH = 3, 128


def taught(images: np.ndarray, labels: np.ndarray, test: Split) -> np.ndarray:
    """Train a small network on pictures uint8 [N, 28, 28, 1] alone; its logits for `test`, [B, 10].

    The classification accuracy score of Ravuri and Vinyals (2019), with two convolutions.
    """
    network = _network()
    network.compile(
        keras.optimizers.Adam(1e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    given = images.astype(np.float32)
    network.fit(given, labels, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    logits: np.ndarray = network.predict(test.images.astype(np.float32), BATCH, verbose=0)
    return logits


def _network() -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(24, 5, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(48, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(128, activation="relu"),
            layers.Dense(10),
        ]
    )
