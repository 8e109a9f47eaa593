"""`/v1/text/*`."""

from collections.abc import AsyncGenerator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from service.asgi.requests import read_json
from service.asgi.responses import prefers
from service.asgi.routing import RawRouter
from service.routes.event_stream import EventStream, event
from service.routes.text_prediction import TextPrediction
from service.schemas import text as schemas
from service.tasks.generate_text import Delta, GenerationRequest, Score, encode
from service.tasks.text_request import read_generate

router = RawRouter(tags=["text"])


@router.post("/v1/text/generate", **schemas.GENERATE)
async def generate(request: Request) -> Response:
    """Continue a prompt at one or several temperatures, whole or streamed."""
    body = await read_json(request, schemas.GenerateRequest)
    asked = read_generate(body)
    if "stream" not in body.model_fields_set and prefers(request, "text/event-stream"):
        asked = asked._replace(stream=True)
    call = TextPrediction(request, resume=asked.resume)
    generation_request = call.generation(asked)
    if asked.stream:
        return EventStream(call, _events(call, generation_request))
    await call.complete(generation_request)
    return call.answer(lambda: encode(generation_request))


@router.post("/v1/text/score", **schemas.SCORE)
async def score(request: Request) -> Response:
    """Score each character of a text: its log-probability under the model."""
    body = await read_json(request, schemas.ScoreRequest)
    call = TextPrediction(request)
    scoring = Score(call.text, body.text, replace=body.unknown == "replace", deadline=call.deadline)
    call.expect("read", 1, lambda: scoring.prefill.left)
    await call.run_until_disconnect(scoring.run)
    call.note([scoring.prefill])
    return call.answer(scoring.encode)


async def _events(
    call: TextPrediction, generation_request: GenerationRequest
) -> AsyncGenerator[bytes]:
    async for deltas in call.deltas(generation_request):
        yield b"".join(
            event(content) for delta in deltas for content in _contents(delta, generation_request)
        )


def _contents(delta: Delta, generation_request: GenerationRequest) -> list[dict[str, Any]]:
    """One event for the text, one for the end."""
    request, contents = generation_request.request, list[dict[str, Any]]()
    if delta.text:
        text: dict[str, Any] = {"index": delta.number, "text": delta.text}
        contents.append(text if request.logprobs is None else {**text, "logprobs": delta.entries})
    if delta.finish_reason:
        end: dict[str, Any] = {
            "index": delta.number,
            "finish_reason": delta.finish_reason,
            "random_seed": request.random_seed,
            "continuation": generation_request.token(generation_request.generations[delta.number]),
        }
        contents.append(
            {**end, "replaced": generation_request.replaced} if request.replace else end
        )
    return contents
