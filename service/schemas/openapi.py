"""Builds the OpenAPI documentation of a route: request, answer, errors, example."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, TypeAdapter

from service.schemas.base import QueryValues, RequestBody, Schema, properties, resolve
from service.schemas.common import BASE64_IMAGE, BINARY, MAX_TIMEOUT_MS, ModelQuery, Problem

# A 7 of two lines, 28×28, light on black: a valid request.
EXAMPLE_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAAAAABXZoBIAAAAQElEQVR42mNgGEqAEcb4j0WYCb8WTPD/Px6r4HJM"
    "eOTwasSik0iNmDqJ1Yihk2iN6DqJ14imkwSNqDr/D/bUBwDJ3REDpVbWGgAAAABJRU5ErkJggg=="
)
MEANINGS = {
    400: "The body cannot be parsed.",
    401: "The API key is missing or wrong.",
    403: "No admin key is configured, or the serving configuration cannot be written.",
    404: "No such model, version or version label.",
    408: "The request did not arrive in time.",
    412: "If-Match is not the current ETag.",
    413: "The body, the pixels or the number of images exceeds its limit.",
    415: "The bytes are not a PNG, JPEG, WebP, GIF or BMP image.",
    422: "A value is out of range, or an image is corrupt, blank or shows several digits.",
    429: "Too busy; `Retry-After` says when to retry.",
    503: "The model is still loading, or the service is stopping.",
    504: "The deadline passed.",
}
JSON_ERRORS = (400, 401, 404, 413, 422, 429, 503, 504)
IMAGE_ERRORS = (400, 401, 404, 413, 415, 422, 429, 503, 504)
QUERY_ERRORS = (401, 404, 422, 429, 503, 504)
PIXELS: Schema = {
    "type": "array",
    "description": "rows of pixels 0…255: [H][W], [H][W][1] or [H][W][3]",
    "items": {"type": "array", "items": {}},
}
IMAGE_BODY: Schema = {
    "required": True,
    "description": "One image file, several as form parts, or JSON; the format is detected from the bytes.",
    "content": {
        **{f"image/{kind}": {"schema": BINARY} for kind in ("png", "jpeg", "webp", "gif", "bmp")},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "description": "each file part is an image; names are ignored",
                "properties": {"file": BINARY},
            }
        },
        "application/json": {
            "schema": {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": False,
                "properties": {
                    "image": BASE64_IMAGE,
                    "images": {"type": "array", "items": BASE64_IMAGE, "minItems": 1},
                    "instances": {"type": "array", "items": PIXELS, "minItems": 1},
                },
            },
            "example": {"image": f"data:image/png;base64,{EXAMPLE_PNG}"},
        },
    },
}


def parameter(place: str, name: str, description: str, schema: Schema) -> Schema:
    """One parameter; place: query, header or path."""
    return {"name": name, "in": place, "description": description, "schema": schema}


REQUEST_HEADERS = [
    parameter(
        "header",
        "X-Timeout-Ms",
        "deadline of this request",
        {"type": "number", "minimum": 1, "maximum": MAX_TIMEOUT_MS},
    ),
    parameter("header", "X-Request-ID", "echoed; generated if absent", {"type": "string"}),
]
HEADERS: dict[str, Schema] = {
    "X-Request-ID": {"description": "from the request, or generated", "schema": {"type": "string"}}
}
MODEL_HEADERS: dict[str, Schema] = {
    **HEADERS,
    "X-Model": {
        "description": "name/version of the model that answered",
        "schema": {"type": "string"},
        "example": "digits/1",
    },
    "X-Engine": {
        "description": "engine that ran the model: onnx, tensorflow, or both",
        "schema": {"type": "string"},
        "example": "onnx",
    },
    "X-Batch-Size": {
        "description": "rows of the batch, including those of other requests",
        "schema": {"type": "integer"},
    },
    "Server-Timing": {
        "description": "milliseconds of decode, queue, infer and encode",
        "schema": {"type": "string"},
        "example": "decode;dur=0.1, queue;dur=0.2, infer;dur=0.5, encode;dur=0.1",
    },
}
RANDOM_SEED_HEADER: Schema = {
    "description": "the random seed used",
    "schema": {"type": "integer"},
}
RETRY_AFTER: Schema = {"description": "seconds to wait", "schema": {"type": "integer"}}


def _problem(status: int) -> dict[str, Any]:
    """An error of a route; all have one format."""
    waits = {"Retry-After": RETRY_AFTER} if status in (429, 503) else {}
    headers = {**HEADERS, **waits}
    return {"model": Problem, "description": MEANINGS[status], "headers": headers}


def described(
    answer: type[BaseModel] | dict[str, Schema],
    *,
    body: type[RequestBody] | Schema | None = None,
    errors: Sequence[int] = (),
    parameters: Sequence[Schema] = (),
    headers: dict[str, Schema] = HEADERS,
) -> dict[str, Any]:
    """The arguments of a router's method that document a route; those of its path are added to the document.

    Args:
        answer: a model, or media type → its schema and example.
        body: a request model, or an OpenAPI request body such as IMAGE_BODY.
        errors: statuses of errors.
        parameters: those in the query and in headers.
        headers: of the answer.
    """
    whole: dict[str, Any] = {"description": "The answer.", "headers": headers}
    extra: Schema = {"parameters": list(parameters)}
    if body is not None:
        extra["requestBody"] = body if isinstance(body, dict) else json_body(body)
    responses = {200: whole, **{status: _problem(status) for status in errors}}
    if isinstance(answer, dict):
        whole["content"] = answer
        return {"responses": responses, "openapi_extra": extra}
    return {"responses": responses, "openapi_extra": extra, "response_model": answer}


def operation(
    answer: type[BaseModel] | None,
    *,
    body: type[RequestBody] | Schema | None = None,
    query: type[QueryValues] | None = None,
    errors: tuple[int, ...] = IMAGE_ERRORS,
    content: dict[str, Schema] | None = None,
    seeded: bool = False,
) -> dict[str, Any]:
    """The same for a route that uses a model of its task.

    Args:
        answer: the JSON answer; None: the answer is only `content`, with an ETag.
        body: as above.
        query: the model of the route's own query values.
        errors: statuses of errors.
        content: further content types of the answer, such as a PNG or a stream.
        seeded: whether a header of the answer has the random seed.
    """
    headers = {**MODEL_HEADERS, **({"X-Random-Seed": RANDOM_SEED_HEADER} if seeded else {})}
    parameters = [*query_parameters(query, ModelQuery), *REQUEST_HEADERS]
    whole = described(
        answer or content or {}, body=body, errors=errors, parameters=parameters, headers=headers
    )
    if answer is None:
        whole["responses"][304] = {"description": "The image has not changed (If-None-Match)."}
    elif content:
        whole["responses"][200]["content"] = content
    return whole


def event_stream(event: Any, example: str) -> dict[str, Schema]:
    """Server-sent events: each `data:` is a JSON object of the given type, the last is `[DONE]`."""
    schema = TypeAdapter(event).json_schema()
    item = resolve(schema, schema.pop("$defs", {}))
    return {
        "text/event-stream": {
            "schema": {"type": "string"},
            "example": example,
            "x-item-schema": item,
        }
    }


def json_body(model: type[RequestBody]) -> Schema:
    """A request model as an OpenAPI request body, with the model's example."""
    schema: Schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: tidy(field) for name, field in properties(model).items()},
    }
    if required := model.model_json_schema().get("required"):
        schema["required"] = required
    return {
        "required": True,
        "content": {"application/json": {"schema": schema, "example": model.example}},
    }


def query_parameters(*models: type[QueryValues] | None) -> list[Schema]:
    """The query values of models as OpenAPI parameters."""
    found = [(n, tidy(one)) for model in models if model for n, one in properties(model).items()]
    return [parameter("query", n, one.pop("description", ""), one) for n, one in found]


def tidy(schema: Schema) -> Schema:
    """A field's schema without titles and without null (which means absent)."""
    kept = {key: value for key, value in schema.items() if key != "title"}
    branches = [one for one in kept.pop("anyOf", []) if one != {"type": "null"}]
    if len(branches) == 1:
        kept = {**branches[0], **kept}
    elif branches:
        kept["anyOf"] = branches
    if kept.get("default", ...) is None:
        del kept["default"]
    return kept
