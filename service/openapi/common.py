"""How each route appears in the OpenAPI document: request forms, answer, errors, an example."""

from typing import Any

from service.openapi import schemas
from service.runtime.repository import MAX_VERSION

# A 7 of two lines, 28×28, light on black: a request that works when it is sent as it stands.
EXAMPLE_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAAAAABXZoBIAAAAQElEQVR42mNgGEqAEcb4j0WYCb8WTPD/Px6r4HJM"
    "eOTwasSik0iNmDqJ1Yihk2iN6DqJ14imkwSNqDr/D/bUBwDJ3REDpVbWGgAAAABJRU5ErkJggg=="
)

MEANINGS = {
    400: "The body cannot be parsed.",
    401: "The API key is missing or wrong.",
    404: "No such model, version or version label.",
    413: "The body, the pixels or the number of pictures is over its limit.",
    415: "The bytes are no PNG, JPEG, WebP, GIF or BMP.",
    422: "A value is out of range, or a picture is corrupt, blank or shows several digits.",
    429: "Too busy; `Retry-After` says when to try again.",
    503: "The model is still loading, or the service is stopping.",
    504: "The deadline passed.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors a route can give."""
    return {s: {"model": schemas.Problem, "description": MEANINGS[s]} for s in statuses}


def json_body(
    properties: dict[str, Any], example: dict[str, Any], *required: str
) -> dict[str, Any]:
    """A body that is a JSON object of these fields and no others."""
    schema: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }
    if required:
        schema["required"] = list(required)
    return {
        "required": True,
        "content": {"application/json": {"schema": schema, "example": example}},
    }


def query(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A value after the question mark."""
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _path(name: str, description: str) -> dict[str, Any]:
    schema = {"type": "string"}
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": schema,
    }


def _header(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": description, "schema": schema}


PIXELS = {
    "type": "array",
    "description": "rows of pixels 0…255: [H][W], [H][W][1] or [H][W][3]",
    "items": {"type": "array", "items": {}},
}
ENCODED = {
    "type": "string",
    "description": "base64, or a data URI such as canvas.toDataURL() gives",
}
PICTURE_BODY = {
    "required": True,
    "description": "One picture as it is, several as form parts, or JSON; the bytes decide, not the type.",
    "content": {
        **{
            f"image/{kind}": {"schema": {"type": "string", "format": "binary"}}
            for kind in ("png", "jpeg", "webp", "gif", "bmp")
        },
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "description": "every file part is one picture, whatever its name",
                "properties": {"file": {"type": "string", "format": "binary"}},
            }
        },
        "application/json": {
            "schema": {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": False,
                "properties": {
                    "image": ENCODED,
                    "images": {"type": "array", "items": ENCODED, "minItems": 1},
                    "instances": {"type": "array", "items": PIXELS, "minItems": 1},
                },
            },
            "example": {"image": f"data:image/png;base64,{EXAMPLE_PNG}"},
        },
    },
}
MODEL_CHOICE = [
    query("model", "another model of the same task", {"type": "string"}),
    query(
        "version",
        "a version; absent: the newest that is ready",
        {"type": "integer", "minimum": 0, "maximum": MAX_VERSION},
    ),
    query("version_label", "a version by its label", {"type": "string"}),
    _header("X-Timeout-Ms", "deadline of this request", {"type": "number", "minimum": 1}),
    _header("X-Request-ID", "echoed; made when absent", {"type": "string"}),
]
MODEL_NAME = _path("model", "a model's name")
NORMALIZE = query(
    "normalize",
    "auto: make a drawing look like the training set; off: take a 28×28 picture as it is",
    {"type": "string", "enum": ["auto", "off"], "default": "auto"},
)
RETURN_INPUT = query(
    "return", "also give the picture the model saw", {"type": "string", "enum": ["input"]}
)
PREDICTION_ERRORS = problems(400, 401, 404, 413, 415, 422, 429, 503, 504)

CLASSIFY_DIGITS: dict[str, Any] = {
    "response_model": schemas.DigitAnswer,
    "responses": PREDICTION_ERRORS,
    "openapi_extra": {
        "requestBody": PICTURE_BODY,
        "parameters": [RETURN_INPUT, NORMALIZE, *MODEL_CHOICE],
    },
}
DIGIT_ACTIVATIONS: dict[str, Any] = {
    "response_model": schemas.ActivationsAnswer,
    "responses": PREDICTION_ERRORS,
    "openapi_extra": {"requestBody": PICTURE_BODY, "parameters": [NORMALIZE, *MODEL_CHOICE]},
}
MODEL_LIST: dict[str, Any] = {
    "response_model": schemas.ModelList,
    "responses": problems(401),
}
MODEL_STATUS: dict[str, Any] = {
    "response_model": schemas.ModelStatus,
    "responses": problems(401, 404),
    "openapi_extra": {"parameters": [MODEL_NAME]},
}
MODEL_CARD: dict[str, Any] = {
    "responses": problems(401, 404, 422, 503),
    "openapi_extra": {"parameters": [MODEL_NAME, *MODEL_CHOICE[1:3]]},
}
LIVE: dict[str, Any] = {"response_model": schemas.Health}
READY: dict[str, Any] = {"response_model": schemas.Health, "responses": problems(503)}
