"""The OpenAPI documentation of the routes that load models and set what is served."""

from typing import Any

from service.schemas.openapi import described, parameter
from service.schemas.protocols import example_body, json_content, query_operation

REPOSITORY_INDEX = described(
    json_content([{"name": "digits", "version": "1", "state": "READY", "reason": ""}]),
    body=example_body(
        {"ready": True}, "empty, or whether only ready versions are listed", required=False
    ),
    errors=(400, 401),
)


def _managed(answer: Any) -> dict[str, Any]:
    body = example_body({}, "empty, or `{}`", required=False)
    return described(json_content(answer), body=body, errors=(400, 401, 403, 404))


LOAD = _managed({"name": "digits", "load": True})
UNLOAD = _managed({"name": "digits", "unload": True})
SERVING_EXAMPLE = {
    "versions": {"latest": 1},
    "labels": {"stable": 1},
    "weight": 1,
    "unloaded": False,
}
GET_SERVING = query_operation(SERVING_EXAMPLE)
PUT_SERVING = described(
    json_content(SERVING_EXAMPLE),
    body=example_body(SERVING_EXAMPLE, "the whole configuration"),
    errors=(400, 401, 403, 404, 412, 413, 422),
    parameters=[parameter("header", "If-Match", "the ETag that was read", {"type": "string"})],
)
