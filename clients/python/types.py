"""The service's answers as typed values. Fields that this version does not know are ignored."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self, TypeAlias, TypedDict

Normalize = Literal["auto", "off"]


@dataclass(frozen=True)
class ModelVersion:
    """The model that answered."""

    name: str
    version: int

    def __str__(self) -> str:
        return f"{self.name}/{self.version}"

    @classmethod
    def from_wire(cls, model: Mapping[str, Any]) -> Self:
        """An answer's `model` → a model version."""
        return cls(str(model["name"]), int(model["version"]))


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
        model = ModelVersion.from_wire(answer["model"])
        predictions = tuple(DigitPrediction.from_wire(each) for each in answer["predictions"])
        return cls(model, predictions, body)


class Sampling(TypedDict, total=False):
    """How to write; what is left out is the service's default."""

    diversity: float | Sequence[float]  # 0: always the likeliest character; several: one text each
    length: int  # characters
    random_seed: int  # same number, same text
    n: int  # texts for each diversity
    top_k: int | None
    top_p: float | None
    stop: Sequence[str]
    logprobs: int  # likeliest characters to tell at each place, 0 to 5
    include_seed: bool
    unknown: Literal["error", "replace"]  # characters that the model has never seen
    continuation: str  # instead of a seed: go on where a generation ended


@dataclass(frozen=True)
class Character:
    """One character, how likely the model found it there, and what it found likeliest."""

    character: str
    logprob: float  # natural logarithm, of the model itself: at diversity 1
    top: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_wire(cls, character: Mapping[str, Any]) -> Self:
        """One element of `logprobs` or `characters` → a character."""
        top = {str(key): float(value) for key, value in character.get("top", {}).items()}
        return cls(str(character["character"]), float(character["logprob"]), top)


@dataclass(frozen=True)
class Generation:
    """One text that the model wrote."""

    text: str
    diversity: float
    finish_reason: str  # "length" or "stop"
    continuation: str  # hand it to `generate` to go on
    logprobs: tuple[Character, ...] = ()

    @classmethod
    def from_wire(cls, generation: Mapping[str, Any]) -> Self:
        """One element of the answer's `generations` → a generation."""
        return cls(
            text=str(generation["text"]),
            diversity=float(generation["diversity"]),
            finish_reason=str(generation["finish_reason"]),
            continuation=str(generation.get("continuation") or ""),
            logprobs=_characters(generation.get("logprobs")),
        )


@dataclass(frozen=True)
class TextAnswer:
    """The generations of a call, ordered by diversity and then by `n`."""

    model: ModelVersion
    random_seed: int  # the one given, or the one that was drawn
    generations: tuple[Generation, ...]
    body: bytes = field(repr=False, compare=False)  # the service's own words

    @classmethod
    def from_wire(cls, body: bytes) -> Self:
        """The body of an answer → a typed answer.

        Raises:
            ValueError, KeyError, TypeError: The body is not such an answer.
        """
        answer = json.loads(body)
        generations = tuple(Generation.from_wire(each) for each in answer["generations"])
        model = ModelVersion.from_wire(answer["model"])
        return cls(model, int(answer["random_seed"]), generations, body)


@dataclass(frozen=True)
class TextChunk:
    """The next characters of generation `index`."""

    index: int
    text: str
    logprobs: tuple[Character, ...] = ()
    body: str = field(default="", repr=False, compare=False)  # the service's own words


@dataclass(frozen=True)
class TextEnd:
    """Generation `index` is complete."""

    index: int
    finish_reason: str
    random_seed: int
    continuation: str
    body: str = field(default="", repr=False, compare=False)  # the service's own words


TextEvent: TypeAlias = TextChunk | TextEnd


def text_event(body: str) -> TextEvent:
    """One event of a stream → a typed event.

    Raises:
        ValueError, KeyError, TypeError: It is not such an event.
    """
    event = json.loads(body)
    index = int(event["index"])
    if event.get("finish_reason") is None:
        return TextChunk(index, str(event["text"]), _characters(event.get("logprobs")), body)
    reason, token = str(event["finish_reason"]), str(event.get("continuation") or "")
    return TextEnd(index, reason, int(event["random_seed"]), token, body)


@dataclass(frozen=True)
class ScoreAnswer:
    """How well the model foresees a text: 1 bit per character is a guess between two."""

    model: ModelVersion
    nats_per_character: float
    bits_per_character: float
    characters: tuple[Character, ...]
    body: bytes = field(repr=False, compare=False)  # the service's own words

    @classmethod
    def from_wire(cls, body: bytes) -> Self:
        """The body of an answer → a typed answer.

        Raises:
            ValueError, KeyError, TypeError: The body is not such an answer.
        """
        answer = json.loads(body)
        return cls(
            ModelVersion.from_wire(answer["model"]),
            float(answer["nats_per_character"]),
            float(answer["bits_per_character"]),
            _characters(answer["characters"]),
            body,
        )


def _characters(wire: Sequence[Mapping[str, Any]] | None) -> tuple[Character, ...]:
    return tuple(Character.from_wire(each) for each in wire or ())
