"""`/v1/text/*`: text generation and scores."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypedDict, Unpack

from vitrine_client._transport.decoding import decode
from vitrine_client._transport.request import Call, Request, Stream, drop_none, post_json, split
from vitrine_client._transport.response import answer_of
from vitrine_client._transport.sync_async import Face, Group, endpoint, streaming_endpoint
from vitrine_client.types import ModelAnswer, ModelChoice

Unknown = Literal["error", "replace"]


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
    unknown: Unknown  # what to do about characters that the model has never seen
    continuation: str  # instead of a seed: continue where a generation ended


class TextOptions(Sampling, ModelChoice, total=False):
    """How to write, and which model is asked."""


@dataclass(frozen=True)
class Character:
    """One character, how likely the model found it there, and what it found likeliest."""

    character: str
    logprob: float  # natural logarithm, of the model itself: at diversity 1
    top: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Generation:
    """One text that the model wrote."""

    text: str
    diversity: float
    finish_reason: str  # "length" or "stop"
    continuation: str = field(default="", repr=False)  # hand it to `generate` to go on
    logprobs: tuple[Character, ...] = ()


@dataclass(frozen=True)
class TextAnswer(ModelAnswer):
    """The generations of a call, ordered by diversity and then by `n`."""

    random_seed: int  # the one given, or the one that was drawn
    generations: tuple[Generation, ...]
    replaced: tuple[str, ...] = ()  # the characters that a space stands in for


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
    continuation: str = field(default="", repr=False)
    replaced: tuple[str, ...] = ()
    body: str = field(default="", repr=False, compare=False)  # the service's own words


TextEvent: TypeAlias = TextChunk | TextEnd


@dataclass(frozen=True)
class ScoreAnswer(ModelAnswer):
    """How well the model foresees a text: 1 bit per character is a guess between two."""

    nats_per_character: float
    bits_per_character: float
    characters: tuple[Character, ...]
    replaced: tuple[str, ...] = ()


class Text(Group[Face]):
    """`/v1/text/*`."""

    @endpoint
    def generate(self, seed: str | None = None, **options: Unpack[TextOptions]) -> Call[TextAnswer]:
        """A text → how it may go on, once for each diversity.

        Args:
            seed: The text to continue; empty: a fresh one; with `continuation`, leave it out.
            options: `diversity`, `length`, `random_seed`, `n`, `top_k`, `top_p`, `stop`, `logprobs`,
                `include_seed`, `unknown`, `continuation`; `model`, `version`, `version_label`.

        Raises:
            VitrineError: See the tree in `errors`.
        """
        return Call(_generate(seed, options), answer_of(TextAnswer))

    @streaming_endpoint
    def stream(self, seed: str | None = None, **options: Unpack[TextOptions]) -> Stream[TextEvent]:
        """As `generate`, but a few characters at a time; leaving the loop early stops the work.

        Raises:
            VitrineError: See the tree in `errors`; also in mid-stream.
        """
        return Stream(_generate(seed, options, stream=True), _event)

    @endpoint
    def score(
        self, text: str, *, unknown: Unknown | None = None, **options: Unpack[ModelChoice]
    ) -> Call[ScoreAnswer]:
        """A text → how likely the model finds each of its characters.

        Raises:
            VitrineError: See the tree in `errors`.
        """
        request = post_json("v1/text/score", drop_none(text=text, unknown=unknown), options)
        return Call(request, answer_of(ScoreAnswer))


def _generate(seed: str | None, options: Mapping[str, Any], **more: bool) -> Request:
    writing, choice = split(options)
    return post_json("v1/text/generate", drop_none(seed=seed) | writing | more, choice)


def _event(data: str) -> TextEvent:
    wire = json.loads(data)
    if wire.get("finish_reason") is None:
        return decode(TextChunk, wire, body=data)
    return decode(TextEnd, wire, body=data)
