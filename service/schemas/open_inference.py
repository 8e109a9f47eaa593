"""The OpenAPI documentation of the Open Inference Protocol, with the generate extension."""

from pydantic import BaseModel

from service.schemas.openapi import event_stream, parameter
from service.schemas.protocols import example_body, json_content, query_operation, tensor_operation

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
SERVER_METADATA = query_operation(
    {"name": "vitrine", "version": "0.1.0", "extensions": ["binary_tensor_data"]}
)
MODEL_NAMES = query_operation({"models": ["digits"]})
MODEL_METADATA = query_operation(
    {
        "name": "digits",
        "versions": ["1"],
        "platform": "tensorflow_savedmodel",
        "inputs": [IMAGES],
        "outputs": [PROBABILITIES],
    },
    parameter(
        "query", "signature_name", "another signature than the default one", {"type": "string"}
    ),
)
MODEL_READY = query_operation({"name": "digits", "ready": True})
STATISTICS = query_operation(STATISTICS_ANSWER)
CONFIG = query_operation(
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
)
INFER = tensor_operation(
    example_body(
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
    json_content(
        {
            "model_name": "digits",
            "model_version": "1",
            "outputs": [
                {
                    "name": "probabilities",
                    "datatype": "BYTES",
                    "shape": [1, 1],
                    "data": ["0.99:7:7"],
                }
            ],
        }
    ),
    parameter(
        "header",
        "Inference-Header-Content-Length",
        "bytes of JSON in front of the raw tensors; 0: the body is the only input",
        {"type": "integer", "minimum": 0},
    ),
)
GENERATE_BODY = example_body(
    {"text_input": "the ", "parameters": {"temperature": 0.5, "max_tokens": 40, "seed": 7}},
    "the text to continue, and how",
)


class GeneratedText(BaseModel):
    """One chunk of a generated text, or all of it."""

    model_name: str
    model_version: str
    text_output: str
    id: str | None = None


GENERATE = tensor_operation(
    GENERATE_BODY,
    json_content({"model_name": "text", "model_version": "1", "text_output": "king"}),
)
GENERATE_STREAM = tensor_operation(
    GENERATE_BODY,
    event_stream(
        GeneratedText, 'data: {"model_name":"text","model_version":"1","text_output":"k"}\n\n'
    ),
)
