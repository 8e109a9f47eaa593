"""A trained autoencoder's encoder and decoder on NumPy arrays of any length."""

import numpy as np
import tensorflow as tf

from training.evaluation.batches import in_batches
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
        return tuple(in_batches(self._encoder, ink.astype(np.float32), rows=CHUNK))

    def decode(self, z: np.ndarray) -> np.ndarray:
        """Latent vectors z [B, Z] → images uint8 [B, 28, 28, 1]."""
        greys = in_batches(lambda part: tf.sigmoid(self._decoder(part)), z, rows=CHUNK)
        return np.rint(greys * 255).astype(np.uint8)

    def reconstruction_loss(self, ink: np.ndarray, z: np.ndarray) -> np.ndarray:
        """-ln p(ink | z) of each image, [B]."""
        return in_batches(
            lambda part, place: vae_model.reconstruction_loss(part, self._decoder(place)),
            ink,
            z,
            rows=CHUNK,
        )
