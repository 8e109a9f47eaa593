"""Trains a character model sequence to sequence with carried state, and prints samples during training.

The text is divided into parallel streams. Each step learns all `window` characters of every stream
(truncated backpropagation through time), where training on windows of 40 characters learns one. All random
numbers derive from the seed and the step's number, so a resumed training continues exactly.
"""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training.fitting import cosine
from training.fitting.progress import Progress
from training.text import checkpoint, lstm
from training.text import model as text_model
from training.text.corpus import TextSplits
from training.text.losses import character_losses
from training.text.model import CharacterConfig
from training.text.streams import Streams, validation_streams

SAMPLE_STEPS = (10, 30, 100, 300, 1000)  # and after each epoch
DIVERSITIES = (0.2, 0.5, 1.0)
SAMPLE_CHARACTERS = 200


def train(
    model: keras.Model, splits: TextSplits, config: CharacterConfig, workdir: Path
) -> dict[str, Any]:
    """Fit `model` in place, to the epoch with the best validation loss; return history and samples.

    config: resolved, so that its precision is decided.
    After each epoch `workdir/checkpoint.npz` has everything needed to resume; TensorBoard events
    go to `workdir/logs`.
    """
    training = _Training(model, splits, config, workdir)
    shapes = training.streams.shapes(len(splits.vocabulary))
    print(
        f"{len(splits.vocabulary)} characters: {splits.vocabulary!r}\n"
        + "\n".join(f"{name:<6} {shape}" for name, shape in shapes.items())
        + f"\nproducts of {config.precision}",
        flush=True,
    )
    training.run()
    rows, samples = training.seen["history"], training.seen["samples"]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return columns | {"shapes": shapes, "samples": samples}


