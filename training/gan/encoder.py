"""The encoder: from an image to its w, trained after the generator.

For generated images w is known; for real images the loss is the difference of the image that the
estimated w generates. The encoder also predicts the digit.
"""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training.gan import model as gan_model
from training.gan.images import softened, visible
from training.gan.model import DIGITS, Gan
from training.job import Split

REAL_WEIGHT, DIGIT_WEIGHT = 10.0, 0.2


class EncoderFitting:
    """The state of the encoder's training."""

    def __init__(self, model: Gan, config: Any, steps: int) -> None:
        networks = gan_model.parts(model)
        self.mapping, self.synthesis = networks["mapping"], networks["synthesis"]
        self.encoder, self.config = networks["encoder"], config
        z = np.random.default_rng(config.seed).standard_normal((1_000, config.z), np.float32)
        w = self.mapping([tf.constant(z), tf.range(1_000) % DIGITS])
        self.scale = float(tf.math.reduce_std(w))
        schedule = keras.optimizers.schedules.CosineDecay(config.learning_rate, steps, alpha=0.02)
        self.optimizer = keras.optimizers.Adam(schedule)
        self.step = tf.Variable(0, dtype=tf.int64)

    @tf.function
    def learn(self, images: Any, labels: Any) -> Any:
        """One step on as many generated images as real ones, uint8 [B, 28, 28, 1]; the loss."""
        real = tf.cast(images, tf.float32) / 127.5 - 1
        w, digits = self._draw(tf.shape(real)[0])
        made = visible(self.synthesis(w, training=False))
        with tf.GradientTape() as tape:
            both, digits = tf.concat([made, real], 0), tf.concat([digits, labels], 0)
            guess, logits = self.encoder(both, training=True)
            of_made, of_real = tf.split(guess, 2)
            found = tf.reduce_mean(((of_made - w) / self.scale) ** 2)
            remade = softened(self.synthesis(of_real, training=False))
            again = tf.reduce_mean((remade - real) ** 2)
            read = tf.nn.sparse_softmax_cross_entropy_with_logits(digits, logits)
            loss = found + REAL_WEIGHT * again + DIGIT_WEIGHT * tf.reduce_mean(read)
        variables = self.encoder.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        self.step.assign_add(1)
        return tf.stack([found, again, tf.reduce_mean(read)])

    def _draw(self, count: Any) -> tuple[Any, Any]:
        seeds = [tf.stack([self.step, 2 * self.config.seed + part]) for part in range(2)]
        z = tf.random.stateless_normal([count, self.config.z], seeds[0])
        digits = tf.random.stateless_uniform([count], seeds[1], 0, DIGITS, tf.int32)
        return self.mapping([z, digits], training=False), digits


def train_encoder(model: Gan, train: Split, config: Any, workdir: Path) -> dict[str, Any]:
    """Fit the encoder of a trained generator in place; return its losses, one for each hundredth of the way.

    A finished one is kept in `workdir`, for a generator of the same number of epochs, and read again.
    """
    path = workdir / f"encoder-{config.epochs}-{config.encoder_images}.npz"
    encoder = gan_model.parts(model)["encoder"]
    if path.is_file():
        with np.load(path) as kept:
            encoder.set_weights([kept[f"arr_{n}"] for n in range(len(encoder.weights))])
            return {"encoder_loss": kept["losses"].tolist()}
    steps = max(1, config.encoder_images // config.batch_size)
    fitting, random, losses = EncoderFitting(model, config, steps), np.random.default_rng(1), []
    every = max(1, steps // 100)
    for step in range(steps):
        chosen = random.integers(0, len(train.labels), config.batch_size)
        batch = tf.constant(train.images[chosen]), tf.constant(train.labels[chosen], tf.int32)
        parts = fitting.learn(*batch).numpy()
        if step % every == 0:
            losses.append(round(float(parts.sum()), 5))
        if step % (10 * every) == 0:
            print(f"encoder {step}/{steps}: w, image, digit {np.round(parts, 4)}", flush=True)
    np.savez(path, *encoder.get_weights(), losses=np.array(losses))
    return {"encoder_loss": losses}
