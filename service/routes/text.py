"""`/v1/text/*`."""

from collections.abc import AsyncGenerator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from service.asgi.requests import read_json
from service.asgi.routing import DirectRouter
from service.routes.event_stream import EventStream, event
from service.routes.text_prediction import TextCall
from service.schemas import text as schemas
from service.tasks.generate_text import Composition, Piece, Score, encode
from service.tasks.text_request import read_generate

router = DirectRouter(tags=["text"])


@router.post("/v1/text/generate", **schemas.GENERATE)
async def generate(request: Request) -> Response:
    """Continue a prompt at one or several temperatures, whole or streamed."""
    body = await read_json(request, schemas.GenerateRequest)
    asked = read_generate(body)
    if "stream" not in body.model_fields_set and "text/event-stream" in request.headers.get(
        "accept", ""
    ):
        asked = asked._replace(stream=True)
    call = TextCall(request, origin=asked.origin)
    composition = Composition(call.text, asked)
    call.expect(asked.steps)
    if asked.stream:
        return EventStream(call, _events(call, composition))
    await call.attend(composition.run)
    call.note(composition.sequences)
    return call.answer(lambda: encode(composition))


@router.post("/v1/text/score", **schemas.SCORE)
async def score(request: Request) -> Response:
    """Score each character of a text: its log-probability under the model."""
    body = await read_json(request, schemas.ScoreRequest)
    call = TextCall(request)
    scoring = Score(call.text, body.text, replace=body.unknown == "replace")
    call.expect(len(body.text))
    await call.attend(scoring.run)
    call.note([scoring.reading])
    return call.answer(scoring.encode)


async def _events(call: TextCall, composition: Composition) -> AsyncGenerator[bytes]:
    async for pieces in composition.pieces():
        call.note(composition.sequences)
        yield b"".join(
            event(content) for piece in pieces for content in _contents(piece, composition)
        )


def _contents(piece: Piece, composition: Composition) -> list[dict[str, Any]]:
    """One event for the text, one for the end."""
    request, contents = composition.request, list[dict[str, Any]]()
    if piece.text:
        text: dict[str, Any] = {"index": piece.number, "text": piece.text}
        contents.append(text if request.logprobs is None else {**text, "logprobs": piece.entries})
    if piece.finish_reason:
        end: dict[str, Any] = {
            "index": piece.number,
            "finish_reason": piece.finish_reason,
            "random_seed": request.random_seed,
            "continuation": composition.token(composition.generations[piece.number]),
        }
        contents.append({**end, "replaced": composition.replaced} if request.replace else end)
    return contents
