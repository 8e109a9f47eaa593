"""Trains generator and discriminator, with one update each per step.

Non-saturating logistic loss (Goodfellow et al., 2014) with R1, the squared gradient on real images,
every `lazy` steps (Mescheder et al., 2018; lazily as Karras et al., 2020). The discriminator also estimates
the style dimensions of each generated image, and both networks minimise that error, so that the fine half of
w has a visible effect (InfoGAN: Chen et al., 2016). The released generator is a running mean over the steps.
Convolutions run in bfloat16, weights stay float32.
"""

import csv
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training.fitting import read_history
from training.fitting.progress import Progress
from training.gan import images as gan_images
from training.gan import model as gan_model
from training.gan.layers import GROUP
from training.gan.model import DIGITS, Gan
from training.job import Split

PRECISION = "mixed_bfloat16"  # of the convolutions: twice as quick on a CPU that has it
COLUMNS = (
    "d_loss", "g_loss", "style_loss", "r1", "accuracy_real", "accuracy_generated", "seconds",
)  # fmt: skip


class Fitting:
    """The state of a training: networks, optimizers, the running mean, and its position."""

    def __init__(self, model: Gan, config: Any, train: Split) -> None:
        self.config = config
        self.of_digit = [np.flatnonzero(train.labels == digit) for digit in range(DIGITS)]
        parts = gan_model.parts(model)
        self.mapping, self.synthesis = parts["mapping"], parts["synthesis"]
        self.discriminator = parts["discriminator"]
        self.generator_variables = (
            self.mapping.trainable_variables + self.synthesis.trainable_variables
        )
        self.discriminator_variables = self.discriminator.trainable_variables
        rate, betas = config.learning_rate, {"beta_1": 0.0, "beta_2": 0.99}
        self.g_optimizer = keras.optimizers.Adam(rate, **betas)
        self.d_optimizer = keras.optimizers.Adam(rate, **betas)
        self.g_optimizer.build(self.generator_variables)
        self.d_optimizer.build(self.discriminator_variables)
        self.means = [tf.Variable(v, trainable=False) for v in self.generator_variables]
        self.step = tf.Variable(0, dtype=tf.int64)
        self.spread = model.get_layer("judge_spread")
        self.features = keras.Model(model.inputs[2], self.spread.input)
        networks = [*self.generator_variables, *self.discriminator_variables, self.spread.usual]
        tracked = {"variables": [_plain(v) for v in networks]}
        states = [_plain(v) for o in (self.g_optimizer, self.d_optimizer) for v in o.variables]
        self.checkpoint = tf.train.Checkpoint(
            **tracked, states=states, means=self.means, step=self.step
        )

    def draw(self, count: int) -> tuple[Any, Any]:
        """Latent vectors z [count, Z], and the digits that they are to show, `GROUP` of each."""
        seeds = [tf.stack([self.step, 2 * self.config.seed + part]) for part in range(2)]
        z = tf.random.stateless_normal([count, self.config.z], seeds[0])
        digits = tf.random.stateless_uniform([count // GROUP], seeds[1], 0, DIGITS, tf.int32)
        return z, tf.repeat(digits, GROUP)

    @tf.function
    def learn(self, images: Any, labels: Any) -> dict[str, Any]:
        """One step on real images uint8 [B, 28, 28, 1]; return the values for the history."""
        real = tf.cast(images, tf.float32) / 127.5 - 1
        z, digits = self.draw(tf.shape(real)[0])
        with tf.GradientTape(persistent=True) as tape:
            fake = self.synthesis(self.mapping([z, digits], training=True), training=True)
            of_fake, style = self.discriminator([fake, digits], training=True)
            of_real, _ = self.discriminator([real, labels], training=True)
            unread = tf.reduce_mean((style - z[:, -self.config.style :]) ** 2)
            g_loss = tf.reduce_mean(tf.nn.softplus(-of_fake))
            d_loss = tf.reduce_mean(tf.nn.softplus(of_fake) + tf.nn.softplus(-of_real))
            shown = self.config.style_weight * unread
            d_total, g_total = d_loss + shown, g_loss + shown
        self.d_optimizer.apply(
            tape.gradient(d_total, self.discriminator_variables), self.discriminator_variables
        )
        self.g_optimizer.apply(
            tape.gradient(g_total, self.generator_variables), self.generator_variables
        )
        self._average()
        self.step.assign_add(1)
        return {
            "d_loss": d_loss,
            "g_loss": g_loss,
            "style_loss": unread,
            "accuracy_real": tf.reduce_mean(tf.cast(of_real > 0, tf.float32)),
            "accuracy_generated": tf.reduce_mean(tf.cast(of_fake < 0, tf.float32)),
        }

    @tf.function
    def regularise(self, images: Any, labels: Any) -> Any:
        """One step of R1 alone, times `lazy`, since it is taken so seldom; returns the mean ‖∇‖²."""
        real = tf.cast(images, tf.float32) / 127.5 - 1
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                inner.watch(real)
                total = tf.reduce_sum(self.discriminator([real, labels], training=True)[0])
            slopes = inner.gradient(total, real)
            penalty = tf.reduce_mean(tf.reduce_sum(slopes**2, axis=[1, 2, 3]))
            loss = penalty * (self.config.gamma / 2 * self.config.lazy)
        pulled = outer.gradient(loss, self.discriminator_variables)
        both = zip(pulled, self.discriminator_variables, strict=True)  # some have no say in a slope
        self.d_optimizer.apply(
            [tf.zeros_like(v) if g is None else g for g, v in both], self.discriminator_variables
        )
        self.spread.remember(self.features(real))
        return penalty

    def _average(self) -> None:
        halving = 0.5 ** (self.config.batch_size / self.config.ema_images)
        seen = tf.cast(self.step, tf.float32)
        keep = tf.minimum(
            halving, (1 + seen) / (10 + seen)
        )  # a short run must not keep its initial weights
        for mean, variable in zip(self.means, self.generator_variables, strict=True):
            mean.assign(keep * mean + (1 - keep) * variable)


def train_networks(model: Gan, train: Split, config: Any, workdir: Path) -> dict[str, Any]:
    """Fit generator and discriminator in place; the generator's weights become the running mean.

    Keeps a checkpoint after each epoch and resumes from it, as `fitting.fit` does; an epoch here is
    `epoch_images` images. History: `COLUMNS`, and `samples`, an image of all digits for each epoch.
    """
    quick = gan_model.Gan(config, PRECISION)
    quick.set_weights(model.get_weights())
    fitting = Fitting(quick, config, train)
    manager = tf.train.CheckpointManager(fitting.checkpoint, workdir / "checkpoint", max_to_keep=2)
    manager.restore_or_initialize()
    writer = tf.summary.create_file_writer(str(workdir / "logs"))
    steps = max(1, config.epoch_images // config.batch_size)
    path = workdir / "history.csv"
    progress = Progress(int(fitting.step), config.epochs * steps)
    while (epoch := int(fitting.step) // steps) < config.epochs:
        began = time.monotonic()
        measured = run_epoch(fitting, train, config, (steps, epoch), progress)
        measured["seconds"] = time.monotonic() - began
        write_row(path, epoch, measured)
        save_samples(fitting, workdir, epoch)
        with writer.as_default(epoch):
            for name, value in measured.items():
                tf.summary.scalar(name, value)
        manager.save()
        line = ", ".join(f"{name} {value:.3f}" for name, value in measured.items())
        print(f"{(epoch + 1) * steps * config.batch_size:,} images: {line}", flush=True)
    for variable, mean in zip(fitting.generator_variables, fitting.means, strict=True):
        variable.assign(mean)
    model.set_weights(quick.get_weights())
    return read_history(path)


def run_epoch(
    fitting: Fitting, train: Split, config: Any, where: tuple[int, int], progress: Progress
) -> dict[str, float]:
    """Take an epoch's steps at its learning rate; return the mean of each number.

    where: how many steps, and which epoch, from 0.
    """
    steps, epoch = where
    rate = config.learning_rate * min(1.0, 0.1 + 3 * (1 - epoch / config.epochs))
    for optimizer in (fitting.g_optimizer, fitting.d_optimizer):
        optimizer.learning_rate.assign(rate)
    total: dict[str, float] = {}
    random = np.random.default_rng([config.seed, epoch])
    for step in range(steps):
        chosen = draw_groups(random, fitting.of_digit, config.batch_size)
        batch = tf.constant(train.images[chosen]), tf.constant(train.labels[chosen], tf.int32)
        losses = fitting.learn(*batch)
        if step % config.lazy == 0:
            losses = losses | {"r1": fitting.regularise(*batch) * config.lazy}
        for name, value in losses.items():
            total[name] = total.get(name, 0.0) + float(value) / steps
        words = f"epoch {epoch + 1} of {config.epochs}, step {step + 1} of {steps}"
        progress.show(epoch * steps + step + 1, words)
    return total


def draw_groups(random: np.random.Generator, of_digit: list[np.ndarray], count: int) -> np.ndarray:
    """Indices [count] of images, each `GROUP` of one digit; a digit comes as often as it is."""
    sizes = np.array([len(places) for places in of_digit])
    digits = random.choice(len(sizes), count // GROUP, p=sizes / sizes.sum())
    return np.concatenate([random.choice(of_digit[digit], GROUP) for digit in digits])


def save_samples(fitting: Fitting, workdir: Path, epoch: int) -> None:
    """Ten images of each digit by the running mean, always of the same z."""
    now = [v.numpy() for v in fitting.generator_variables]
    _assign(fitting.generator_variables, fitting.means)
    z = np.random.default_rng(0).standard_normal((100, fitting.config.z), np.float32)
    w = fitting.mapping([tf.constant(z), tf.repeat(tf.range(DIGITS), 10)])
    images = gan_images.to_greys(fitting.synthesis(w))
    _assign(fitting.generator_variables, now)
    folder = workdir / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{epoch:04}.npy", images.numpy())


def write_row(path: Path, epoch: int, measured: dict[str, float]) -> None:
    """Append a row to the CSV file, with a header before the first one."""
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(("epoch", *COLUMNS))
        writer.writerow((epoch, *(f"{measured[name]:.5f}" for name in COLUMNS)))


def _assign(variables: Any, values: Any) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _plain(variable: Any) -> Any:
    return getattr(variable, "value", variable)
