"""A digit network that judges pictures others made: which digit is it, and how surely?

It is the released `digits`, whose training has nothing to do with the networks it judges.
"""

import importlib
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training.export import release

JUDGE = "digits"
PENULTIMATE = "flatten"  # its layer of 128 numbers before the logits


def released_network(name: str) -> tuple[Any, dict[str, Any]]:
    """Build the network of a released model's recipe, put its weights into it; also return its card."""
    released = release.read(release.RELEASED / name)
    job = importlib.import_module(f"training.jobs.{released.card['job'].replace('-', '_')}")
    network = job.build_model(job.Config(**released.card["configuration"]))
    release.load_weights(released, network)
    return network, released.card


class Judge:
    """Loads the released digit network once."""

    def __init__(self) -> None:
        """Build the network of its recipe, and put the released weights into it."""
        self._network, card = released_network(JUDGE)
        self._temperature = card["calibration"]["temperature"]
        penultimate = self._network.get_layer(PENULTIMATE).output
        self._features = keras.Model(self._network.inputs, penultimate)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Return the probabilities float32 [B, 10] of pictures uint8 [B, 28, 28, 1]."""
        logits = self._network.predict(images.astype(np.float32), batch_size=500, verbose=0)
        probabilities: np.ndarray = tf.nn.softmax(logits / self._temperature).numpy()
        return probabilities

    def features(self, images: np.ndarray) -> np.ndarray:
        """Return the 128 numbers before the logits, float64 [B, 128], of the same pictures."""
        given = images.astype(np.float32)
        found: np.ndarray = self._features.predict(given, batch_size=500, verbose=0)
        return found.astype(np.float64)
