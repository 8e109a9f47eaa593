"""`/v1/completions`, in the format of OpenAI's clients; tokens are characters."""

import time
from collections.abc import AsyncGenerator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from service.asgi.requests import read_json
from service.asgi.responses import json_answer
from service.asgi.routing import RawRouter
from service.routes.event_stream import EventStream, event
from service.routes.text_prediction import TextPrediction
from service.schemas import completions as schemas
from service.tasks.generate_text import GenerationRequest
from service.tasks.sequences import Entries
from service.tasks.text_request import read_completion

router = RawRouter(tags=["text"])


@router.post("/v1/completions", **schemas.COMPLETE)
async def complete(request: Request) -> Response:
    """Continue a prompt, like OpenAI's legacy completions."""
    body = await read_json(request, schemas.CompletionRequest)
    asked = read_completion(body)
    with_usage = body.stream_options.include_usage
    call = TextPrediction(request, body.model)
    generation_request = call.generation(asked)
    head = _head(request, generation_request, call)
    if asked.stream:
        return EventStream(call, _events(call, generation_request, head, with_usage=with_usage))
    await call.complete(generation_request)
    choices = []
    for number, generation in enumerate(generation_request.generations):
        text, entries = generation.collect()
        choices.append(
            _choice(generation_request, number, text, entries, 0)
            | {"finish_reason": generation.finish_reason}
        )
    return json_answer(
        {**head, "choices": choices, "usage": _usage(generation_request)}, 200, call.headers()
    )


async def _events(
    call: TextPrediction,
    generation_request: GenerationRequest,
    head: dict[str, Any],
    *,
    with_usage: bool,
) -> AsyncGenerator[bytes]:
    offsets = [0] * len(generation_request.request.samplings)
    more: dict[str, Any] = {"usage": None} if with_usage else {}
    async for deltas in call.deltas(generation_request):
        events = []
        for number, text, entries, reason in deltas:
            choice = _choice(generation_request, number, text, entries, offsets[number])
            events.append(event({**head, "choices": [{**choice, "finish_reason": reason}], **more}))
            offsets[number] += len(text)
        yield b"".join(events)
    if with_usage:
        yield event({**head, "choices": [], "usage": _usage(generation_request)})


def _head(
    request: Request, generation_request: GenerationRequest, call: TextPrediction
) -> dict[str, Any]:
    manifest = call.servable.manifest
    return {
        "id": f"cmpl-{request.scope['request_id']}",
        "object": "text_completion",
        "created": int(time.time()),
        "model": manifest.name,
        "system_fingerprint": f"{manifest.name}/{manifest.version}",
        "random_seed": generation_request.request.random_seed,
    }


def _choice(
    generation_request: GenerationRequest, number: int, text: str, entries: Entries, offset: int
) -> dict[str, Any]:
    top = generation_request.request.logprobs
    logprobs = None
    if top is not None:
        logprobs = {
            "tokens": [entry["character"] for entry in entries],
            "token_logprobs": [entry["logprob"] for entry in entries],
            "top_logprobs": [entry["top"] for entry in entries] if top else None,
            "text_offset": list(range(offset, offset + len(entries))),
        }
    return {"index": number, "text": text, "logprobs": logprobs}


def _usage(generation_request: GenerationRequest) -> dict[str, int]:
    read = generation_request.seed_characters
    generated = sum(generation.characters for generation in generation_request.generations)
    return {"prompt_tokens": read, "completion_tokens": generated, "total_tokens": read + generated}
