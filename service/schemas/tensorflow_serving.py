"""The OpenAPI documentation of TensorFlow Serving's routes."""

from service.schemas.openapi import MODEL_NAME
from service.schemas.protocols import json_body, query_operation, tensor_operation

ZEROS = [[[[0]] * 28] * 28]
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
PREDICT = tensor_operation(
    json_body(
        {"signature_name": "serving_default", "instances": ZEROS},
        "`instances`: one value or object for each row; or `inputs`: whole tensors by name",
    ),
    {"predictions": [{"probabilities": [0.1] * 10, "outlier_score": 0.9}]},
    MODEL_NAME,
)
CLASSIFY = tensor_operation(
    json_body({"examples": [{"x": [0.1, 0.2]}]}, "`examples`: an object of features for each row"),
    {"results": [[["daisy", 0.9], ["tulips", 0.1]]]},
    MODEL_NAME,
)
REGRESS = tensor_operation(
    json_body({"examples": [{"x": [0.1, 0.2]}]}, "`examples`: an object of features for each row"),
    {"results": [3.5]},
    MODEL_NAME,
)
VERSION_STATUS = query_operation(STATUS, MODEL_NAME)
METADATA = query_operation(
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
