"""The signatures of an exported autoencoder: encode, decode, reconstruct. Images are uint8."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from training.job import Signature
from training.vae import model as vae_model
from training.vae.model import Vae

TASK = "autoencode_image"
INPUT = {"height": 28, "width": 28, "channels": 1}
LARGEST_Z = 1e3  # beyond it a decoder's sums could overflow
GREYS = {"images": 1.0}  # tolerance in grey levels, for rounding
NATS = {"reconstruction_loss": 1e-2, "kl": 1e-2}


def signatures(model: Vae, calibration: Mapping[str, Any]) -> dict[str, Signature]:
    """`encode`, `decode` and `reconstruct`, for latent vectors z float32 [B, Z].

    Greys are read as the probability of ink, and written so: the image is the decoder's mean. The
    losses are in nats: reconstruction_loss [B] the pixels' cross-entropy with the greys, kl [B].
    """
    encoder, decoder = vae_model.encoder(model), vae_model.decoder(model)
    size = model.latent_dim

    def encode(images: tf.Tensor) -> dict[str, tf.Tensor]:
        z_mean, z_log_var = encoder(_to_ink(images), training=False)
        return {"z_mean": z_mean, "z_log_var": z_log_var}

    def decode(z: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = decoder(tf.clip_by_value(z, -LARGEST_Z, LARGEST_Z), training=False)
        return {"images": _to_greys(logits)}

    def reconstruct(images: tf.Tensor, noise: tf.Tensor) -> dict[str, tf.Tensor]:
        ink = _to_ink(images)
        outputs = model([ink, noise], training=False)
        return {
            "images": _to_greys(outputs["logits"]),
            "reconstruction_loss": vae_model.reconstruction_loss(ink, outputs["logits"]),
            "kl": vae_model.kl_loss(outputs["z_mean"], outputs["z_log_var"]),
        }

    images = {"images": tf.TensorSpec([None, 28, 28, 1], tf.uint8)}
    latent = tf.TensorSpec([None, size], tf.float32)
    draws = np.random.default_rng(7).standard_normal((10, size)).astype(np.float32)
    return {
        "encode": Signature(encode, images, {"z_mean": 1e-3, "z_log_var": 1e-3}),
        "decode": Signature(decode, {"z": latent}, GREYS, {"z": draws}),
        "reconstruct": Signature(
            reconstruct, {**images, "noise": latent}, GREYS | NATS, {"noise": draws}
        ),
    }


def _to_ink(images: tf.Tensor) -> tf.Tensor:
    return tf.cast(images, tf.float32) / 255.0


def _to_greys(logits: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.round(tf.sigmoid(logits) * 255.0), tf.uint8)
