"""`/v1/gan/project`: the latent vectors of pictures, whole or as a stream."""

from collections.abc import AsyncGenerator
from functools import partial
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from service.asgi.requests import read_query
from service.asgi.routing import RawRouter
from service.codecs.image import data_uri, encode_png
from service.codecs.latents import Latents
from service.routes.event_stream import EventStream, event
from service.routes.gan import DEFAULT
from service.routes.long_prediction import LongPrediction
from service.routes.prediction import Prediction
from service.schemas import gan as schemas
from service.tasks import generate_image as task
from service.tasks.prepared_images import PreparedImages, describe_input
from service.tasks.projection import Plan, Projection

router = RawRouter(tags=["gan"])


@router.post("/v1/gan/project", **schemas.PROJECT)
async def project(request: Request) -> Response:
    """Project each image to its latent vector, whole or streamed."""
    query = read_query(request, schemas.ProjectQuery)
    plan = Plan(query.steps, query.loss, query.start)
    call = LongPrediction(request, task.TASK, DEFAULT)
    decode = partial(task.decode_query, normalize=query.normalize == "auto")
    opened = await call.pictures()
    call.expect("project", len(opened), plan.steps)
    pictures = await call.decode(decode, opened)
    shown: dict[str, Any] = {}
    if query.return_ == "input":
        shown = {"inputs": [describe_input(canvas) for canvas in pictures.canvases]}
    if query.stream == "true" or (
        query.stream is None and "text/event-stream" in request.headers.get("accept", "")
    ):
        return EventStream(call, _events(call, pictures, plan, shown))
    found: list[Projection] = []

    async def seek() -> None:
        found.append(await _begun(call, pictures, plan))
        while not found[0].is_done:
            await _advance(call, found[0], found[0].stride())

    await call.run_until_disconnect(seek)
    result = found[0].result()
    return await call.answer_images(
        found[0].images, lambda uris: {"images": uris, **result, **shown}
    )


async def _events(
    call: LongPrediction, pictures: PreparedImages, plan: Plan, shown: dict[str, Any]
) -> AsyncGenerator[bytes]:
    seeking = await _begun(call, pictures, plan)
    await _advance(call, seeking, 0)
    yield _progress(seeking)
    while not seeking.is_done:
        await _advance(call, seeking, seeking.stride())
        if seeking.is_to_be_shown:
            yield _progress(seeking)
    manifest = call.servable.manifest
    model = {"name": manifest.name, "version": manifest.version}
    images = [data_uri(encode_png(image)) for image in seeking.images]
    yield event({"model": model, "images": images, **seeking.result(), **shown})


def _progress(seeking: Projection) -> bytes:
    rows = zip(seeking.losses.tolist(), seeking.images, strict=True)
    return b"".join(
        event(
            {"index": i, "step": seeking.step, "loss": loss, "image": data_uri(encode_png(image))}
        )
        for i, (loss, image) in enumerate(rows)
    )


async def _advance(call: LongPrediction, seeking: Projection, steps: int) -> None:
    """One run, after which others get their turn."""
    seeking.take(await call.advance("project", seeking.inputs(steps), steps), steps)


async def _begun(call: Prediction, pictures: PreparedImages, plan: Plan) -> Projection:
    manifest = call.servable.manifest
    targets = pictures.inputs["images"]
    if plan.start == "mean":
        w: Latents = np.tile(np.array(manifest.w_mean, np.float32), (len(targets), 1))
    else:
        w = (await call.predict("encode", pictures.inputs)).outputs["w"]
    return Projection(targets, w, plan, manifest.batch_limit("project"))
