"""The service's answers as typed values. Fields that this version does not know are ignored."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

Normalize = Literal["auto", "off"]


@dataclass(frozen=True)
class ModelVersion:
    """The model that answered."""

    name: str
    version: int

    def __str__(self) -> str:
        return f"{self.name}/{self.version}"


@dataclass(frozen=True)
class DigitPrediction:
    """What the model says about one picture; `probabilities[d]` belongs to digit d."""

    digit: int
    probability: float
    probabilities: tuple[float, ...]
    outlier: bool  # "this is probably no digit"
    outlier_score: float

    @classmethod
    def from_wire(cls, prediction: Mapping[str, Any]) -> Self:
        """One element of the answer's `predictions` → a prediction."""
        return cls(
            digit=int(prediction["digit"]),
            probability=float(prediction["probability"]),
            probabilities=tuple(float(value) for value in prediction["probabilities"]),
            outlier=bool(prediction["outlier"]),
            outlier_score=float(prediction["outlier_score"]),
        )


@dataclass(frozen=True)
class DigitsAnswer:
    """The predictions for all pictures of a call, in their order."""

    model: ModelVersion
    predictions: tuple[DigitPrediction, ...]
    body: bytes = field(repr=False, compare=False)  # the service's own words

    @classmethod
    def from_wire(cls, body: bytes) -> Self:
        """The body of an answer → a typed answer.

        Raises:
            ValueError, KeyError, TypeError: The body is not such an answer.
        """
        answer = json.loads(body)
        model = ModelVersion(str(answer["model"]["name"]), int(answer["model"]["version"]))
        predictions = tuple(DigitPrediction.from_wire(each) for each in answer["predictions"])
        return cls(model, predictions, body)
