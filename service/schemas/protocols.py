"""Parts of the OpenAPI documentation of both standard protocols."""

import re
from typing import Any

from service.schemas.openapi import parameter, problems

ERRORS = problems(400, 401, 404, 413, 429, 503, 504)
QUERY_ERRORS = problems(400, 401, 404, 503)
PATH_PARAMETERS = {
    "version": {
        **parameter("path", "version", "a version number", {"type": "string"}),
        "required": True,
    },
    "label": {
        **parameter("path", "label", "a version label", {"type": "string"}),
        "required": True,
    },
}
ANY_OBJECT: dict[str, Any] = {"type": "object"}


def json_answer(example: Any, description: str = "the answer") -> dict[int | str, dict[str, Any]]:
    """A response 200 with an example."""
    schema = {"type": "array"} if isinstance(example, list) else ANY_OBJECT
    content = {"application/json": {"schema": schema, "example": example}}
    return {200: {"description": description, "content": content}}


def json_body(example: Any, description: str, *more: str) -> dict[str, Any]:
    """A JSON body with an example; more: other media types that are accepted."""
    content: dict[str, Any] = {"application/json": {"schema": ANY_OBJECT, "example": example}}
    content |= {kind: {"schema": {"type": "string", "format": "binary"}} for kind in more}
    return {"required": True, "description": description, "content": content}


def query_operation(answer: Any, *parameters: dict[str, Any]) -> dict[str, Any]:
    """A route that reads something and takes no body."""
    return {
        "responses": json_answer(answer) | QUERY_ERRORS,
        "openapi_extra": {"parameters": list(parameters)},
    }


def tensor_operation(
    body: dict[str, Any], answer: Any, *parameters: dict[str, Any]
) -> dict[str, Any]:
    """A route that runs a model."""
    return {
        "responses": json_answer(answer) | ERRORS,
        "openapi_extra": {"requestBody": body, "parameters": list(parameters)},
    }


def at(route: str, document: dict[str, Any]) -> dict[str, Any]:
    """Document a route; a version or a label in it is a parameter of its path."""
    more = [one for name, one in PATH_PARAMETERS.items() if f"{{{name}}}" in route]
    if not more:
        return {"path": route, **document}
    extra = document["openapi_extra"]
    parameters = [*extra["parameters"], *more]
    name = re.sub(r"\W+", "_", route).strip("_")
    described = {**extra, "parameters": parameters}
    return {"path": route, **document, "operation_id": name, "openapi_extra": described}
