"""TensorFlow Serving's REST API: `/v1/models/{model}` status, metadata, `:predict`, `:classify`, `:regress`."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from service.asgi.responses import json_answer
from service.asgi.routing import RawRouter
from service.asgi.state import state_of
from service.codecs import examples as example_codec
from service.codecs import predict_json
from service.codecs.predict_json import PredictRequest
from service.codecs.protocol_json import parse_object
from service.codecs.tensor_types import BY_NAME, Array, TensorSpec
from service.engine import Arrays
from service.errors import InvalidRequest, ModelNotFound, VersionNotFound
from service.routes.models import version_status
from service.routes.protocol import (
    TensorPrediction,
    path_version,
    protocol_route,
    read_protocol_body,
)
from service.runtime.servable import Servable
from service.schemas import tensorflow_serving as documents

MODEL = "/v1/models/{model}"
VERSION, LABEL = f"{MODEL}/versions/{{version}}", f"{MODEL}/labels/{{label}}"
PLACES = (MODEL, VERSION, LABEL)

router = RawRouter(tags=["tensorflow_serving"])


@protocol_route(router, "POST", documents.PREDICT, PLACES, ":predict")
async def predict(request: Request) -> Response:
    """Run a signature on `instances` (rows) or `inputs` (columns)."""
    body = await read_protocol_body(request)
    call = TensorPrediction(request, _resolve(request))
    name, asked = await call.parse(body, lambda: _parse_predict(body, call.servable))
    outputs = await call.run(name, asked.inputs)
    encode = predict_json.encode_predictions if asked.rows else predict_json.encode_outputs
    return await call.respond(outputs, lambda: encode(outputs))


@protocol_route(router, "POST", documents.CLASSIFY, PLACES, ":classify")
async def classify(request: Request) -> Response:
    """Give each class of each example with its score."""
    call, outputs = await _run_examples(request, "classify")
    labels = [description for _, description in call.servable.manifest.labels]
    return await call.respond(outputs, lambda: example_codec.encode_classes(outputs, labels))


@protocol_route(router, "POST", documents.REGRESS, PLACES, ":regress")
async def regress(request: Request) -> Response:
    """Give one value for each example."""
    call, outputs = await _run_examples(request, "regress")
    return await call.respond(outputs, lambda: example_codec.encode_values(outputs))


@protocol_route(router, "GET", documents.VERSION_STATUS, [VERSION, LABEL])
async def status(request: Request) -> Response:
    """Give the state of one version, or of the version that has a label."""
    name, number = request.path_params["model"], path_version(request)
    if number is None:
        number = _resolve(request).manifest.version
    try:
        versions = state_of(request)["repository"].versions(name)
    except ModelNotFound:
        raise ModelNotFound(f"Could not find any versions of model {name[:64]}") from None
    found = [version_status(request, one) for one in versions if one.number == number]
    if not found:
        raise VersionNotFound(f"Could not find version {number} of model {name[:64]}")
    return json_answer({"model_version_status": found})


@protocol_route(router, "GET", documents.METADATA, PLACES, "/metadata")
async def metadata(request: Request) -> Response:
    """Describe the signatures: names, types and shapes of their tensors."""
    manifest = _resolve(request).manifest
    signatures = {
        name: {
            "inputs": _tensors(signature.input_specs),
            "outputs": _tensors(signature.output_specs),
            "method_name": "tensorflow/serving/predict",
            "defaults": {},
        }
        for name, signature in manifest.signatures.items()
    }
    version = str(manifest.version)
    return json_answer(
        {
            "model_spec": {"name": manifest.name, "signature_name": "", "version": version},
            "metadata": {"signature_def": {"signature_def": signatures}},
        }
    )


def _resolve(request: Request) -> Servable:
    name, label = request.path_params["model"], request.path_params.get("label")
    number = path_version(request)
    try:
        return state_of(request)["repository"].resolve(name, number, label)
    except VersionNotFound:
        if label is not None:
            message = f"Unrecognized servable version label: {label[:64]}"
        else:
            message = f"Servable not found for request: Specific({name[:64]}, {number})"
        raise VersionNotFound(message) from None
    except ModelNotFound:
        asked = f"Latest({name[:64]})" if number is None else f"Specific({name[:64]}, {number})"
        raise ModelNotFound(f"Servable not found for request: {asked}") from None


def _parse_predict(body: bytes, servable: Servable) -> tuple[str, PredictRequest]:
    fields = parse_object(body, ignore_rest=True, as_arrays=True)
    name = _signature(fields, servable)
    specs = servable.manifest.signatures[name].input_specs
    return name, predict_json.parse_predict(fields, specs)


def _parse_examples(body: bytes, servable: Servable, method: str) -> tuple[str, dict[str, Array]]:
    fields = parse_object(body, ignore_rest=True)
    name = _signature(fields, servable)
    specs = servable.manifest.signatures[name].input_specs
    return name, example_codec.to_inputs(example_codec.parse_examples(fields, method), specs)


async def _run_examples(request: Request, method: str) -> tuple[TensorPrediction, Arrays]:
    body = await read_protocol_body(request)
    call = TensorPrediction(request, _resolve(request))
    name, inputs = await call.parse(body, lambda: _parse_examples(body, call.servable, method))
    return call, await call.run(name, inputs)


def _signature(fields: Mapping[str, Any], servable: Servable) -> str:
    name = predict_json.signature_name(fields)
    if name not in servable.manifest.signatures:
        known = ", ".join(servable.manifest.signatures)
        raise InvalidRequest(
            f'Serving signature name: "{name[:64]}" not found in signature def; it has {known}'
        )
    return name


def _tensors(specs: Mapping[str, TensorSpec]) -> dict[str, Any]:
    return {
        name: {
            "dtype": BY_NAME[spec.dtype].tensorflow,
            "tensor_shape": {
                "dim": [
                    {"size": str(-1 if size is None else size), "name": ""} for size in spec.shape
                ],
                "unknown_rank": False,
            },
            "name": name,
        }
        for name, spec in specs.items()
    }
