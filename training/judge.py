"""A digit network that judges pictures others made: which digit is it, and how surely?

It is the released `digits`, whose training has nothing to do with the networks it judges.
"""

import importlib

import numpy as np
import tensorflow as tf

from training import release

JUDGE = "digits"


class Judge:
    """Loads the released digit network once."""

    def __init__(self) -> None:
        """Build the network of its recipe, and put the released weights into it."""
        released = release.read(release.RELEASED / JUDGE)
        job = importlib.import_module(f"training.jobs.{released.card['job'].replace('-', '_')}")
        self._network = job.build_model(job.Config(**released.card["configuration"]))
        release.load_weights(released, self._network)
        self._temperature = released.card["calibration"]["temperature"]

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Return the probabilities float32 [B, 10] of pictures uint8 [B, 28, 28, 1]."""
        logits = self._network.predict(images.astype(np.float32), batch_size=500, verbose=0)
        probabilities: np.ndarray = tf.nn.softmax(logits / self._temperature).numpy()
        return probabilities
