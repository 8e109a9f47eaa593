"""`/v1/text/*`: text generation and scores."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypedDict, Unpack

from vitrine_client._transport.decoding import decode
from vitrine_client._transport.request import Call, Request, Stream, drop_none, post_json, split
from vitrine_client._transport.response import answer_of
from vitrine_client._transport.sync_async import Group, Mode, endpoint, streaming_endpoint
from vitrine_client.types import ModelAnswer, ModelChoice

Unknown = Literal["error", "replace"]


class Sampling(TypedDict, total=False):
    """Sampling options; omitted ones have the service's defaults."""

    diversity: (
        float | Sequence[float]
    )  # 0: always the likeliest character; several: one generation each
    length: int  # characters
    random_seed: int  # the same seed gives the same text
    n: int  # generations per diversity
    top_k: int | None
    top_p: float | None
    stop: Sequence[str]
    logprobs: int  # likeliest characters to return per position, 0 to 5
    include_seed: bool
    unknown: Unknown  # handling of characters outside the vocabulary
    continuation: str  # instead of a seed: continue where a generation ended


class TextOptions(Sampling, ModelChoice, total=False):
    """Sampling options and the model choice."""


@dataclass(frozen=True)
class Character:
    """One character with its log-probability, and the likeliest alternatives."""

    character: str
    logprob: float  # natural logarithm, at diversity 1
    top: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Generation:
    """One generated text."""

    text: str
    diversity: float
    finish_reason: str  # "length" or "stop"
    continuation: str = field(default="", repr=False)  # pass it to `generate` to continue
    logprobs: tuple[Character, ...] = ()


@dataclass(frozen=True)
class TextAnswer(ModelAnswer):
    """The generations of a call, ordered by diversity and then by `n`."""

    random_seed: int  # the given one, or a random one
    generations: tuple[Generation, ...]
    replaced: tuple[str, ...] = ()  # characters replaced by spaces


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
    """The score of a string; 1 bit per character equals a guess between two characters."""

    nats_per_character: float
    bits_per_character: float
    characters: tuple[Character, ...]
    replaced: tuple[str, ...] = ()


class Text(Group[Mode]):
    """`/v1/text/*`."""

    @endpoint
    def generate(self, seed: str | None = None, **options: Unpack[TextOptions]) -> Call[TextAnswer]:
        """Continue a prompt, once for each diversity.

        Args:
            seed: The prompt; empty: generate from the beginning; omit it with `continuation`.
            options: `diversity`, `length`, `random_seed`, `n`, `top_k`, `top_p`, `stop`, `logprobs`,
                `include_seed`, `unknown`, `continuation`; `model`, `version`, `version_label`.
        """
        return Call(_generate(seed, options), answer_of(TextAnswer))

    @streaming_endpoint
    def stream(self, seed: str | None = None, **options: Unpack[TextOptions]) -> Stream[TextEvent]:
        """As `generate`, but yields a few characters at a time; leaving the loop early stops the work."""
        return Stream(_generate(seed, options, stream=True), _event)

    @endpoint
    def score(
        self, text: str, *, unknown: Unknown | None = None, **options: Unpack[ModelChoice]
    ) -> Call[ScoreAnswer]:
        """A string → the log-probability of each of its characters."""
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
