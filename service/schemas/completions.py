"""Requests and answers of OpenAI's completions route."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.schemas.base import RequestBody, Schema
from service.schemas.common import RandomSeed
from service.schemas.openapi import JSON_ERRORS, event_stream, operation
from service.schemas.text import (
    MAX_GENERATIONS,
    STOP,
    Count,
    Diversity,
    Length,
    Logprobs,
    Prompt,
    Stop,
    TopK,
    TopP,
    Unknown,
)

OPENAI_TEMPERATURE, OPENAI_MAX_TOKENS = 1.0, 16


class StreamOptions(BaseModel):
    """Options of OpenAI's streams."""

    model_config = ConfigDict(strict=True)

    include_usage: bool = False


Zero = Annotated[float, Field(ge=0, le=0)]
NEUTRAL = "only the value without effect"


class CompletionRequest(RequestBody):
    """OpenAI's legacy completion; tokens are characters."""

    example: ClassVar[Schema] = {"model": "text", "prompt": "\n", "max_tokens": 40, "seed": 42}

    model: str = Field("text", description="the model that answers")
    prompt: Prompt | Annotated[list[Prompt], Field(max_length=MAX_GENERATIONS)] = Field(
        "", description="a string, or a list of strings with n choices each"
    )
    max_tokens: Length = Field(OPENAI_MAX_TOKENS, description="characters to generate")
    temperature: Diversity = OPENAI_TEMPERATURE
    top_k: TopK | None = None
    top_p: TopP | None = None
    n: Count = 1
    stop: Stop | None = Field(None, description=STOP)
    logprobs: Logprobs | None = None
    echo: bool = False
    seed: RandomSeed | None = None
    stream: bool = False
    stream_options: StreamOptions = StreamOptions()
    unknown: Unknown = "error"
    user: Any = Field(None, description="ignored")
    best_of: Count | None = Field(None, description="must equal n")
    suffix: Literal[""] = Field("", description=NEUTRAL)
    frequency_penalty: Zero = Field(0, description=NEUTRAL)
    presence_penalty: Zero = Field(0, description=NEUTRAL)
    logit_bias: Annotated[dict[str, float], Field(max_length=0)] = Field({}, description=NEUTRAL)


class CompletionLogprobs(BaseModel):
    """OpenAI's four lists, with one entry per character."""

    tokens: list[str]
    token_logprobs: list[float]
    top_logprobs: list[dict[str, float]] | None
    text_offset: list[int]


class CompletionChoice(BaseModel):
    """One text."""

    index: int = Field(examples=[0])
    text: str = Field(examples=["the king is not so much,"])
    logprobs: CompletionLogprobs | None = None
    finish_reason: str = Field(examples=["length"])


class CompletionChunkChoice(BaseModel):
    """The new text of one choice."""

    index: int
    text: str
    logprobs: CompletionLogprobs | None = None
    finish_reason: str | None = None


class CompletionUsage(BaseModel):
    """Characters, under the names that OpenAI's clients read."""

    prompt_tokens: int = Field(examples=[15])
    completion_tokens: int = Field(examples=[24])
    total_tokens: int = Field(examples=[39])


class _Completion(BaseModel):
    """What every chunk repeats."""

    id: str = Field(examples=["cmpl-4be7b4a3f5a54d0cbd5a7a0f5b1f2c11"])
    object: str = "text_completion"
    created: int = Field(examples=[1790000000])
    model: str = Field(examples=["text"])
    system_fingerprint: str = Field(examples=["text/1"], description="model and version")
    random_seed: int = Field(examples=[42])


class CompletionAnswer(_Completion):
    """OpenAI's text completion; the same `random_seed` gives the same text."""

    choices: list[CompletionChoice]
    usage: CompletionUsage


class CompletionChunk(_Completion):
    """A chunk of OpenAI's text completion; `data: [DONE]` follows the last."""

    choices: list[CompletionChunkChoice]
    usage: CompletionUsage | None = None


COMPLETE = operation(
    CompletionAnswer,
    body=CompletionRequest,
    errors=JSON_ERRORS,
    content=event_stream(
        CompletionChunk,
        'data: {"id":"cmpl-1","object":"text_completion","choices":[{"index":0,"text":"the k",'
        '"logprobs":null,"finish_reason":null}]}\n\ndata: [DONE]\n\n',
    ),
)
