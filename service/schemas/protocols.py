"""Parts of the OpenAPI documentation of both standard protocols, whose answers are described by an example."""

from typing import Any

from service.schemas.base import Schema
from service.schemas.common import BINARY
from service.schemas.openapi import MODEL_HEADERS, REQUEST_HEADERS, described

TENSOR_ERRORS = (400, 401, 404, 413, 429, 503, 504)
QUERY_ERRORS = (400, 401, 404, 503)


def json_content(example: Any) -> dict[str, Schema]:
    """JSON that is described by an example."""
    schema = {"type": "array" if isinstance(example, list) else "object"}
    return {"application/json": {"schema": schema, "example": example}}


def example_body(
    example: Any, description: str, *more: str, required: bool = True
) -> dict[str, Any]:
    """A JSON body with an example; more: other media types that are accepted."""
    content = json_content(example)
    content |= {kind: {"schema": BINARY} for kind in more}
    return {"required": required, "description": description, "content": content}


def query_operation(answer: Any, *parameters: Schema) -> dict[str, Any]:
    """A route that reads something and takes no body."""
    return described(json_content(answer), errors=QUERY_ERRORS, parameters=parameters)


def tensor_operation(
    body: dict[str, Any], answer: dict[str, Schema], *parameters: Schema
) -> dict[str, Any]:
    """A route that runs a model; answer: media type → its schema and example."""
    return described(
        answer,
        body=body,
        errors=TENSOR_ERRORS,
        parameters=[*parameters, *REQUEST_HEADERS],
        headers=MODEL_HEADERS,
    )
