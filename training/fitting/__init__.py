"""Fits Keras models: seeded, logged and resumable."""

import sys
import time
from pathlib import Path
from typing import Any

import keras

from training.fitting.progress import Progress
from training.job import JobConfig


def fit(
    model: keras.Model, batches: Any, validation: Any, config: JobConfig, workdir: Path
) -> dict[str, list[float]]:
    """Fit a compiled model for `config.epochs`; return Keras' history, one list per number.

    validation: Keras' `validation_data`.

    Keeps a checkpoint after each epoch in `workdir/checkpoint` and resumes from it; writes
    TensorBoard events to `workdir/logs` and one row an epoch to `workdir/history.csv`, its seconds too.
    """
    history = workdir / "history.csv"
    model._initial_epoch = None  # Keras leaves it set where an earlier call had nothing left to do
    model.fit(
        batches,
        shuffle=False,  # the batches are already shuffled
        epochs=config.epochs,
        validation_data=validation,
        validation_batch_size=500,
        callbacks=[
            keras.callbacks.BackupAndRestore(workdir / "checkpoint", delete_checkpoint=False),
            keras.callbacks.SwapEMAWeights(),
            _Stopwatch(),
            *([] if sys.stdout.isatty() else [_Steps()]),
            keras.callbacks.TensorBoard(workdir / "logs", write_graph=False),
            keras.callbacks.CSVLogger(history, append=history.exists()),
        ],
        verbose=1 if sys.stdout.isatty() else 2,
    )
    return read_history(history)


def cosine(learning_rate: float, steps: int, warmup: int = 0) -> Any:
    """A learning rate that rises over `warmup` of the steps, then falls to a hundredth with a cosine."""
    schedule = keras.optimizers.schedules.CosineDecay
    if not warmup:
        return schedule(learning_rate, max(1, steps), alpha=0.01)
    return schedule(
        0.0,
        max(1, steps - warmup),
        alpha=0.01,
        warmup_target=learning_rate,
        warmup_steps=warmup,
    )


def running_mean(momentum: float, steps: int) -> dict[str, Any]:
    """Options of an optimizer whose final weights are a running mean; few steps must not keep the initial ones."""
    return {"use_ema": True, "ema_momentum": min(momentum, 1 - 10 / max(steps, 11))}


def adamw(config: Any, steps: int, warmup: int = 0) -> keras.optimizers.Optimizer:
    """AdamW with a cosine schedule and a running mean of the weights.

    config: learning_rate, weight_decay, and ema, the running mean's momentum.
    """
    return keras.optimizers.AdamW(
        cosine(config.learning_rate, steps, warmup),
        weight_decay=config.weight_decay,
        **running_mean(config.ema, steps),
    )


def compile_smoothed(model: keras.Model, config: Any, steps: int) -> None:
    """Compile a classifier of one-hot labels with `adamw`; config also has label_smoothing."""
    model.compile(
        optimizer=adamw(config, steps),
        loss=keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=config.label_smoothing
        ),
        metrics=["accuracy"],
    )


class _Steps(keras.callbacks.Callback):
    """Print the progress within an epoch when Keras' progress bar is not shown."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._epoch, steps = epoch, self.params["steps"] or 0
        if not hasattr(self, "_progress"):
            self._progress = Progress(epoch * steps, self.params["epochs"] * steps)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        epochs, steps = self.params["epochs"], self.params["steps"]
        if steps is None:  # for data of unknown length, until the first epoch ends
            return
        line = f"epoch {self._epoch + 1} of {epochs}, step {batch + 1} of {steps}"
        self._progress.show(self._epoch * steps + batch + 1, line)


class _Stopwatch(keras.callbacks.Callback):
    """Add the duration of each epoch to its row, so that a resumed training has all of them."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if logs is not None:
            logs["seconds"] = time.monotonic() - self._began


def read_history(path: Path) -> dict[str, list[float]]:
    """Read a CSV file with a row an epoch: one list for each column besides `epoch`."""
    header, *rows = [line.split(",") for line in path.read_text().split()]
    columns = zip(*rows, strict=True)
    return {
        name: [round(float(value), 5) for value in column]
        for name, column in zip(header, columns, strict=True)
        if name != "epoch"
    }
