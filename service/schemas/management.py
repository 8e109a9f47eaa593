"""The OpenAPI documentation of the routes that load models and set what is served."""

from typing import Any

from service.schemas.openapi import MODEL_NAME, parameter, problems
from service.schemas.protocols import json_answer, json_body, query_operation

REPOSITORY_INDEX: dict[str, Any] = {
    "responses": json_answer([{"name": "digits", "version": "1", "state": "READY", "reason": ""}])
    | problems(400, 401),
    "openapi_extra": {
        "requestBody": {
            **json_body({"ready": True}, "empty, or whether only ready versions are listed"),
            "required": False,
        }
    },
}


def _managed(answer: Any) -> dict[str, Any]:
    body = {**json_body({}, "empty, or `{}`"), "required": False}
    return {
        "responses": json_answer(answer) | problems(400, 401, 403, 404),
        "openapi_extra": {"requestBody": body, "parameters": [MODEL_NAME]},
    }


LOAD = _managed({"name": "digits", "load": True})
UNLOAD = _managed({"name": "digits", "unload": True})
SERVING_EXAMPLE = {
    "versions": {"latest": 1},
    "labels": {"stable": 3, "canary": 4},
    "weight": 1,
    "unloaded": False,
}
GET_SERVING = query_operation(SERVING_EXAMPLE, MODEL_NAME)
PUT_SERVING: dict[str, Any] = {
    "responses": json_answer(SERVING_EXAMPLE) | problems(400, 401, 403, 404, 412, 413, 422),
    "openapi_extra": {
        "requestBody": json_body(SERVING_EXAMPLE, "the whole configuration"),
        "parameters": [
            MODEL_NAME,
            parameter("header", "If-Match", "the ETag that was read", {"type": "string"}),
        ],
    },
}
