"""Requests and answers of the text routes."""

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, Field

from service.codecs.continuation import MAX_DIVERSITY, MAX_STOPS
from service.codecs.continuation import Stop as StopString
from service.schemas.base import RequestBody, Schema
from service.schemas.common import Answer, RandomSeed
from service.schemas.openapi import JSON_ERRORS, event_stream, operation

MAX_GENERATIONS = 256
MAX_LENGTH = 10_000
MAX_PROMPT = 50_000  # characters of a prompt, or of a string to score
MAX_TOP_LOGPROBS = 5
DEFAULT_DIVERSITY, DEFAULT_LENGTH = 0.5, 400

Prompt = Annotated[str, Field(max_length=MAX_PROMPT)]
Diversity = Annotated[float, Field(ge=0, le=MAX_DIVERSITY)]
Diversities = Annotated[list[Diversity], Field(min_length=1, max_length=MAX_GENERATIONS)]
Length = Annotated[int, Field(ge=1, le=MAX_LENGTH)]
Count = Annotated[int, Field(ge=1, le=MAX_GENERATIONS)]
Stop = StopString | Annotated[list[StopString], Field(max_length=MAX_STOPS)]
Logprobs = Annotated[int, Field(ge=0, le=MAX_TOP_LOGPROBS)]
TopK = Annotated[
    int, Field(ge=1, le=2**31 - 1, description="sample from the k likeliest characters")
]
TopP = Annotated[
    float,
    Field(
        gt=0,
        le=1,
        description="sample from the smallest set of characters with this total probability",
    ),
]
Unknown = Annotated[
    Literal["error", "replace"],
    Field(
        description="characters outside the vocabulary; error: refuse the request; replace: use spaces"
    ),
]
STOP = "generation ends before the first complete one of these strings"


class GenerateRequest(RequestBody):
    """Continue a prompt at one or several temperatures."""

    example: ClassVar[Schema] = {
        "seed": "\n",
        "diversity": [0.2, 0.5, 1.0],
        "length": 40,
        "random_seed": 42,
    }

    seed: Prompt | None = Field(None, description="the prompt to continue")
    prompt: Prompt | None = Field(None, description="alias of seed")
    diversity: Diversity | Diversities | None = Field(
        None,
        description=f"temperature; 0: greedy; a list: one generation for each; "
        f"absent: {DEFAULT_DIVERSITY}",
    )
    temperature: Diversity | Diversities | None = Field(None, description="alias of diversity")
    length: Length | None = Field(
        None, description=f"characters to generate; absent: {DEFAULT_LENGTH}"
    )
    max_tokens: Length | None = Field(None, description="alias of length")
    random_seed: RandomSeed | None = None
    n: Count = Field(1, description="generations per diversity")
    top_k: TopK | None = None
    top_p: TopP | None = None
    stop: Stop | None = Field(None, description=STOP)
    logprobs: Logprobs = Field(0, description="likeliest characters to report; 0: none")
    include_seed: bool = Field(False, description="include the seed at the beginning of the text")
    stream: bool = Field(False, description="the same as Accept: text/event-stream")
    unknown: Unknown = "error"
    continuation: str | None = Field(
        None, description="token of an earlier generation: continue from its end"
    )


class ScoreRequest(RequestBody):
    """Score a string character by character."""

    example: ClassVar[Schema] = {"text": "the ", "unknown": "replace"}

    text: Annotated[str, Field(min_length=1, max_length=MAX_PROMPT)]
    unknown: Unknown = "error"


class NotedCharacter(BaseModel):
    """Log-probabilities of one character, always at diversity 1."""

    character: str = Field(examples=["e"])
    logprob: float = Field(examples=[-0.31])
    top: dict[str, float] = Field({}, examples=[{"e": -0.31, "a": -2.2}])


class GeneratedText(BaseModel):
    """One continuation of the seed."""

    text: str = Field(examples=["the king is not so much,"])
    diversity: float = Field(examples=[0.5])
    finish_reason: str = Field(examples=["length"], description="length or stop")
    continuation: str = Field(
        examples=["AQ4c0f"], description="send it, without a seed, to continue from here"
    )
    logprobs: list[NotedCharacter] | None = Field(None, description="with logprobs: 1 to 5")


class GenerateAnswer(Answer):
    """Generations ordered by diversity, then by number."""

    random_seed: int = Field(examples=[42])
    generations: list[GeneratedText]
    replaced: list[str] | None = Field(
        None, description='with unknown: "replace": the characters replaced by spaces'
    )


class ScoredCharacter(BaseModel):
    """One character of the text."""

    character: str = Field(examples=["a"])
    logprob: float = Field(examples=[-0.3])


class ScoreAnswer(Answer):
    """The scores of a string, treated as the beginning of a text."""

    nats_per_character: float = Field(examples=[1.46])
    bits_per_character: float = Field(examples=[2.1])
    characters: list[ScoredCharacter]
    replaced: list[str] | None = None


class GenerateEvent(BaseModel):
    """A chunk of one generation, or its end; `data: [DONE]` follows the last."""

    index: int = Field(description="index of the generation")
    text: str | None = None
    logprobs: list[NotedCharacter] | None = None
    finish_reason: str | None = None
    random_seed: int | None = None
    continuation: str | None = None
    replaced: list[str] | None = None


GENERATE = operation(
    GenerateAnswer,
    body=GenerateRequest,
    errors=JSON_ERRORS,
    content=event_stream(
        GenerateEvent,
        'data: {"index":0,"text":"the k"}\n\ndata: {"index":0,"finish_reason":"length",'
        '"random_seed":42,"continuation":"AQ4c0f"}\n\ndata: [DONE]\n\n',
    ),
)
SCORE = operation(ScoreAnswer, body=ScoreRequest, errors=JSON_ERRORS)
