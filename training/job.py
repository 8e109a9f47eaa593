"""What every job has: a typed configuration and the same five functions in the same order.

Knows no data set, no network and no export. A job is a module of `training.jobs`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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

    def resolve(self, begun: Mapping[str, Any]) -> Self:
        """Return the configuration with everything decided that it leaves open ("auto").

        begun: the configuration of the same training where it was stopped, which decides first;
        empty: it begins. A configuration that leaves nothing open is returned as it is.
        """
        return self


class Split(NamedTuple):
    """One part of a data set."""

    images: np.ndarray  # uint8 [B, H, W, C]
    labels: np.ndarray  # int64 [B]

    def as_float(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the pictures as networks take them, float32, and the labels."""
        return self.images.astype(np.float32), self.labels


class Splits(NamedTuple):
    """A data set in its three parts: train learns, validation chooses, test is touched once."""

    train: Split
    validation: Split
    test: Split
    source: str  # where the examples came from, in words; printed, and kept in the card

    def settle(self, config: Any) -> Any:
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
        """Where it came from, in words."""

    def settle(self, config: Any) -> Any:
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


class Job(Protocol):
    """The module of one recipe.

    It may also have `manifest_fields(model, calibration)`: what its task needs to know at serving, and
    `filters(model)`: what explains its layers (`training.export.filters`).
    """

    __doc__: str | None
    NAME: str  # of the model it makes, unless `--name` says otherwise
    TASK: str  # what the service does with it
    INPUT: Mapping[str, Any]  # the manifest's "input"; empty: it has none
    LABELS: list[tuple[str, str]]  # (id, description) of each class; empty: no classes
    Config: type[JobConfig]

    def load_data(self, config: Any, data: Any) -> Dataset:
        """Read the data set from where the command line says, None if it says nothing."""

    def build_model(self, config: Any) -> Any:
        """Make the untrained Keras network."""

    def train(self, model: Any, splits: Any, config: Any, workdir: Path) -> dict[str, Any]:
        """Fit the network in place; return its history, one list per number."""

    def evaluate(self, model: Any, splits: Any) -> dict[str, Any]:
        """Measure the finished network; return the card's `metrics` and `calibration`."""

    def signatures(self, model: Any, calibration: Mapping[str, Any]) -> dict[str, Signature]:
        """Name what the SavedModel can do."""

    def golden_inputs(self) -> Arrays:
        """Make the inputs whose outputs are kept beside the exported model."""
