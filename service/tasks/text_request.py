"""What a caller may ask of a text model: fields → a checked TextRequest, in two dialects.

Ours (`seed`, `diversity`, `length`) and OpenAI's (`prompt`, `temperature`, `max_tokens`). Knows JSON
objects, no HTTP and no model; what depends on a vocabulary is checked by the task.
"""

import secrets
from typing import NamedTuple

from service.codecs import continuation
from service.codecs.json_fields import Document
from service.codecs.random_streams import MAX_SEED
from service.errors import InvalidValue
from service.tasks.sequences import Sampling, TextState

MAX_GENERATIONS = 256
MAX_LENGTH = 10_000
MAX_CHARACTERS = 2**17  # of all generations of a request together
MAX_NOTED_CHARACTERS = 20_000  # the same with logprobs: each is a hundred bytes of JSON and more
MAX_READ = 50_000  # characters of a seed, or of a text to score
MAX_DIVERSITY = 100
MAX_STOPS, MAX_STOP = 16, 100
MAX_TOP_LOGPROBS = 5
DEFAULT_DIVERSITY, DEFAULT_LENGTH = 0.5, 400
OPENAI_TEMPERATURE, OPENAI_MAX_TOKENS = 1.0, 16

GENERATE_FIELDS = (
    "seed", "prompt", "diversity", "temperature", "length", "max_tokens", "random_seed", "n", "top_k",
    "top_p", "stop", "logprobs", "include_seed", "stream", "unknown", "continuation",
)  # fmt: skip
COMPLETION_FIELDS = (
    "model", "prompt", "max_tokens", "temperature", "top_k", "top_p", "n", "stop", "logprobs", "echo",
    "seed", "stream", "stream_options", "unknown", "user", "suffix", "best_of", "frequency_penalty",
    "presence_penalty", "logit_bias",
)  # fmt: skip
SCORE_FIELDS = ("text", "unknown")
# OpenAI's fields that this service has nothing for, with the values that ask for nothing.
NEUTRAL: dict[str, tuple[object, ...]] = {
    "suffix": ("",),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
}


class Dialect(NamedTuple):
    """What the callers of a route call some fields."""

    seed: str
    random_seed: str
    with_seed: str


OURS = Dialect("seed", "random_seed", "include_seed")
OPENAI = Dialect("prompt", "seed", "echo")


class Origin(NamedTuple):
    """Where a continuation goes on: the model it names, and the state."""

    name: str
    version: int
    state: TextState


class TextRequest(NamedTuple):
    """What is to be drawn. Generations are ordered by seed, then by diversity, then by number."""

    seeds: list[str]
    samplings: list[Sampling]  # one for each generation, as many for each seed
    random_seed: int
    length: int
    stop: list[str]
    logprobs: int | None
    with_seed: bool
    replace: bool
    stream: bool
    origin: Origin | None = None
    seed_field: str = "seed"  # as the caller calls it

    @property
    def steps(self) -> int:
        """Characters to read and draw, one after the other, until the longest text is whole."""
        return self.length + max(map(len, self.seeds))


def read_generate(fields: Document) -> TextRequest:
    """A body of `/v1/text/generate`."""
    for alias, name in (("prompt", "seed"), ("temperature", "diversity"), ("max_tokens", "length")):
        fields.rename(alias, name)
    token = fields.text("continuation")
    if token is not None:
        return _read_continuation(fields, token)
    diversities = fields.numbers("diversity", 0, MAX_DIVERSITY)
    if "diversity" in fields and not diversities:
        raise InvalidValue("diversity is an empty list: expected at least one number")
    return _request(
        fields,
        OURS,
        seeds=[fields.text("seed") or ""],
        diversities=diversities or [DEFAULT_DIVERSITY],
        length=fields.integer("length", 1, MAX_LENGTH) or DEFAULT_LENGTH,
        logprobs=fields.integer("logprobs", 0, MAX_TOP_LOGPROBS) or None,
    )


def read_completion(fields: Document) -> TextRequest:
    """A body of `/v1/completions`."""
    for name, nothing in NEUTRAL.items():
        if name in fields and fields.value(name) not in nothing:
            raise InvalidValue(f"{name} is not supported by this model: leave it out")
    n = fields.integer("n", 1, MAX_GENERATIONS) or 1
    if (fields.integer("best_of", 1, MAX_GENERATIONS) or n) != n:
        raise InvalidValue("best_of is not supported by this model: leave it out")
    if isinstance(prompt := fields.value("prompt"), list) and any(
        type(p) is not str for p in prompt
    ):
        raise InvalidValue("prompt is a text or a list of texts; token ids are not taken")
    temperature = fields.number("temperature", 0, MAX_DIVERSITY)
    return _request(
        fields,
        OPENAI,
        seeds=fields.texts("prompt") or [""],
        diversities=[OPENAI_TEMPERATURE if temperature is None else temperature],
        length=fields.integer("max_tokens", 1, MAX_LENGTH) or OPENAI_MAX_TOKENS,
        logprobs=fields.integer("logprobs", 0, MAX_TOP_LOGPROBS),
    )