class _Training:
    """One training: weights, optimizer, running mean, and history."""

    def __init__(
        self, model: keras.Model, splits: TextSplits, config: CharacterConfig, workdir: Path
    ) -> None:
        self.splits, self.config = splits, config
        self.variables = model.trainable_variables
        self.net = text_model.network(model, splits.vocabulary)
        self.streams = Streams(splits.train, config)
        self.product = lstm.PRECISIONS[config.precision]
        self.optimizer = _optimizer(config, self.streams.steps)
        self.optimizer.build(self.variables)
        self.mean = [tf.Variable(v.value, trainable=False) for v in self.variables]
        self.best = [tf.Variable(v.value, trainable=False) for v in self.variables]
        self.seen: dict[str, Any] = {"history": [], "samples": [], "step": 0}
        self.checkpoint = workdir / "checkpoint.npz"
        if self.checkpoint.is_file():
            self.seen = checkpoint.restore(self.checkpoint, self._groups(), config.precision)
            print(f"resuming after epoch {len(self.seen['history'])}", flush=True)
        self.log = tf.summary.create_file_writer(str(workdir / "logs"))
        self.learn = tf.function(self._learn, autograph=False)
        self.measure = tf.function(self._measure, autograph=False)
        self.write = text_model.writer(self.net)

    def run(self) -> None:
        """Train the remaining epochs, or until nothing improves; then restore the best weights."""
        total = self.config.epochs * self.streams.steps
        self.progress = Progress(self.seen["step"], total)
        for epoch in range(len(self.seen["history"]), self.config.epochs):
            if self._gave_up():
                print(f"stopped: no better for {self.config.patience} epochs", flush=True)
                break
            self._epoch(epoch)
        for variable, best in zip(self.variables, self.best, strict=True):
            variable.assign(best)

    def _gave_up(self) -> bool:
        losses = [row["validation_nats"] for row in self.seen["history"]]
        return bool(losses) and len(losses) - 1 - int(np.argmin(losses)) >= self.config.patience

    def _epoch(self, epoch: int) -> None:
        began = time.monotonic()
        losses, norms = [], []
        state = tf.zeros([2 * self.config.layers, self.streams.rows, self.config.units])
        for number, window in enumerate(self.streams.epoch(epoch), start=1):
            step = tf.constant(self.seen["step"], tf.int64)
            loss, norm, state = self.learn(window, state, step)
            losses.append(float(loss))
            norms.append(float(norm))
            self.seen["step"] += 1
            where = f"epoch {epoch + 1}, step {number} of {self.streams.steps}"
            self.progress.show(self.seen["step"], f"{where}: {np.mean(losses[-20:]):.4f} nats")
            if self.seen["step"] in SAMPLE_STEPS and number < self.streams.steps:
                self._sample(f"step {self.seen['step']}")
        measured = {"train_nats": np.mean(losses), "gradient_norm": np.mean(norms)}
        self._finish(epoch, measured, began)

    def _finish(self, epoch: int, measured: dict[str, Any], began: float) -> None:
        """Evaluate the running mean, keep it if it is the best, and write the checkpoint."""
        with self._averaged():
            validation = self._validation_loss()
        if validation < min((row["validation_nats"] for row in self.seen["history"]), default=9e9):
            for best, mean in zip(self.best, self.mean, strict=True):
                best.assign(mean)
        row = {
            "train_nats": round(float(measured["train_nats"]), 4),
            "validation_nats": round(validation, 4),
            "gradient_norm": round(float(measured["gradient_norm"]), 4),
            "learning_rate": float(f"{float(self.optimizer.learning_rate):.3g}"),
            "seconds": round(time.monotonic() - began, 1),
        }
        self.seen["history"].append(row)
        print(
            f"epoch {epoch + 1} of {self.config.epochs}: train {row['train_nats']:.4f}, validation "
            f"{validation:.4f} nats a character, {row['seconds']:.0f} s",
            flush=True,
        )
        with self.log.as_default(step=self.seen["step"]):
            for name, value in row.items():
                tf.summary.scalar(name, value)
            tf.summary.scalar("validation_bits", validation / np.log(2))
        self._sample(f"epoch {epoch + 1}")
        checkpoint.save(self.checkpoint, self._groups(), self.seen, self.config.precision)

    def _learn(self, window: Any, state: Any, step: Any) -> tuple[Any, Any, Any]:
        """One step on window int32 [B, T + 1]: loss in nats per character, gradient norm, state."""
        values = [variable.value for variable in self.variables]
        with tf.GradientTape() as tape:
            loss, state = self._loss(window, state, step)
        gradients = tape.gradient(loss, values)
        self.optimizer.apply(gradients, self.variables)
        done = tf.cast(step, tf.float32)
        momentum = tf.minimum(self.config.ema, (1 + done) / (10 + done))  # a new mean decays faster
        for mean, value in zip(self.mean, values, strict=True):
            mean.assign(momentum * mean + (1 - momentum) * value)
        return loss, tf.linalg.global_norm(gradients), state

    def _loss(self, window: Any, state: Any, step: Any) -> tuple[Any, Any]:
        """Mean nats per character of window [B, T + 1] with dropout, and the final state [2·layers, B, U]."""
        config, ids = self.config, tf.transpose(window)
        x, after = tf.one_hot(ids[:-1], self.net.symbols), []
        for number, layer in enumerate(self.net.layers):
            seed = tf.stack([step, config.seed * 100 + 2 * number])
            recurrent = _drop(layer.recurrent_kernel, config.weight_drop, seed)
            inputs = lstm.multiply(x, layer.kernel, self.product) + layer.bias
            h, c = state[2 * number], state[2 * number + 1]
            x, h, c = lstm.run(inputs, recurrent, h, c, self.product)
            after += [h, c]
            x = _drop(x, config.dropout, seed + tf.constant([0, 1], tf.int64))
        logits = lstm.multiply(x, self.net.head, self.product) + self.net.bias
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(ids[1:], logits)
        return tf.reduce_mean(losses), tf.stack(after)

    def _measure(self, ids: Any) -> Any:
        """Nats float32 [B, T] of all but the first of ids int32 [B, T + 1], from a state of zeros."""
        state = tf.zeros([2 * self.config.layers, tf.shape(ids)[0], self.config.units])
        return character_losses(self.net, ids, state, self.product)[0]

    def _validation_loss(self) -> float:
        """Nats per character over the validation text, read as parallel streams."""
        text, lead = validation_streams(self.splits)
        nats = self.measure(tf.constant(text))
        return float(np.mean(nats.numpy()[:, lead - 1 :]))

    @contextlib.contextmanager
    def _averaged(self) -> Iterator[None]:
        """Use the running mean as the weights, temporarily."""
        kept = [variable.numpy() for variable in self.variables]
        for variable, mean in zip(self.variables, self.mean, strict=True):
            variable.assign(mean)
        yield
        for variable, value in zip(self.variables, kept, strict=True):
            variable.assign(value)

    def _sample(self, when: str) -> None:
        """Continue the same prompt at each diversity with the same random numbers, and print it."""
        rows, seed = len(DIVERSITIES), self.splits.seed
        uniforms = np.random.default_rng(self.config.seed).random((rows, SAMPLE_CHARACTERS))
        with self._averaged():
            ids = self.write(
                tf.constant(np.tile(seed, (rows, 1))),
                tf.constant(uniforms, tf.float32),
                tf.constant(DIVERSITIES),
            ).numpy()
        named = {str(d): self.splits.text(row) for d, row in zip(DIVERSITIES, ids, strict=True)}
        self.seen["samples"].append({"when": when, "step": self.seen["step"], **named})
        with self.log.as_default(step=self.seen["step"]):
            for diversity, text in named.items():
                tf.summary.text(f"diversity {diversity}", f"```\n{text}\n```")
                print(f"--- {when}, diversity {diversity}\n{text}", flush=True)
        self.log.flush()

    def _groups(self) -> dict[str, list[Any]]:
        """All changing values, by their names in the checkpoint."""
        return {
            "weight": self.variables,
            "optimizer": self.optimizer.variables,
            "mean": self.mean,
            "best": self.best,
        }


def _drop(x: Any, rate: float, seed: Any) -> Any:
    """Dropout with a seed int64 [2]: the same seed drops the same positions."""
    return tf.nn.experimental.stateless_dropout(x, rate, seed) if rate else x


def _optimizer(config: CharacterConfig, steps: int) -> keras.optimizers.Optimizer:
    """AdamW: a warm-up, then a cosine down to a hundredth at the last epoch's end."""
    total = config.epochs * steps
    warmup = min(config.warmup, total // 10)
    optimizer = keras.optimizers.AdamW(
        cosine(config.learning_rate, total, warmup),
        weight_decay=config.weight_decay,
        beta_2=0.99,
        global_clipnorm=config.clip,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer
