"""Directions in w that change one attribute of an image and keep the others and the digit.

A linear walk is learned through the generator (Jahanian et al., 2020): the attributes of the moved images
are measured differentiably, and the loss is their difference from the wanted change. A linear regression
on labelled latent vectors, tried first, found directions that only work for one digit.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training.gan import attributes as gan_attributes
from training.gan import model as gan_model
from training.gan.images import visible
from training.gan.model import DIGITS, Gan

STEPS, BATCH, RATE = 250, 60, 0.02  # the rate in units of w's spread
FURTHEST = 2.5  # strength of the moves it learns from
SPREADS = 0.7  # change wanted for a strength of 1, in standard deviations within a digit
DIGIT_WEIGHT = 1.0
SCALED_ON = 2_000


class Walks:
    """The training state of all directions: one step in w for each attribute, [A, W]."""

    def __init__(self, model: Gan, w_std: float) -> None:
        networks = gan_model.parts(model)
        self.model, self.w_std = model, w_std
        self.mapping, self.synthesis = networks["mapping"], networks["synthesis"]
        self.encoder = networks["encoder"]
        size = (len(gan_attributes.UNITS), 2 * model.half)
        self.steps = tf.Variable(tf.zeros(size))  # in units of w's spread
        schedule = keras.optimizers.schedules.CosineDecay(RATE, STEPS, alpha=0.05)
        self.optimizer = keras.optimizers.Adam(schedule)
        self.scale = self._spreads()

    def draw(self, count: int, seed: Any) -> tuple[Any, Any]:
        """Latent vectors [count, W] and their digits."""
        z = tf.random.stateless_normal([count, self.model.z_size], seed)
        digits = tf.range(count) % DIGITS
        return self.mapping([z, digits], training=False), digits

    def measured(self, w: Any) -> tuple[Any, Any]:
        """Attributes [B, A] of the images of w [B, W], and those images in -1..1."""
        made = visible(self.synthesis(w, training=False))
        found = gan_attributes.of_ink((made + 1) / 2)
        return tf.stack([found[name] for name in gan_attributes.UNITS], axis=1), made

    @tf.function
    def learn(self, seed: Any) -> Any:
        """One training step on new latent vectors, each moved along every direction by a random strength."""
        w, digits = self.draw(BATCH, seed)
        before, _ = self.measured(w)
        kinds = len(gan_attributes.UNITS)
        strength = tf.random.stateless_uniform([kinds, BATCH, 1], seed + 1, -FURTHEST, FURTHEST)
        wanted = SPREADS * strength * tf.eye(kinds)[:, None, :]
        with tf.GradientTape() as tape:
            moved = w + strength * self.steps[:, None, :] * self.w_std
            after, made = self.measured(tf.reshape(moved, [kinds * BATCH, -1]))
            changes = (tf.reshape(after, [kinds, BATCH, kinds]) - before) / self.scale
            _, logits = self.encoder(made, training=False)
            lost = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.tile(digits, [kinds]), logits)
            off = tf.reduce_mean(tf.reduce_sum((changes - wanted) ** 2, axis=2))
            loss = off + DIGIT_WEIGHT * tf.reduce_mean(lost)
        self.optimizer.apply([tape.gradient(loss, self.steps)], [self.steps])
        return loss

    def _spreads(self) -> Any:
        """Standard deviation of each attribute within a digit, [A]."""
        w, digits = self.draw(SCALED_ON, [41, 0])
        found = self.measured(w)[0].numpy()
        within = [found[digits.numpy() == digit].var(axis=0) for digit in range(DIGITS)]
        return tf.constant(np.sqrt(np.mean(within, axis=0)))


def find(model: Gan, w_std: float) -> dict[str, tuple[np.ndarray, float]]:
    """The unit vector [W] of each attribute, and the distance in w for a strength of 1."""
    walks = Walks(model, w_std)
    for step in range(STEPS):
        loss = walks.learn(tf.constant([42, 2 * step]))
        if step % 50 == 0:
            print(f"directions {step}/{STEPS}: {float(loss):.3f}", flush=True)
    steps = walks.steps.numpy().astype(np.float64) * w_std
    lengths = np.linalg.norm(steps, axis=1)
    return {
        name: (step / length, float(length))
        for name, step, length in zip(gan_attributes.UNITS, steps, lengths, strict=True)
    }
