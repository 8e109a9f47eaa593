"""The OpenAPI documentation of the routes of the two standard protocols."""

import re
from typing import Any

from pydantic import BaseModel

from service.schemas.openapi import MODEL_NAME, event_stream, parameter, problems

ERRORS = problems(400, 401, 404, 413, 429, 503, 504)
QUESTION_ERRORS = problems(400, 401, 404, 503)
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
ZEROS = [[[[0]] * 28] * 28]
ANY_OBJECT: dict[str, Any] = {"type": "object"}


def _json(example: Any, description: str = "the answer") -> dict[int | str, dict[str, Any]]:
    schema = {"type": "array"} if isinstance(example, list) else ANY_OBJECT
    content = {"application/json": {"schema": schema, "example": example}}
    return {200: {"description": description, "content": content}}


def _body(example: Any, description: str, *more: str) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": ANY_OBJECT, "example": example}}
    content |= {kind: {"schema": {"type": "string", "format": "binary"}} for kind in more}
    return {"required": True, "description": description, "content": content}


def _question(answer: Any, *parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "responses": _json(answer) | QUESTION_ERRORS,
        "openapi_extra": {"parameters": list(parameters)},
    }


def _call(body: dict[str, Any], answer: Any, *parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "responses": _json(answer) | ERRORS,
        "openapi_extra": {"requestBody": body, "parameters": list(parameters)},
    }


def at(route: str, document: dict[str, Any]) -> dict[str, Any]:
    """Document a route under a version or label, which are parameters of its path."""
    more = [one for name, one in PATH_PARAMETERS.items() if f"{{{name}}}" in route]
    extra = document["openapi_extra"]
    parameters = [*extra["parameters"], *more]
    name = re.sub(r"\W+", "_", route).strip("_")
    described = {**extra, "parameters": parameters}
    return {"path": route, **document, "operation_id": name, "openapi_extra": described}


def _managed(answer: Any) -> dict[str, Any]:
    body = {**_body({}, "empty, or `{}`"), "required": False}
    return {
        "responses": _json(answer) | problems(400, 401, 403, 404),
        "openapi_extra": {"requestBody": body, "parameters": [MODEL_NAME]},
    }


STATUS = {
    "model_version_status": [
        {
            "version": "1",
            "state": "AVAILABLE",
            "status": {"error_code": "OK", "error_message": ""},
        }
    ]
}
TENSOR_INFO = {
    "dtype": "DT_UINT8",
    "tensor_shape": {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False},
    "name": "images",
}
PREDICT = _call(
    _body(
        {"signature_name": "serving_default", "instances": ZEROS},
        "`instances`: one value or object for each row; or `inputs`: whole tensors by name",
    ),
    {"predictions": [{"probabilities": [0.1] * 10, "outlier_score": 0.9}]},
    MODEL_NAME,
)
CLASSIFY = _call(
    _body({"examples": [{"x": [0.1, 0.2]}]}, "`examples`: an object of features for each row"),
    {"results": [[["daisy", 0.9], ["tulips", 0.1]]]},
    MODEL_NAME,
)
REGRESS = _call(
    _body({"examples": [{"x": [0.1, 0.2]}]}, "`examples`: an object of features for each row"),
    {"results": [3.5]},
    MODEL_NAME,
)
VERSION_STATUS = _question(STATUS, MODEL_NAME)
METADATA = _question(
    {
        "model_spec": {"name": "digits", "signature_name": "", "version": "1"},
        "metadata": {
            "signature_def": {
                "signature_def": {
                    "serving_default": {
                        "inputs": {"images": TENSOR_INFO},
                        "outputs": {},
                        "method_name": "tensorflow/serving/predict",
                        "defaults": {},
                    }
                }
            }
        },
    },
    MODEL_NAME,
)

