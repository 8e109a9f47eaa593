"""A released digit classifier as a measuring instrument: predicted digits and their probabilities."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

PENULTIMATE = "flatten"  # the layer of 128 values before the logits


class ReferenceClassifier:
    """Probabilities and features of images, from a network that did not generate them.

    network: maps float32 [B, 28, 28, 1] in 0..255 to logits [B, 10]; temperature: divides the logits.
    """

    def __init__(self, network: Any, temperature: float) -> None:
        self._network, self._temperature = network, temperature
        penultimate = network.get_layer(PENULTIMATE).output
        self._features = keras.Model(network.inputs, penultimate)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Return the probabilities float32 [B, 10] of images uint8 [B, 28, 28, 1]."""
        logits = self._network.predict(images.astype(np.float32), batch_size=500, verbose=0)
        probabilities: np.ndarray = tf.nn.softmax(logits / self._temperature).numpy()
        return probabilities

    def features(self, images: np.ndarray) -> np.ndarray:
        """Return the 128 values before the logits, float64 [B, 128], of the same images."""
        floats = images.astype(np.float32)
        features: np.ndarray = self._features.predict(floats, batch_size=500, verbose=0)
        return features.astype(np.float64)
