"""`/v1/gan/project`: the latent vectors of images, whole or streamed."""

from collections.abc import AsyncGenerator
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from service.asgi.requests import read_query
from service.asgi.responses import prefers
from service.asgi.routing import RawRouter
from service.codecs.image_writing import data_uri, encode_png
from service.codecs.latents import Latents
from service.image_files.raster import Pixels
from service.preprocessing.digit import PreparedImage
from service.routes.event_stream import EventStream, event
from service.routes.gan import DEFAULT
from service.routes.long_prediction import LongPrediction
from service.routes.prediction import Prediction, choose_model
from service.schemas import gan as schemas
from service.tasks import generate_image as task
from service.tasks.prepared_images import network_input
from service.tasks.projection import Projection

COLUMNS = ("images", "latents", "losses", "psnr")
NO_IMAGES: Pixels = np.empty((0, 28, 28, 1), np.uint8)

router = RawRouter(tags=["gan"])


@router.post("/v1/gan/project", **schemas.PROJECT)
async def project(request: Request) -> Response:
    """Project each image to its latent vector, whole or streamed."""
    query = read_query(request, schemas.ProjectQuery)
    call = LongPrediction(request, choose_model(request, task.TASK, DEFAULT), query.on_error)
    opened = await call.images()
    call.expect("project", max(1, len(opened)), query.steps)
    prepared = await call.prepare(task.decode_query, query, opened)
    if not prepared:
        nothing: dict[str, Any] = {**dict.fromkeys(COLUMNS, ()), **_shown(call, query)}
        return await call.answer_images(NO_IMAGES, lambda _: _columns(call, nothing))
    if query.stream == "true" or (query.stream is None and prefers(request, "text/event-stream")):
        return EventStream(call, _events(call, prepared, query))

    async def seek() -> Projection:
        seeking = await _begun(call, prepared, query)
        while not seeking.is_done:
            await _advance(call, seeking, seeking.stride())
        return seeking

    found = await call.run_until_disconnect(seek)
    result = found.result()
    return await call.answer_images(
        found.images,
        lambda uris: _columns(call, {"images": uris, **result, **_shown(call, query)}),
    )


def _shown(call: Prediction, query: schemas.ProjectQuery) -> dict[str, Any]:
    """The column of the model's inputs for the remaining images, if requested."""
    return {"inputs": call.report.describe_inputs()} if query.return_ == "input" else {}


def _columns(call: Prediction, columns: dict[str, Any]) -> dict[str, Any]:
    """Columns with one entry for each image of the request."""
    return {name: call.report.fill(column) for name, column in columns.items()}


async def _events(
    call: LongPrediction,
    prepared: list[PreparedImage],
    query: schemas.ProjectQuery,
) -> AsyncGenerator[bytes]:
    seeking = await _begun(call, prepared, query)
    await _advance(call, seeking, 0)
    yield _progress(call, seeking)
    while not seeking.is_done:
        await _advance(call, seeking, seeking.stride())
        if seeking.is_to_be_shown:
            yield _progress(call, seeking)
    images = [data_uri(encode_png(image)) for image in seeking.images]
    found = _columns(call, {"images": images, **seeking.result(), **_shown(call, query)})
    yield event({"model": call.servable.manifest.reference, **found})


def _progress(call: Prediction, seeking: Projection) -> bytes:
    rows = zip(call.report.places, seeking.losses.tolist(), seeking.images, strict=True)
    return b"".join(
        event(
            {"index": i, "step": seeking.step, "loss": loss, "image": data_uri(encode_png(image))}
        )
        for i, loss, image in rows
    )


async def _advance(call: LongPrediction, seeking: Projection, steps: int) -> None:
    """One run, after which other requests may run; images that are not finite are removed."""
    outputs = await call.advance("project", seeking.inputs(steps), steps)
    is_finite = call.report.finite(outputs["losses"])
    seeking.keep(is_finite)
    seeking.take({name: array[is_finite] for name, array in outputs.items()}, steps)


async def _begun(
    call: Prediction, prepared: list[PreparedImage], query: schemas.ProjectQuery
) -> Projection:
    manifest = call.servable.manifest
    images = network_input(prepared)
    targets = images["images"]
    if query.start == "mean":
        w: Latents = np.tile(np.array(manifest.w_mean, np.float32), (len(targets), 1))
    else:
        w = (await call.predict("encode", images))["w"]
        is_finite = call.report.finite(w)
        targets, w = targets[is_finite], w[is_finite]
    return Projection(targets, w, query, manifest.batch_limit("project"))
