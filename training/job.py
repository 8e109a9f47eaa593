"""The definition of a job: a typed configuration and the same five functions, called in the same order.

A module of `training.jobs` contains one `Job`, as `JOB`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, Self

import numpy as np

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class JobConfig:
    """The numbers of one recipe; every field can be set on the command line (`--batch-size 64`)."""

    seed: int = 1
    batch_size: int = 128
    epochs: int = 10
    learning_rate: float = 1e-3

    def resolve(self, started: Mapping[str, Any]) -> Self:
        """Return the configuration with everything decided that it leaves open ("auto").

        started: the configuration of the training that is resumed, which decides first; empty: a
        new training. A configuration that leaves nothing open is returned as it is.
        """
        return self


class Split(NamedTuple):
    """One part of a data set."""

    images: np.ndarray  # uint8 [B, H, W, C]
    labels: np.ndarray  # int64 [B]

    def as_float(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the images as networks take them, float32, and the labels."""
        return self.images.astype(np.float32), self.labels


class Splits(NamedTuple):
    """A data set in its three parts: train learns, validation chooses, test is touched once."""

    train: Split
    validation: Split
    test: Split
    source: str  # where the examples are from, in words; printed, and kept in the card

    def complete_config(self, config: Any) -> Any:
        """Return `config` as it is: a classifier's data decide nothing about the network."""
        return config

    def describe(self) -> dict[str, Any]:
        """Return the card's section on the data."""
        return {
            "source": self.source,
            "train": len(self.train.labels),
            "validation": len(self.validation.labels),
            "test": len(self.test.labels),
        }


class Dataset(Protocol):
    """What every data set can say; `Splits` is that of classifiers."""

    @property
    def source(self) -> str:
        """Where it is from, in words."""

    def complete_config(self, config: Any) -> Any:
        """Complete a configuration with what only the data can tell."""

    def describe(self) -> dict[str, Any]:
        """Return the card's section on the data: source, sizes, and what else a reader wants."""


class Signature(NamedTuple):
    """One entry of a SavedModel: a function of named tensors, and the `tf.TensorSpec` of each."""

    function: Callable[..., Any]
    inputs: Mapping[str, Any]
    tolerance: Mapping[str, float]  # per output: how far another machine may be from the golden one
    golden: Arrays = MappingProxyType({})  # golden inputs of its own, beside the job's
    onnx: Callable[[], Any] | None = None  # makes its ONNX graph where no converter can


def no_golden_inputs() -> Arrays:
    """None beside those of the signatures."""
    return {}


def no_manifest_fields(model: Any, calibration: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest has only the usual fields."""
    return {}


def no_filters(model: Any) -> Arrays:
    """The job does not explain its layers."""
    return {}


@dataclass(frozen=True)
class Job:
    """One recipe, as data: `training.run.train` takes it, and so does the export.

    load_data: reads the data set from where the command line says, None if it says nothing.
    build_model: makes the untrained Keras network of a configuration.
    train: fits the network in place; returns its history, one list per number.
    evaluate: measures the finished network; returns the card's `metrics` and `calibration`.
    signatures: names what the SavedModel can do, given the calibration.
    golden_inputs: makes the inputs whose outputs are kept beside the exported model.
    manifest_fields: what the task needs to know at serving, beside the usual fields.
    filters: arrays that explain the layers of `activations`.
    """

    name: str  # of the model it makes, unless `--name` says otherwise
    description: str  # the first line is its summary
    task: str  # what the service does with it
    config: type[JobConfig]
    load_data: Callable[[Any, Any], Dataset]
    build_model: Callable[[Any], Any]
    train: Callable[[Any, Any, Any, Path], dict[str, Any]]
    evaluate: Callable[[Any, Any], dict[str, Any]]
    signatures: Callable[[Any, Mapping[str, Any]], dict[str, Signature]]
    golden_inputs: Callable[[], Arrays] = no_golden_inputs
    input: Mapping[str, Any] = field(
        default_factory=dict
    )  # the manifest's "input"; empty: it has none
    labels: Sequence[tuple[str, str]] = ()  # (id, description) of each class; empty: no classes
    manifest_fields: Callable[[Any, Mapping[str, Any]], dict[str, Any]] = no_manifest_fields
    filters: Callable[[Any], Arrays] = no_filters