IMAGES = {"name": "images", "datatype": "UINT8", "shape": [-1, 28, 28, 1]}
PROBABILITIES = {"name": "probabilities", "datatype": "FP32", "shape": [-1, 10]}
COUNTED = {"count": 3, "ns": 4_200_000}
STATISTICS_ANSWER = {
    "model_stats": [
        {
            "name": "digits",
            "version": "1",
            "inference_count": 3,
            "execution_count": 3,
            "inference_stats": {"success": COUNTED, "queue": COUNTED},
        }
    ]
}
SERVER_METADATA = _question(
    {"name": "vitrine", "version": "0.1.0", "extensions": ["binary_tensor_data"]}
)
MODEL_NAMES = _question({"models": ["digits"]})
MODEL_METADATA = _question(
    {
        "name": "digits",
        "versions": ["1"],
        "platform": "tensorflow_savedmodel",
        "inputs": [IMAGES],
        "outputs": [PROBABILITIES],
    },
    MODEL_NAME,
    parameter(
        "query", "signature_name", "another signature than the default one", {"type": "string"}
    ),
)
MODEL_READY = _question({"name": "digits", "ready": True}, MODEL_NAME)
ALL_STATISTICS = _question(STATISTICS_ANSWER)
STATISTICS = _question(STATISTICS_ANSWER, MODEL_NAME)
CONFIG = _question(
    {
        "name": "digits",
        "platform": "tensorflow_savedmodel",
        "max_batch_size": 64,
        "input": [
            {
                "name": "images",
                "data_type": "TYPE_UINT8",
                "dims": [28, 28, 1],
                "format": "FORMAT_NHWC",
            }
        ],
        "output": [{"name": "probabilities", "data_type": "TYPE_FP32", "dims": [10]}],
        "dynamic_batching": {},
    },
    MODEL_NAME,
)
INFER = _call(
    _body(
        {
            "inputs": [
                {
                    "name": "images",
                    "datatype": "UINT8",
                    "shape": [1, 28, 28, 1],
                    "data": [0] * 784,
                }
            ],
            "outputs": [{"name": "probabilities", "parameters": {"classification": 3}}],
        },
        "JSON; or, with Inference-Header-Content-Length, a JSON header and raw tensors behind it",
        "application/octet-stream",
    ),
    {
        "model_name": "digits",
        "model_version": "1",
        "outputs": [
            {"name": "probabilities", "datatype": "BYTES", "shape": [1, 1], "data": ["0.99:7:7"]}
        ],
    },
    MODEL_NAME,
    {
        "name": "Inference-Header-Content-Length",
        "in": "header",
        "description": "bytes of JSON in front of the raw tensors; 0: the body is the only input",
        "schema": {"type": "integer", "minimum": 0},
    },
)
REPOSITORY_INDEX: dict[str, Any] = {
    "responses": _json([{"name": "digits", "version": "1", "state": "READY", "reason": ""}])
    | problems(400, 401),
    "openapi_extra": {
        "requestBody": {
            **_body({"ready": True}, "empty, or whether only ready versions are listed"),
            "required": False,
        }
    },
}
LOAD = _managed({"name": "digits", "load": True})
UNLOAD = _managed({"name": "digits", "unload": True})
SERVING_EXAMPLE = {
    "versions": {"latest": 1},
    "labels": {"stable": 3, "canary": 4},
    "weight": 1,
    "unloaded": False,
}
GET_SERVING = _question(SERVING_EXAMPLE, MODEL_NAME)
PUT_SERVING: dict[str, Any] = {
    "responses": _json(SERVING_EXAMPLE) | problems(400, 401, 403, 404, 412, 413, 422),
    "openapi_extra": {
        "requestBody": _body(SERVING_EXAMPLE, "the whole configuration"),
        "parameters": [
            MODEL_NAME,
            parameter("header", "If-Match", "the ETag that was read", {"type": "string"}),
        ],
    },
}
GENERATE_BODY = _body(
    {"text_input": "the ", "parameters": {"temperature": 0.5, "max_tokens": 40, "seed": 7}},
    "the text to continue, and how",
)


class GeneratedText(BaseModel):
    """One chunk of a generated text, or all of it."""

    model_name: str
    model_version: str
    text_output: str
    id: str | None = None


GENERATED = {"model_name": "text", "model_version": "1", "text_output": "king"}
GENERATE = _call(GENERATE_BODY, GENERATED, MODEL_NAME)
GENERATE_STREAM: dict[str, Any] = {
    "responses": {
        200: {
            "description": "server-sent events, each `data: ` and a JSON object",
            "content": event_stream(
                GeneratedText,
                'data: {"model_name":"text","model_version":"1","text_output":"k"}\n\n',
            ),
        }
    }
    | ERRORS,
    "openapi_extra": {"requestBody": GENERATE_BODY, "parameters": [MODEL_NAME]},
}
