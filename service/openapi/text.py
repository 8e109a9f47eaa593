"""How the text routes appear in the OpenAPI document."""

from typing import Any

from service.codecs.random_streams import MAX_SEED
from service.openapi import schemas
from service.openapi.common import MODEL_CHOICE, json_body, problems
from service.tasks import text_request as limits

ERRORS = problems(400, 401, 404, 413, 415, 422, 429, 503, 504)
TEXT = {"type": "string"}
FLAG = {"type": "boolean", "default": False}
DIVERSITY = {"type": "number", "minimum": 0, "maximum": limits.MAX_DIVERSITY}
UNKNOWN = {
    "type": "string",
    "enum": ["error", "replace"],
    "default": "error",
    "description": "what to do with characters the model has never seen; a space can stand in",
}
STOP = {
    "description": "the text ends before the first of these that is complete",
    "oneOf": [TEXT, {"type": "array", "items": TEXT, "maxItems": limits.MAX_STOPS}],
}
LOGPROBS = {"type": "integer", "minimum": 0, "maximum": limits.MAX_TOP_LOGPROBS}
TOP_K = {"type": "integer", "minimum": 1, "description": "draw from so many of the likeliest"}
TOP_P = {
    "type": "number",
    "exclusiveMinimum": 0,
    "maximum": 1,
    "description": "draw from the fewest likeliest that have so much probability together",
}
LENGTH = {"type": "integer", "minimum": 1, "maximum": limits.MAX_LENGTH}
COUNT = {"type": "integer", "minimum": 1, "maximum": limits.MAX_GENERATIONS, "default": 1}
RANDOM_SEED = {
    "type": "integer",
    "minimum": 0,
    "maximum": MAX_SEED,
    "description": "the same number gives the same text; absent: one is drawn and reported",
}


def _streamed(example: str) -> dict[int | str, dict[str, Any]]:
    stream = {"text/event-stream": {"schema": TEXT, "example": example}}
    return {200: {"description": "The texts, whole or as a stream.", "content": stream}}


GENERATE_BODY = json_body(
    {
        "seed": {**TEXT, "maxLength": limits.MAX_READ, "description": "the text to continue"},
        "prompt": {**TEXT, "description": "another name of seed"},
        "diversity": {
            "description": "temperature; 0: always the likeliest; a list: one text for each",
            "default": limits.DEFAULT_DIVERSITY,
            "oneOf": [DIVERSITY, {"type": "array", "items": DIVERSITY, "minItems": 1}],
        },
        "temperature": {**DIVERSITY, "description": "another name of diversity"},
        "length": {**LENGTH, "default": limits.DEFAULT_LENGTH, "description": "characters to add"},
        "max_tokens": {**LENGTH, "description": "another name of length"},
        "random_seed": RANDOM_SEED,
        "n": {**COUNT, "description": "texts for each diversity"},
        "top_k": TOP_K,
        "top_p": TOP_P,
        "stop": STOP,
        "logprobs": {**LOGPROBS, "default": 0, "description": "likeliest to note; 0: no notes"},
        "include_seed": {**FLAG, "description": "let the text begin with the seed"},
        "stream": {**FLAG, "description": "the same as Accept: text/event-stream"},
        "unknown": UNKNOWN,
        "continuation": {**TEXT, "description": "of an earlier answer: go on from there"},
    },
    {"seed": "\n", "diversity": [0.2, 0.5, 1.0], "length": 40, "random_seed": 42},
)
SCORE_BODY = json_body(
    {"text": {**TEXT, "minLength": 1, "maxLength": limits.MAX_READ}, "unknown": UNKNOWN},
    {"text": "the ", "unknown": "replace"},
    "text",
)
COMPLETION_BODY = json_body(
    {
        "model": {**TEXT, "description": "absent: text"},
        "prompt": {
            "description": "texts give as many choices each",
            "oneOf": [TEXT, {"type": "array", "items": TEXT}],
        },
        "max_tokens": {**LENGTH, "default": limits.OPENAI_MAX_TOKENS, "description": "characters"},
        "temperature": {**DIVERSITY, "default": limits.OPENAI_TEMPERATURE},
        "top_k": TOP_K,
        "top_p": TOP_P,
        "n": COUNT,
        "stop": STOP,
        "logprobs": LOGPROBS,
        "echo": FLAG,
        "seed": RANDOM_SEED,
        "stream": FLAG,
        "stream_options": {"type": "object", "properties": {"include_usage": FLAG}},
        "unknown": UNKNOWN,
        "user": {**TEXT, "description": "ignored"},
        **{
            name: {"description": "only the value that asks for nothing"}
            for name in ("best_of", *limits.NEUTRAL)
        },
    },
    {"model": "text", "prompt": "\n", "max_tokens": 40, "seed": 42},
)

GENERATE_TEXT: dict[str, Any] = {
    "response_model": schemas.GenerateAnswer,
    "responses": ERRORS
    | _streamed(
        'data: {"index":0,"text":"the k"}\n\ndata: {"index":0,"finish_reason":"length",'
        '"random_seed":42,"continuation":"AQ4c0f"}\n\ndata: [DONE]\n\n'
    ),
    "openapi_extra": {"requestBody": GENERATE_BODY, "parameters": MODEL_CHOICE},
}
SCORE_TEXT: dict[str, Any] = {
    "response_model": schemas.ScoreAnswer,
    "responses": ERRORS,
    "openapi_extra": {"requestBody": SCORE_BODY, "parameters": MODEL_CHOICE},
}
COMPLETIONS: dict[str, Any] = {
    "response_model": schemas.CompletionAnswer,
    "responses": ERRORS
    | _streamed(
        'data: {"id":"cmpl-1","object":"text_completion","choices":[{"index":0,"text":"the k",'
        '"logprobs":null,"finish_reason":null}]}\n\ndata: [DONE]\n\n'
    ),
    "openapi_extra": {"requestBody": COMPLETION_BODY, "parameters": MODEL_CHOICE},
}
