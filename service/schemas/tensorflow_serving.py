"""The OpenAPI documentation of TensorFlow Serving's routes."""

from service.schemas.protocols import example_body, json_content, query_operation, tensor_operation

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
EXAMPLES = example_body(
    {"examples": [{"images": [0] * 784}]}, "`examples`: an object of features for each row"
)
PREDICT = tensor_operation(
    example_body(
        {"signature_name": "serving_default", "instances": ZEROS},
        "`instances`: one value or object for each row; or `inputs`: whole tensors by name",
    ),
    json_content({"predictions": [{"probabilities": [0.1] * 10, "outlier_score": 0.9}]}),
)
CLASSIFY = tensor_operation(EXAMPLES, json_content({"results": [[["7", 0.9], ["1", 0.1]]]}))
REGRESS = tensor_operation(EXAMPLES, json_content({"results": [3.5]}))
VERSION_STATUS = query_operation(STATUS)
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
)
