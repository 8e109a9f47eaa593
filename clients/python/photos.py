"""What the service answers about photos and clothes, as typed values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from clients.python.types import ModelVersion

Head = Literal["dense", "svm"]


@dataclass(frozen=True)
class Label:
    """One class that a picture may belong to, as Keras' `decode_predictions` names it."""

    class_name: str  # a WordNet id where the model has such
    class_description: str
    score: float

    @classmethod
    def from_wire(cls, label: Mapping[str, Any]) -> Self:
        """One element of a picture's labels → a label."""
        return cls(str(label["class_name"]), str(label["class_description"]), float(label["score"]))


@dataclass(frozen=True)
class LabelsAnswer:
    """For each picture of a call, in order, its labels, best first."""

    model: ModelVersion
    predictions: tuple[tuple[Label, ...], ...]
    body: bytes = field(repr=False, compare=False)  # the service's own words

    @classmethod
    def from_wire(cls, body: bytes) -> Self:
        """The body of an answer → a typed answer.

        Raises:
            ValueError, KeyError, TypeError: The body is not such an answer.
        """
        answer = json.loads(body)
        rows = tuple(tuple(Label.from_wire(each) for each in row) for row in answer["predictions"])
        return cls(ModelVersion.from_wire(answer["model"]), rows, body)


@dataclass(frozen=True)
class FeaturesAnswer:
    """For each picture of a call, in order, what the network without its top makes of it."""

    model: ModelVersion
    features: tuple[tuple[float, ...], ...]
    body: bytes = field(repr=False, compare=False)

    @classmethod
    def from_wire(cls, body: bytes) -> Self:
        """The body of an answer → a typed answer; raises as `LabelsAnswer.from_wire`."""
        answer = json.loads(body)
        rows = tuple(tuple(float(number) for number in row) for row in answer["features"])
        return cls(ModelVersion.from_wire(answer["model"]), rows, body)


@dataclass(frozen=True)
class FashionPrediction:
    """Which of ten kinds of clothing; `scores` are probabilities, or an SVM's decision values."""

    label: str
    label_index: int
    scores: tuple[float, ...]
    head: str

    @classmethod
    def from_wire(cls, prediction: Mapping[str, Any]) -> Self:
        """One element of the answer's `predictions` → a prediction."""
        return cls(
            str(prediction["label"]),
            int(prediction["label_index"]),
            tuple(float(score) for score in prediction["scores"]),
            str(prediction["head"]),
        )


@dataclass(frozen=True)
class FashionAnswer:
    """The predictions of one head for all pictures of a call, in their order."""

    model: ModelVersion
    predictions: tuple[FashionPrediction, ...]
    body: bytes = field(repr=False, compare=False)

    @classmethod
    def from_wire(cls, body: bytes) -> Self:
        """The body of an answer → a typed answer; raises as `LabelsAnswer.from_wire`."""
        answer = json.loads(body)
        rows = tuple(FashionPrediction.from_wire(each) for each in answer["predictions"])
        return cls(ModelVersion.from_wire(answer["model"]), rows, body)
