"""Triton's generate extension for text models: `/v2/models/{model}/generate` and `/generate_stream`."""

from collections.abc import AsyncGenerator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from service.asgi.responses import json_answer
from service.asgi.routing import RawRouter
from service.codecs.protocol_json import excerpt, parse_object
from service.errors import InvalidRequest
from service.routes.event_stream import EventStream, event
from service.routes.open_inference import PLACES, resolve
from service.routes.protocol import protocol_route, read_protocol_body
from service.routes.text_prediction import TextPrediction
from service.runtime.servable import Servable
from service.schemas import open_inference as documents
from service.schemas.text import GenerateRequest
from service.tasks.generate_text import TASK, GenerationRequest
from service.tasks.text_request import TextRequest, read_generate

DEFAULTS = {"temperature": 1.0, "max_tokens": 20}  # of the protocol, other than /v1/text/generate
NAMES = {"temperature": "diversity", "max_tokens": "length"}  # also of /v1/text/generate
# The protocol's parameters → fields of /v1/text/generate; others are ignored.
PARAMETERS = {name: name for name in (*NAMES, *NAMES.values())} | {
    "seed": "random_seed",
    "random_seed": "random_seed",
    "stop": "stop",
    "top_k": "top_k",
    "top_p": "top_p",
    "unknown": "unknown",
}

router = RawRouter(tags=["open_inference"])


@protocol_route(router, "POST", documents.GENERATE, PLACES, "/generate")
async def generate(request: Request) -> Response:
    """Continue a text."""
    fields, call, generation_request = await _read(request, stream=False)
    await call.complete(generation_request)
    [generation] = generation_request.generations
    text, entries = generation.collect()
    answer = {**_head(fields, call.servable), "text_output": text}
    if generation_request.request.logprobs is not None:
        logprobs = [{"text": e["character"], "logprob": e["logprob"]} for e in entries]
        answer["details"] = {"finish_reason": _reason(generation), "logprobs": logprobs}
    return json_answer(answer, 200, call.headers())


@protocol_route(router, "POST", documents.GENERATE_STREAM, PLACES, "/generate_stream")
async def generate_stream(request: Request) -> Response:
    """Continue a text, streamed as server-sent events."""
    fields, call, generation_request = await _read(request, stream=True)
    events = _events(call, generation_request, _head(fields, call.servable))
    return EventStream(call, events, last=b"")  # the protocol's stream ends with its last event


async def _events(
    call: TextPrediction, generation_request: GenerationRequest, head: dict[str, Any]
) -> AsyncGenerator[bytes]:
    async for deltas in call.deltas(generation_request):
        yield b"".join(event({**head, "text_output": d.text}) for d in deltas if d.text)


async def _read(
    request: Request, *, stream: bool
) -> tuple[dict[str, Any], TextPrediction, GenerationRequest]:
    fields = parse_object(await read_protocol_body(request, has_tensors=False))
    servable = resolve(request)
    if servable.manifest.task != TASK or servable.text is None:
        raise InvalidRequest(
            f"model '{servable.manifest.name}' must be a text model for generate: use infer"
        )
    call = TextPrediction(request, chosen=servable)
    asked = _text_request(fields)._replace(stream=stream, seed_field="text_input")
    generation_request = call.generation(asked)
    return fields, call, generation_request


def _text_request(fields: dict[str, Any]) -> TextRequest:
    parameters = fields.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise InvalidRequest(f"parameters must be an object, got {excerpt(parameters)}")
    given = {name: value for name, value in {**fields, **parameters}.items() if name in PARAMETERS}
    defaults = {name: DEFAULTS[name] for name, other in NAMES.items() if other not in given}
    ours = {PARAMETERS[name]: value for name, value in {**defaults, **given}.items()}
    if parameters.get("details", fields.get("details")) is True:
        ours["logprobs"] = 1
    text = fields.get("text_input")
    if not isinstance(text, str):
        raise InvalidRequest(f"text_input must be a string, got {excerpt(text)}")
    return read_generate(GenerateRequest.of({**ours, "seed": text}))


def _head(fields: dict[str, Any], servable: Servable) -> dict[str, Any]:
    manifest = servable.manifest
    head = {"model_name": manifest.name, "model_version": str(manifest.version)}
    given = fields.get("id")
    return {"id": given, **head} if isinstance(given, str) and given else head


def _reason(generation: Any) -> str:
    return "stop_sequence" if generation.finish_reason == "stop" else str(generation.finish_reason)