def read_score(fields: Document) -> tuple[str, bool]:
    """A body of `/v1/text/score`: the text, and whether unknown characters are replaced."""
    text = fields.text("text")
    if not text:
        raise InvalidValue("text is missing or empty: send the text to score")
    _check_size("text", text)
    return text, _replaces(fields)


def _request(
    fields: Document,
    names: Dialect,
    *,
    seeds: list[str],
    diversities: list[float],
    length: int,
    logprobs: int | None,
) -> TextRequest:
    random_seed = _random_seed(fields, names.random_seed)
    for seed in seeds:
        _check_size(names.seed, seed)
    n = fields.integer("n", 1, MAX_GENERATIONS) or 1
    _check_amount(len(seeds) * len(diversities) * n, length, logprobs)
    top_k, top_p = _top(fields)
    drawn = [one for _ in seeds for one in diversities for _ in range(n)]
    samplings = [
        Sampling(diversity, top_k or 0, top_p or 1.0, random_seed, number)
        for number, diversity in enumerate(drawn)
    ]
    return TextRequest(
        seeds,
        samplings,
        random_seed,
        length,
        _stops(fields),
        logprobs,
        with_seed=fields.flag(names.with_seed),
        replace=_replaces(fields),
        stream=fields.flag("stream"),
        seed_field=names.seed,
    )


def _read_continuation(fields: Document, token: str) -> TextRequest:
    """Go on as before; what comes beside the token has to agree with it, or may be changed."""
    before, row = continuation.decode(token)
    _check_agrees(fields, before)
    diversities = fields.numbers("diversity", 0, MAX_DIVERSITY) or [before.diversity]
    length = fields.integer("length", 1, MAX_LENGTH) or DEFAULT_LENGTH
    logprobs = fields.integer("logprobs", 0, MAX_TOP_LOGPROBS) or None
    _check_amount(1, length, logprobs)
    top_k, top_p = _top(fields)
    stop = _stops(fields) if "stop" in fields else before.stop
    sampling = Sampling(
        diversities[0],
        top_k or before.top_k,
        top_p or before.top_p,
        before.random_seed,
        before.index,
    )
    held = before.held if stop == before.stop else ""
    origin = Origin(before.name, before.version, TextState(row, before.position, held))
    return TextRequest(
        [""],
        [sampling],
        before.random_seed,
        length,
        stop,
        logprobs,
        with_seed=False,
        replace=False,
        stream=fields.flag("stream"),
        origin=origin,
    )


def _check_agrees(fields: Document, before: continuation.Continuation) -> None:
    if "seed" in fields or fields.flag("include_seed"):
        raise InvalidValue(
            "a continuation goes on from its own text: leave out seed and include_seed"
        )
    random_seed = fields.integer("random_seed", 0, MAX_SEED)
    if random_seed not in (None, before.random_seed):
        raise InvalidValue(
            f"a continuation goes on with its own random_seed, {before.random_seed}: leave it out"
        )
    if fields.integer("n", 1, MAX_GENERATIONS) not in (None, 1):
        raise InvalidValue("a continuation goes on as one text: leave out n")
    if "diversity" in fields and len(fields.numbers("diversity", 0, MAX_DIVERSITY)) != 1:
        raise InvalidValue("a continuation goes on with one diversity, got a list of others")


def _check_size(name: str, text: str) -> None:
    if len(text) > MAX_READ:
        raise InvalidValue(
            f"{name} has {len(text):,} characters; at most {MAX_READ:,} are read: send its end"
        )


def _check_amount(generations: int, length: int, logprobs: int | None) -> None:
    if generations > MAX_GENERATIONS:
        raise InvalidValue(
            f"at most {MAX_GENERATIONS} generations a request, got {generations:,}: n for each "
            "seed and each diversity"
        )
    most = MAX_CHARACTERS if logprobs is None else MAX_NOTED_CHARACTERS
    if generations * length > most:
        noted = "" if logprobs is None else " with logprobs"
        raise InvalidValue(
            f"at most {most:,} characters a request{noted}, got {generations} × {length:,}: ask for "
            "fewer or shorter generations"
        )


def _random_seed(fields: Document, name: str) -> int:
    given = fields.integer(name, 0, MAX_SEED)
    return secrets.randbelow(MAX_SEED + 1) if given is None else given


def _top(fields: Document) -> tuple[int | None, float | None]:
    top_k = fields.integer("top_k", 1, 2**31 - 1)
    top_p = fields.number("top_p", 0, 1)
    if top_p == 0:
        raise InvalidValue("top_p is a number above 0 and at most 1, got 0")
    return top_k, top_p


def _stops(fields: Document) -> list[str]:
    stops = fields.texts("stop")
    if len(stops) > MAX_STOPS:
        raise InvalidValue(f"at most {MAX_STOPS} stop strings, got {len(stops):,}")
    for stop in stops:
        if not 1 <= len(stop) <= MAX_STOP:
            raise InvalidValue(
                f"a stop string has 1 to {MAX_STOP} characters, got one of {len(stop):,}"
            )
    return stops


def _replaces(fields: Document) -> bool:
    return fields.choice("unknown", ("error", "replace")) == "replace"
