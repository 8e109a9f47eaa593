"""A trained autoencoder's encoder and decoder on NumPy arrays of any length."""

from typing import Any

import numpy as np
import tensorflow as tf

from training.vae import model as vae_model
from training.vae.model import Vae

CHUNK = 500


class NumpyVae:
    """A model's encoder and decoder on NumPy arrays, in chunks."""

    def __init__(self, model: Vae) -> None:
        self.latent_dim = model.latent_dim
        self._encoder = tf.function(vae_model.encoder(model), reduce_retracing=True)
        self._decoder = tf.function(vae_model.decoder(model), reduce_retracing=True)

    def encode(self, ink: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Images [B, 28, 28, 1] in 0..1 → z_mean and z_log_var, [B, Z] each."""
        parts = [self._encoder(part) for part in _chunks(ink.astype(np.float32))]
        means, log_vars = zip(*parts, strict=True)
        return np.concatenate(means), np.concatenate(log_vars)

    def decode(self, z: np.ndarray) -> np.ndarray:
        """Latent vectors z [B, Z] → images uint8 [B, 28, 28, 1]."""
        greys = [tf.sigmoid(self._decoder(part)).numpy() for part in _chunks(z)]
        rounded: np.ndarray = np.rint(np.concatenate(greys) * 255).astype(np.uint8)
        return rounded

    def reconstruction_loss(self, ink: np.ndarray, z: np.ndarray) -> np.ndarray:
        """-ln p(ink | z) of each image, [B]."""
        losses = [
            vae_model.reconstruction_loss(part, self._decoder(place)).numpy()
            for part, place in zip(_chunks(ink), _chunks(z), strict=True)
        ]
        return np.concatenate(losses)


def _chunks(array: np.ndarray) -> list[Any]:
    return [tf.constant(array[start : start + CHUNK]) for start in range(0, len(array), CHUNK)]
