"""The signatures of an exported autoencoder: encode, decode, reconstruct. Images are uint8."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from training.data import mnist
from training.job import Signature
from training.vae import model as vae_model
from training.vae.model import Vae

TASK = "autoencode_image"
INPUT = {"height": 28, "width": 28, "channels": 1}
LARGEST_Z = 1e3  # beyond it a decoder's sums could overflow
GREYS = {"images": 1.0}  # tolerance in grey levels, for rounding


class Coder(NamedTuple):
    """An autoencoder of 28×28 images as functions of tensors."""

    latents: int  # size of z
    encode: Callable[[Any], tuple[Any, Any]]  # images uint8 → z_mean, z_log_var
    decode: Callable[[Any], Any]  # z → outputs [B, 28, 28, 1]
    to_ink: Callable[[Any], Any]  # outputs → probabilities of ink
    loss: Callable[[Any, Any], Any]  # greys 0..1, outputs → nats [B]


def signatures(model: Vae, calibration: Mapping[str, Any]) -> dict[str, Signature]:
    """The signatures of a trained network."""
    encoder, decoder = vae_model.encoder(model), vae_model.decoder(model)
    return make_signatures(
        Coder(
            model.latent_dim,
            lambda images: encoder(_to_floats(images), training=False),
            lambda z: decoder(z, training=False),
            tf.sigmoid,
            vae_model.reconstruction_loss,
        )
    )


def make_signatures(coder: Coder, nats_tolerance: float = 1e-2) -> dict[str, Signature]:
    """`encode`, `decode` and `reconstruct`, for latent vectors z float32 [B, Z].

    Greys are read as the probability of ink, and written so: the image is the decoder's mean. The
    losses are in nats: reconstruction_loss [B] the pixels' cross-entropy with the greys, kl [B].
    """

    def encode(images: tf.Tensor) -> dict[str, tf.Tensor]:
        z_mean, z_log_var = coder.encode(images)
        return {"z_mean": z_mean, "z_log_var": z_log_var}

    def outputs_of(z: tf.Tensor) -> tf.Tensor:
        return coder.decode(tf.clip_by_value(z, -LARGEST_Z, LARGEST_Z))

    def decode(z: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"images": _to_greys(coder.to_ink(outputs_of(z)))}

    def reconstruct(images: tf.Tensor, noise: tf.Tensor) -> dict[str, tf.Tensor]:
        z_mean, z_log_var = coder.encode(images)
        outputs = outputs_of(z_mean + tf.exp(z_log_var / 2) * noise)
        return {
            "images": _to_greys(coder.to_ink(outputs)),
            "reconstruction_loss": coder.loss(_to_floats(images), outputs),
            "kl": vae_model.kl_loss(z_mean, z_log_var),
        }

    images = {"images": tf.TensorSpec([None, 28, 28, 1], tf.uint8)}
    latent = tf.TensorSpec([None, coder.latents], tf.float32)
    draws = np.random.default_rng(7).standard_normal((10, coder.latents)).astype(np.float32)
    digits = mnist.golden_digits()
    nats = dict.fromkeys(("reconstruction_loss", "kl"), nats_tolerance)
    return {
        "encode": Signature(encode, images, {"z_mean": 1e-3, "z_log_var": 1e-3}, digits),
        "decode": Signature(decode, {"z": latent}, GREYS, {"z": draws}),
        "reconstruct": Signature(
            reconstruct, {**images, "noise": latent}, GREYS | nats, {**digits, "noise": draws}
        ),
    }


def _to_floats(images: tf.Tensor) -> tf.Tensor:
    return tf.cast(images, tf.float32) / 255.0


def _to_greys(ink: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.round(ink * 255.0), tf.uint8)
