"""How generator and discriminator learn against each other, in one pass each a step.

Non-saturating logistic loss (Goodfellow et al., 2014) with R1, the squared gradient on real pictures,
every `lazy` steps (Mescheder et al., 2018; lazily as Karras et al., 2020). The released
generator is a running mean over the steps. Half of the pictures have their fine half of w from another z
and another digit, so that the fine half learns to leave the digit alone.
"""

import csv
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training import gan_model, gan_pictures
from training.gan_model import DIGITS, GROUP, Gan
from training.job import Split

COLUMNS = (
    "d_loss", "g_loss", "r1", "accuracy_real", "accuracy_generated", "seconds",
)  # fmt: skip


class Fitting:
    """What a training holds: networks, optimisers, the running mean, and where it is."""

    def __init__(self, model: Gan, config: Any, train: Split) -> None:
        self.config = config
        self.of_digit = [np.flatnonzero(train.labels == digit) for digit in range(DIGITS)]
        parts = gan_model.parts(model)
        self.mapping, self.synthesis = parts["mapping"], parts["synthesis"]
        self.discriminator = parts["discriminator"]
        self.made_by = self.mapping.trainable_variables + self.synthesis.trainable_variables
        self.judged_by = self.discriminator.trainable_variables
        rate, betas = config.learning_rate, {"beta_1": 0.0, "beta_2": 0.99}
        self.g_optimizer = keras.optimizers.Adam(rate, **betas)
        self.d_optimizer = keras.optimizers.Adam(rate, **betas)
        self.g_optimizer.build(self.made_by)
        self.d_optimizer.build(self.judged_by)
        self.means = [tf.Variable(v, trainable=False) for v in self.made_by]
        self.step = tf.Variable(0, dtype=tf.int64)
        self.spread = model.get_layer("judge_spread")
        self.judged_maps = keras.Model(model.inputs[2], model.get_layer("judge4").output)
        networks = [*self.made_by, *self.judged_by, self.spread.usual]
        tracked = {"variables": [_plain(v) for v in networks]}
        states = [_plain(v) for o in (self.g_optimizer, self.d_optimizer) for v in o.variables]
        self.checkpoint = tf.train.Checkpoint(
            **tracked, states=states, means=self.means, step=self.step
        )

    def draw(self, count: int) -> tuple[Any, Any]:
        """Styles w [count, W], half of them mixed, and the digits that they are to show."""
        seeds = [tf.stack([self.step, 3 * self.config.seed + part]) for part in range(3)]
        z = tf.random.stateless_normal([2 * count, self.config.z], seeds[0])
        digits = tf.random.stateless_uniform([2 * count // GROUP], seeds[1], 0, DIGITS, tf.int32)
        digits = tf.repeat(digits, GROUP)
        coarse, other = tf.split(self.mapping([z, digits], training=True), 2)
        mixed = tf.random.stateless_uniform([count, 1], seeds[2]) < self.config.mixing
        return tf.concat([coarse, tf.where(mixed, other, coarse)], axis=1), digits[:count]

    @tf.function
    def learn(self, images: Any, labels: Any) -> dict[str, Any]:
        """One step on real pictures uint8 [B, 28, 28, 1]; return what the history wants to know."""
        real = tf.cast(images, tf.float32) / 127.5 - 1
        with tf.GradientTape(persistent=True) as tape:
            w, digits = self.draw(tf.shape(real)[0])
            fake = self.synthesis(w, training=True)
            of_fake = self.discriminator([fake, digits], training=True)
            of_real = self.discriminator([real, labels], training=True)
            g_loss = tf.reduce_mean(tf.nn.softplus(-of_fake))
            d_loss = tf.reduce_mean(tf.nn.softplus(of_fake) + tf.nn.softplus(-of_real))
        self.d_optimizer.apply(tape.gradient(d_loss, self.judged_by), self.judged_by)
        self.g_optimizer.apply(tape.gradient(g_loss, self.made_by), self.made_by)
        self._average()
        self.step.assign_add(1)
        return {
            "d_loss": d_loss,
            "g_loss": g_loss,
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
                total = tf.reduce_sum(self.discriminator([real, labels], training=True))
            slopes = inner.gradient(total, real)
            penalty = tf.reduce_mean(tf.reduce_sum(slopes**2, axis=[1, 2, 3]))
            loss = penalty * (self.config.gamma / 2 * self.config.lazy)
        pulled = outer.gradient(loss, self.judged_by)
        both = zip(pulled, self.judged_by, strict=True)  # the last bias has no say in a slope
        self.d_optimizer.apply(
            [tf.zeros_like(v) if g is None else g for g, v in both], self.judged_by
        )
        self.spread.remember(self.judged_maps(real))
        return penalty

    def _average(self) -> None:
        halving = 0.5 ** (self.config.batch_size / self.config.ema_images)
        seen = tf.cast(self.step, tf.float32)
        keep = tf.minimum(halving, (1 + seen) / (10 + seen))  # a short run must not keep its start
        for mean, variable in zip(self.means, self.made_by, strict=True):
            mean.assign(keep * mean + (1 - keep) * variable)


def train_networks(model: Gan, train: Split, config: Any, workdir: Path) -> dict[str, Any]:
    """Fit generator and discriminator; the generator's weights that remain are the running mean.

    Keeps a checkpoint after each epoch and resumes from it, as `fitting.fit` does; an epoch here is
    `epoch_images` pictures. History: `COLUMNS`, and `samples`, a picture of all digits for each epoch.
    """
    fitting = Fitting(model, config, train)
    manager = tf.train.CheckpointManager(fitting.checkpoint, workdir / "checkpoint", max_to_keep=2)
    manager.restore_or_initialize()
    writer = tf.summary.create_file_writer(str(workdir / "logs"))
    steps = max(1, config.epoch_images // config.batch_size)
    path = workdir / "history.csv"
    while (epoch := int(fitting.step) // steps) < config.epochs:
        began = time.monotonic()
        measured = run_epoch(fitting, train, config, steps, epoch)
        measured["seconds"] = time.monotonic() - began
        write_row(path, epoch, measured)
        save_samples(model, fitting, workdir, epoch)
        with writer.as_default(epoch):
            for name, value in measured.items():
                tf.summary.scalar(name, value)
        manager.save()
        told = ", ".join(f"{name} {value:.3f}" for name, value in measured.items())
        print(f"{(epoch + 1) * steps * config.batch_size:,} pictures: {told}", flush=True)
    for variable, mean in zip(fitting.made_by, fitting.means, strict=True):
        variable.assign(mean)
    return read_history(path)


def run_epoch(
    fitting: Fitting, train: Split, config: Any, steps: int, epoch: int
) -> dict[str, float]:
    """Take `steps` steps at the epoch's learning rate; return the mean of each number."""
    rate = config.learning_rate * min(1.0, 0.1 + 3 * (1 - epoch / config.epochs))
    for optimizer in (fitting.g_optimizer, fitting.d_optimizer):
        optimizer.learning_rate.assign(rate)
    total: dict[str, float] = {}
    random = np.random.default_rng([config.seed, epoch])
    for step in range(steps):
        chosen = draw_groups(random, fitting.of_digit, config.batch_size)
        batch = tf.constant(train.images[chosen]), tf.constant(train.labels[chosen], tf.int32)
        told = fitting.learn(*batch)
        if step % config.lazy == 0:
            told = told | {"r1": fitting.regularise(*batch) * config.lazy}
        for name, value in told.items():
            total[name] = total.get(name, 0.0) + float(value) / steps
    return total


def draw_groups(random: np.random.Generator, of_digit: list[np.ndarray], count: int) -> np.ndarray:
    """Indices [count] of pictures, each `GROUP` of one digit; a digit comes as often as it is."""
    sizes = np.array([len(places) for places in of_digit])
    digits = random.choice(len(sizes), count // GROUP, p=sizes / sizes.sum())
    return np.concatenate([random.choice(of_digit[digit], GROUP) for digit in digits])


def save_samples(model: Gan, fitting: Fitting, workdir: Path, epoch: int) -> None:
    """Ten pictures of each digit by the running mean, always of the same z."""
    now = [v.numpy() for v in fitting.made_by]
    _assign(fitting.made_by, fitting.means)
    z = np.random.default_rng(0).standard_normal((100, fitting.config.z), np.float32)
    half = fitting.mapping([tf.constant(z), tf.repeat(tf.range(DIGITS), 10)])
    images = gan_pictures.to_greys(fitting.synthesis(tf.concat([half, half], axis=1)))
    _assign(fitting.made_by, now)
    folder = workdir / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{epoch:04}.npy", images.numpy())


def write_row(path: Path, epoch: int, measured: dict[str, float]) -> None:
    """Add a row; the first one says what the columns are."""
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(("epoch", *COLUMNS))
        writer.writerow((epoch, *(f"{measured[name]:.5f}" for name in COLUMNS)))


def read_history(path: Path) -> dict[str, Any]:
    """One list for each column."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in COLUMNS}


def _assign(variables: Any, values: Any) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _plain(variable: Any) -> Any:
    return getattr(variable, "value", variable)
