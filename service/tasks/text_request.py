"""A request body, ours or OpenAI's → a TextRequest.

Checks that need the vocabulary are made by the task.
"""

from typing import Any, NamedTuple

from service.codecs import continuation
from service.codecs.random_streams import random_seed_or_new
from service.errors import InvalidValue
from service.schemas.completions import CompletionRequest
from service.schemas.text import (
    DEFAULT_DIVERSITY,
    DEFAULT_LENGTH,
    MAX_GENERATIONS,
    GenerateRequest,
)
from service.tasks.sequences import Sampling, TextState

MAX_CHARACTERS = 2**17  # for all generations of a request together
# The same with logprobs: each entry is at least a hundred bytes of JSON
MAX_LOGPROB_CHARACTERS = 20_000


class ResumePoint(NamedTuple):
    """The start of a continuation: its model and its state."""

    name: str
    version: int
    engine: str
    state: TextState


class TextRequest(NamedTuple):
    """The requested generations, ordered by seed, then by diversity, then by number."""

    seeds: list[str]
    samplings: list[Sampling]  # one per generation, the same number for each seed
    random_seed: int
    length: int
    stop: list[str]
    logprobs: int | None
    stream: bool
    with_seed: bool = False
    replace: bool = False
    resume: ResumePoint | None = None
    seed_field: str = "seed"  # the caller's name of the field


def read_generate(body: GenerateRequest) -> TextRequest:
    """A body of `/v1/text/generate`; InvalidValue if fields contradict each other."""
    if body.continuation is not None:
        return _resume(body, body.continuation)
    seed = _one_of(body, "seed", "prompt")
    length = _one_of(body, "length", "max_tokens") or DEFAULT_LENGTH
    diversities = _diversities(body) or [DEFAULT_DIVERSITY]
    logprobs = body.logprobs or None
    asked = _request(body, [seed or ""], diversities, length, logprobs, body.random_seed)
    return asked._replace(with_seed=body.include_seed)


def read_completion(body: CompletionRequest) -> TextRequest:
    """A body of `/v1/completions`."""
    if body.best_of not in (None, body.n):
        raise InvalidValue(f"best_of must be n, {body.n}, or left out, got {body.best_of}")
    prompts = [body.prompt] if isinstance(body.prompt, str) else body.prompt
    asked = _request(
        body, prompts or [""], [body.temperature], body.max_tokens, body.logprobs, body.seed
    )
    return asked._replace(with_seed=body.echo, seed_field="prompt")


def _request(
    body: GenerateRequest | CompletionRequest,
    seeds: list[str],
    diversities: list[float],
    length: int,
    logprobs: int | None,
    random_seed: int | None,
) -> TextRequest:
    random_seed = random_seed_or_new(random_seed)
    _check_amount(len(seeds) * len(diversities) * body.n, length, logprobs)
    per_generation = [one for _ in seeds for one in diversities for _ in range(body.n)]
    samplings = [
        Sampling(diversity, body.top_k or 0, body.top_p or 1.0, random_seed, number)
        for number, diversity in enumerate(per_generation)
    ]
    return TextRequest(
        seeds,
        samplings,
        random_seed,
        length,
        _stops(body),
        logprobs,
        body.stream,
        replace=body.unknown == "replace",
    )


def _resume(body: GenerateRequest, token: str) -> TextRequest:
    """Continue from a token; some other fields must agree with it, some may be changed."""
    before, row = continuation.decode(token)
    _check_agrees(body, before)
    diversities = _diversities(body) or [before.diversity]
    length = _one_of(body, "length", "max_tokens") or DEFAULT_LENGTH
    logprobs = body.logprobs or None
    _check_amount(1, length, logprobs)
    stop = before.stop if body.stop is None else _stops(body)
    sampling = Sampling(
        diversities[0],
        body.top_k or before.top_k,
        body.top_p or before.top_p,
        before.random_seed,
        before.index,
    )
    pending = before.held if stop == before.stop else ""
    state = TextState(row, before.position, pending)
    resume = ResumePoint(before.name, before.version, before.engine, state)
    return TextRequest(
        [""],
        [sampling],
        before.random_seed,
        length,
        stop,
        logprobs,
        body.stream,
        resume=resume,
    )


def _check_agrees(body: GenerateRequest, before: continuation.Continuation) -> None:
    if _one_of(body, "seed", "prompt") is not None or body.include_seed:
        raise InvalidValue(
            "seed, prompt and include_seed must be absent with a continuation, got one of them"
        )
    if body.random_seed not in (None, before.random_seed):
        raise InvalidValue(
            f"random_seed must be that of the continuation, {before.random_seed}, or left out, "
            f"got {body.random_seed}"
        )
    if body.n != 1:
        raise InvalidValue(f"n must be 1 with a continuation, got {body.n}")
    if len(_diversities(body)) > 1:
        raise InvalidValue(
            f"diversity must be one number with a continuation, got {len(_diversities(body))}"
        )


def _one_of(body: GenerateRequest, name: str, alias: str) -> Any:
    """The value of a field with two names; InvalidValue if both are given."""
    given, other = getattr(body, name), getattr(body, alias)
    if given is not None and other is not None:
        raise InvalidValue(f"{name} must be given once, got also {alias}, its other name")
    return other if given is None else given


def _diversities(body: GenerateRequest) -> list[float]:
    given = _one_of(body, "diversity", "temperature")
    if given is None:
        return []
    return given if isinstance(given, list) else [given]


def _check_amount(generations: int, length: int, logprobs: int | None) -> None:
    if generations > MAX_GENERATIONS:
        raise InvalidValue(
            f"n × seeds × diversities must be at most {MAX_GENERATIONS} generations "
            f"together, got {generations:,}"
        )
    most = MAX_CHARACTERS if logprobs is None else MAX_LOGPROB_CHARACTERS
    if generations * length > most:
        kind = "" if logprobs is None else " with logprobs"
        raise InvalidValue(
            f"length × generations must be at most {most:,} characters{kind}, got {length:,} × "
            f"{generations}: ask for fewer or shorter generations"
        )


def _stops(body: GenerateRequest | CompletionRequest) -> list[str]:
    if body.stop is None:
        return []
    return [body.stop] if isinstance(body.stop, str) else body.stop
