"""The definition of a job: a typed configuration and the same five functions, called in the same order.

A module of `training.jobs` contains one `Job`, as `JOB`.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol, Self

import numpy as np

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class JobConfig:
    """The hyperparameters of a job; every field is a command-line option (`--batch-size 64`)."""

    seed: int = 1
    batch_size: int = 128
    epochs: int = 10
    learning_rate: float = 1e-3

    def resolve(self, started: Mapping[str, Any]) -> Self:
        """Return the configuration with all open values ("auto") decided.

        started: the configuration of the training to resume, which takes precedence; empty: a
        new training. A configuration without open values is returned unchanged.
        """
        return self


class Split(NamedTuple):
    """One split of a data set."""

    images: np.ndarray  # uint8 [B, H, W, C]
    labels: np.ndarray  # int64 [B]

    def as_float(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the images as networks take them, float32, and the labels."""
        return self.images.astype(np.float32), self.labels


class Splits(NamedTuple):
    """The three splits of a data set: for training, for choices, and for one final evaluation."""

    train: Split
    validation: Split
    test: Split
    source: str  # source of the examples, for the terminal and the card
    labels: tuple[str, ...] = ()  # names of the classes, if the data set decides which there are

    def complete_config(self, config: Any) -> Any:
        """Return `config`, with the images' size and the number of classes if the data set decides them."""
        if not self.labels:
            return config
        height, width, channels = self.train.images.shape[1:]
        return dataclasses.replace(
            config, height=height, width=width, channels=channels, classes=len(self.labels)
        )

    def describe(self) -> dict[str, Any]:
        """Return the card's section on the data."""
        return {
            "source": self.source,
            "train": len(self.train.labels),
            "validation": len(self.validation.labels),
            "test": len(self.test.labels),
            **({"labels": list(self.labels)} if self.labels else {}),
        }


class Dataset(Protocol):
    """The interface of data sets; `Splits` is that of classifiers."""

    @property
    def source(self) -> str:
        """The source, in words."""

    def complete_config(self, config: Any) -> Any:
        """Complete a configuration with values that depend on the data."""

    def describe(self) -> dict[str, Any]:
        """Return the card's section on the data: source, sizes and further information."""


class Signature(NamedTuple):
    """One entry of a SavedModel: a function of named tensors, and the `tf.TensorSpec` of each."""

    function: Callable[..., Any]
    inputs: Mapping[str, Any]
    tolerance: Mapping[str, float]  # for each output: allowed difference from the golden outputs
    golden: Arrays  # inputs whose outputs are stored with the exported model
    onnx: Callable[[], Any] | None = None  # builds its ONNX graph if it cannot be converted


@dataclass(frozen=True)
class Job:
    """A training job as data, for `training.run.train` and for the export.

    load_data: reads the data set from the given location, None for the default.
    build_model: creates the untrained Keras network of a configuration.
    train: fits the network in place; returns its history, one list per number.
    evaluate: measures the finished network; returns the card's `metrics` and `calibration`.
    signatures: the functions of the SavedModel, given the calibration.
    manifest_fields: additional fields of the manifest for the task.
    filters: arrays that explain the layers of `activations`.
    """

    name: str  # default name of the model (`--name`)
    description: str  # the first line is its summary
    task: str  # the service's task
    config: type[JobConfig]
    load_data: Callable[[Any, Any], Dataset]
    build_model: Callable[[Any], Any]
    train: Callable[[Any, Any, Any, Path], dict[str, Any]]
    evaluate: Callable[[Any, Any], dict[str, Any]]
    signatures: Callable[[Any, Mapping[str, Any]], dict[str, Signature]]
    input: Mapping[str, Any] = field(default_factory=dict)  # the manifest's; empty: it has none
    labels: Sequence[tuple[str, str]] = ()  # (id, description) of each class; empty: no classes
    manifest_fields: Callable[[Any, Mapping[str, Any]], dict[str, Any]] = (
        lambda model, calibration: {}
    )
    filters: Callable[[Any], Arrays] = lambda model: {}
