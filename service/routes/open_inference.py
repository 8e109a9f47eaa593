"""Open Inference Protocol v2: metadata, readiness, configuration and `infer`."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from service import __version__
from service.asgi.responses import JSON, error_answer, json_answer
from service.asgi.routing import RawRouter
from service.asgi.state import state_of
from service.codecs.infer_request import InferRequest, header_length, parse_infer, parse_raw
from service.codecs.infer_response import encode_response
from service.codecs.tensor_types import BY_NAME, TensorSpec
from service.errors import InvalidRequest, ModelNotFound, NotReady, VersionNotFound
from service.routes.protocol import (
    HEADER_LENGTH,
    TensorPrediction,
    path_version,
    protocol_route,
    read_protocol_body,
)
from service.runtime.manifest import Manifest
from service.runtime.servable import Servable
from service.schemas import open_inference as documents
from service.tasks import tensors

MODEL = "/v2/models/{model}"
VERSION = f"{MODEL}/versions/{{version}}"
PLACES = (MODEL, VERSION)
BINARY = "application/octet-stream"
PLATFORM = "tensorflow_savedmodel"
EXTENSIONS = [
    "classification",
    "model_repository",
    "model_configuration",
    "binary_tensor_data",
    "parameters",
    "statistics",
    "generate",
]

router = RawRouter(tags=["open_inference"])


@router.get("/v2", **documents.SERVER_METADATA)
async def server_metadata(request: Request) -> Response:
    """Name the server and its protocol extensions."""
    return json_answer({"name": "vitrine", "version": __version__, "extensions": EXTENSIONS})


@router.get("/v2/models", **documents.MODEL_NAMES)
async def model_names(request: Request) -> Response:
    """List the models (KServe's addition)."""
    return json_answer({"models": state_of(request)["repository"].names()})


@protocol_route(router, "GET", documents.CONFIG, PLACES, "/config")
async def config(request: Request) -> Response:
    """Give the configuration in the format of Triton's tools."""
    manifest = resolve(request).manifest
    signature = manifest.signatures[tensors.default_signature(manifest)]
    batched = signature.is_batched
    return json_answer(
        {
            "name": manifest.name,
            "platform": PLATFORM,
            "backend": "tensorflow",
            "max_batch_size": manifest.max_batch_size if batched else 0,
            "input": [
                {**one, "format": _format(manifest, one["dims"])}
                for one in _configured(signature.input_specs, batched=batched)
            ],
            "output": _configured(signature.output_specs, batched=batched),
            "model_transaction_policy": {"decoupled": False},
            **({"dynamic_batching": {}} if batched else {}),
        }
    )


@protocol_route(router, "GET", documents.MODEL_READY, PLACES, "/ready")
async def model_ready(request: Request) -> Response:
    """Report whether a model is ready."""
    try:
        manifest = resolve(request).manifest
    except NotReady as error:
        return error_answer(error, request.scope["request_id"], ready=False)
    return json_answer({"name": manifest.name, "ready": True})


@protocol_route(router, "GET", documents.MODEL_METADATA, PLACES)
async def model_metadata(request: Request) -> Response:
    """Describe the inputs and outputs of the model's default signature, or of `?signature_name=`."""
    manifest = resolve(request).manifest
    name = _signature(manifest, request.query_params.get("signature_name"))
    signature = manifest.signatures[name]
    versions = state_of(request)["repository"].versions(manifest.name)
    return json_answer(
        {
            "name": manifest.name,
            "versions": [str(version.number) for version in versions if version.is_ready],
            "platform": PLATFORM,
            "inputs": _described(signature.input_specs),
            "outputs": _described(signature.output_specs),
        }
    )


@protocol_route(router, "POST", documents.INFER, PLACES, "/infer")
async def infer(request: Request) -> Response:
    """Run a signature on named tensors, as JSON or as raw bytes after a JSON header."""
    body = await read_protocol_body(request)
    length = header_length(request.headers.get(HEADER_LENGTH), body)
    call = TensorPrediction(request, resolve(request))
    manifest = call.servable.manifest
    asked = await call.parse(body, lambda: _parse(body, length, manifest))
    name = _signature(manifest, asked.parameters.get("signature_name"))
    _check_request(asked, manifest, name)
    outputs = await call.run(name, asked.inputs)
    identity, labels = (
        (manifest.name, manifest.version),
        [description for _, description in manifest.labels],
    )
    answer = await call.encode_answer(
        outputs, lambda: encode_response(asked, outputs, identity, labels)
    )
    content, encoding = await call.compress(answer.body)
    headers = {**call.headers(), **encoding}
    if answer.header_length is None:
        return Response(content, 200, headers, JSON)
    headers[HEADER_LENGTH] = str(answer.header_length)  # counted before compression
    return Response(content, 200, headers, BINARY)


def resolve(request: Request) -> Servable:
    """The servable of the path; errors have Triton's wording."""
    name, number = request.path_params["model"], path_version(request)
    try:
        return state_of(request)["repository"].resolve(name, number)
    except VersionNotFound:
        raise VersionNotFound(
            f"Request for unknown model: '{name[:64]}' version {number} is not found"
        ) from None
    except ModelNotFound:
        raise ModelNotFound(f"Request for unknown model: '{name[:64]}' is not found") from None


def _parse(body: bytes, length: int | None, manifest: Manifest) -> InferRequest:
    if length == 0:
        signature = manifest.signatures[tensors.default_signature(manifest)]
        return parse_raw(body, signature.input_specs, manifest.name)
    return parse_infer(body, length, manifest.name)


def _signature(manifest: Manifest, name: Any) -> str:
    if name is None:
        return tensors.default_signature(manifest)
    if name not in manifest.signatures:
        raise InvalidRequest(
            f"signature_name must be one of {', '.join(manifest.signatures)} for model "
            f"'{manifest.name}', got {str(name)[:64]!r}"
        )
    return str(name)


def _check_request(asked: InferRequest, manifest: Manifest, name: str) -> None:
    signature = manifest.signatures[name]
    for output in asked.outputs or []:
        if output.name not in signature.outputs:
            raise InvalidRequest(
                f"unexpected inference output '{output.name[:64]}' for model '{manifest.name}'"
            )
    limit = manifest.batch_limit(name)
    rows = max((len(array) for array in asked.inputs.values() if array.ndim), default=0)
    if signature.is_batched and rows > limit:
        raise InvalidRequest(
            f"inference request batch-size must be <= {limit} for '{manifest.name}'"
        )


def _format(manifest: Manifest, dims: list[int]) -> str:
    """The layout of an image input for Triton's image clients: rows, columns, channels."""
    shape = manifest.input
    is_image = shape is not None and dims == [shape.height, shape.width, shape.channels]
    return "FORMAT_NHWC" if is_image else "FORMAT_NONE"


def _described(specs: Mapping[str, TensorSpec]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "datatype": BY_NAME[spec.dtype].open_inference,
            "shape": [-1 if size is None else size for size in spec.shape],
        }
        for name, spec in specs.items()
    ]


def _configured(specs: Mapping[str, TensorSpec], *, batched: bool) -> list[dict[str, Any]]:
    return [
        {
            "name": one["name"],
            "data_type": "TYPE_" + ("STRING" if one["datatype"] == "BYTES" else one["datatype"]),
            "dims": one["shape"][1:] if batched else one["shape"],
        }
        for one in _described(specs)
    ]
