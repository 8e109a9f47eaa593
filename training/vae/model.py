"""The network of a variational autoencoder of 28×28 images, and the two parts of its loss.

An image becomes a normal distribution over z (its mean and the logarithm of its variance), a point of
that distribution becomes an image again. Sources: Kingma and Welling (2014); β of Higgins et al. (2017).
With β 0 it is a plain autoencoder: z is the mean.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from training.job import JobConfig

LOG_VAR_RANGE = (-8.0, 4.0)  # outside it exp() would make early steps wild
POINT_LOG_VAR = -40.0  # a plain autoencoder's: noise times exp(-20) is lost in float32


@dataclass(frozen=True)
class VaeConfig(JobConfig):
    """The numbers that every autoencoder has."""

    latent_dim: int = 20
    cosine: int = 0  # epochs of one cosine of the learning rate, then the next one; 0: one over all
    beta: float = 1.0  # weight of the KL term; 0: a plain autoencoder
    kl_warmup: float = 0.1  # share of the first cosine in which that weight rises from 0
    weight_decay: float = 1e-4
    ema: float = 0.999
    maps: int = 64  # of the convolutions at 14×14; those at 7×7 have half as many again
    units: int = 256  # of the dense layers
    depth: int = 0  # residual dense layers on each side of the bottleneck


class Vae(keras.Model):
    """Images float32 [B, 28, 28, 1] in 0..1 and noise float32 [B, Z] → logits, z_mean, z_log_var.

    All randomness is an input. `kl_weight` gives the weight of the KL term at a step (int64 scalar).
    """

    def __init__(self, config: VaeConfig) -> None:
        """Put encoder, the sampled z and decoder into one graph, so that each layer is in its table."""
        images = keras.Input((28, 28, 1), name="images")
        noise = keras.Input((config.latent_dim,), name="noise")
        z_mean, z_log_var = _encoder(images, config)
        z = Reparameterize(name="z")([z_mean, z_log_var, noise])
        outputs = {"logits": _decoder(z, config), "z_mean": z_mean, "z_log_var": z_log_var}
        super().__init__(inputs=[images, noise], outputs=outputs, name="vae")
        self.beta, self.latent_dim = config.beta, config.latent_dim
        self.kl_weight: Callable[[Any], Any] = lambda step: config.beta
        self.reconstruction_tracker = keras.metrics.Mean(name="reconstruction_loss")
        self.kl_tracker = keras.metrics.Mean(name="kl_loss")

    def compute_loss(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Mean over the batch of reconstruction_loss + weight · kl_loss; the whole β outside training."""
        reconstruction = reconstruction_loss(y, y_pred["logits"])
        kl = kl_loss(y_pred["z_mean"], y_pred["z_log_var"])
        self.reconstruction_tracker.update_state(reconstruction)
        self.kl_tracker.update_state(kl)
        weight = self.kl_weight(self.optimizer.iterations) if training else self.beta
        return tf.reduce_mean(reconstruction + weight * kl)


class Reparameterize(keras.layers.Layer):
    """z = z_mean + exp(z_log_var / 2) · noise: random, and yet with a gradient for both."""

    def call(self, inputs: Any) -> Any:
        """z_mean, z_log_var and noise [B, Z] each → z [B, Z]."""
        z_mean, z_log_var, noise = inputs
        return z_mean + keras.ops.exp(z_log_var / 2) * noise


def reconstruction_loss(images: Any, logits: Any) -> Any:
    """-ln p(images | logits) in nats, [B]: summed over the pixels, [B, 28, 28, 1] each.

    A sum and no mean over pixels: a mean would weigh the KL term 784 times as much.
    """
    losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=images, logits=logits)
    return tf.reduce_sum(losses, axis=[1, 2, 3])


def kl_loss(z_mean: Any, z_log_var: Any) -> Any:
    """KL divergence of N(z_mean, exp(z_log_var)) [B, Z] from N(0, 1) in nats, [B]."""
    return tf.reduce_sum(kl_per_dimension(z_mean, z_log_var), axis=1)


def kl_per_dimension(z_mean: Any, z_log_var: Any) -> Any:
    """½ (μ² + σ² - 1 - ln σ²), [B, Z]."""
    return 0.5 * (z_mean**2 + tf.exp(z_log_var) - 1 - z_log_var)


def build_model(config: VaeConfig) -> Vae:
    """Make the untrained network."""
    return Vae(config)


def encoder(model: Vae) -> keras.Model:
    """Images float32 [B, 28, 28, 1] in 0..1 → [z_mean, z_log_var], [B, Z] each."""
    parts = [model.get_layer(name).output for name in ("z_mean", "z_log_var")]
    return keras.Model(model.inputs[0], parts)


def decoder(model: Vae) -> keras.Model:
    """Z float32 [B, Z] → logits [B, 28, 28, 1]."""
    return keras.Model(model.get_layer("z").output, model.get_layer("logits").output)


def clamp(z_log_var: Any) -> Any:
    """Keep the logarithm of the variance where exp() is tame."""
    return keras.ops.clip(z_log_var, *LOG_VAR_RANGE)


def _encoder(images: Any, config: VaeConfig) -> tuple[Any, Any]:
    layers, wide = keras.layers, config.maps * 3 // 2
    x = layers.Conv2D(config.maps // 2, 5, 2, "same", activation="silu", name="conv1")(images)
    x = layers.Conv2D(config.maps, 3, 1, "same", activation="silu", name="conv2")(x)
    x = layers.Conv2D(wide, 4, 2, "same", activation="silu", name="conv3")(x)
    x = _residual(x, "conv4", wide)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(config.units, activation="silu", name="dense1")(x)
    x = _deepen(x, "before", config)
    z_mean = layers.Dense(config.latent_dim, name="z_mean")(x)
    if not config.beta:
        return z_mean, layers.Rescaling(0.0, POINT_LOG_VAR, name="z_log_var")(z_mean)
    return z_mean, layers.Dense(config.latent_dim, activation=clamp, name="z_log_var")(x)


def _decoder(z: Any, config: VaeConfig) -> Any:
    layers, wide = keras.layers, config.maps * 3 // 2
    x = layers.Dense(config.units, activation="silu", name="dense2")(z)
    x = _deepen(x, "after", config)
    x = layers.Dense(7 * 7 * wide, activation="silu", name="dense3")(x)
    x = layers.Reshape((7, 7, wide), name="reshape")(x)
    x = _residual(x, "conv5", wide)
    x = layers.Conv2DTranspose(config.maps, 4, 2, "same", activation="silu", name="up1")(x)
    x = _residual(x, "conv6", config.maps)
    return layers.Conv2DTranspose(1, 6, 2, "same", name="logits")(x)


def _residual(x: Any, name: str, maps: int) -> Any:
    """A convolution whose result is added to what went in, which learns faster than one in its way."""
    layers = keras.layers
    y = layers.Conv2D(maps, 3, 1, "same", activation="silu", name=name)(x)
    return layers.Add(name=f"{name}_add")([x, y])


def _deepen(x: Any, name: str, config: VaeConfig) -> Any:
    """Dense layers [B, U] whose results are added to what went in: few numbers need a winding map."""
    layers = keras.layers
    for number in range(1, config.depth + 1):
        y = layers.Dense(config.units, activation="silu", name=f"{name}{number}")(x)
        x = layers.Add(name=f"{name}{number}_add")([x, y])
    return x
