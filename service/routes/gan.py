"""`/v1/gan/*`."""

from collections.abc import AsyncGenerator
from functools import partial
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from service.codecs.image import Picture, data_uri, encode_png
from service.codecs.latents import Latents
from service.codecs.raster import Pixels
from service.codecs.uniforms import MAX_SEED
from service.routes import gan_documents as documents
from service.routes.bodies import query_choice, query_integer, query_number, read_document
from service.routes.call import Call
from service.routes.direct import DirectRouter
from service.routes.events import EventStream, event
from service.routes.picture_urls import NOT_STORED, cached_picture, picture
from service.routes.state import state_of
from service.tasks import gan_points, points, projection
from service.tasks import generate_image as task
from service.tasks.drawings import Drawings, seen
from service.tasks.projection import Plan, Projection

DEFAULT = "gan"

router = DirectRouter(tags=["gan"])


@router.post("/v1/gan/sample", **documents.SAMPLE)
async def sample(request: Request) -> Response:
    """Draw pictures, of one digit or of all."""
    fields = await read_document(request, task.SAMPLE_FIELDS)
    with _call(request) as call:
        space = gan_points.space_of(call.servable.manifest)
        asked = task.read_sample(fields, space)
        inputs = asked.inputs(space)
        outputs = (await call.predict("sample", inputs)).outputs
    found = {"digits": inputs["digit"], "z": inputs["z"], "w": outputs["w"]}
    return await call.answer_images(
        outputs["images"],
        lambda uris: {"random_seed": asked.random_seed, "images": uris, **found},
        **{"X-Random-Seed": str(asked.random_seed)},
    )


@router.get("/v1/gan/sample.png", **documents.SAMPLE_PNG)
@router.head("/v1/gan/sample.png", include_in_schema=False)
async def sample_png(request: Request) -> Response:
    """Show samples as one picture, which a page can name by its address."""
    call = _call(request)
    space = gan_points.space_of(call.servable.manifest)
    given = query_integer(request, "random_seed", 0, MAX_SEED)
    truncation = query_number(request, "truncation", 0, gan_points.MAX_TRUNCATION)
    asked = task.Sample(
        query_integer(request, "n", 1, task.MAX_COUNT) or task.DEFAULT_COUNT,
        points.drawn_seed(given),
        query_integer(request, "digit", 0, space.digits - 1),
        gan_points.DEFAULT_TRUNCATION if truncation is None else truncation,
    )
    inputs = asked.inputs(space)

    async def draw() -> Pixels:
        images: Pixels = (await call.predict("sample", inputs)).outputs["images"]
        return images

    seed = {"X-Random-Seed": str(asked.random_seed)}
    if given is None:
        return await picture(call, draw, headers={**seed, **NOT_STORED})
    return await cached_picture(request, call, draw, inputs, headers=seed)


@router.post("/v1/gan/interpolate", **documents.INTERPOLATE)
async def interpolate(request: Request) -> Response:
    """Walk from one point to another, through z or through w."""
    fields = await read_document(request, task.INTERPOLATE_FIELDS)
    with _call(request) as call:
        space = gan_points.space_of(call.servable.manifest)
        asked = task.read_interpolate(fields, space, _max_pixels(request))
        inputs = asked.inputs()
        if inputs is not None:
            outputs = (await call.predict("sample", inputs)).outputs
            images, found = outputs["images"], {"latents": outputs["w"], "z": inputs["z"]}
        else:
            start, end = [await _place(call, request, point) for point in asked.ends]
            w = asked.between(start, end)
            images, found = await _synthesize(call, w), {"latents": w}
    return await call.answer_images(images, lambda uris: {"images": uris, **found})


@router.post("/v1/gan/mix", **documents.MIX)
async def mix(request: Request) -> Response:
    """Give one picture's coarse layers another's fine ones."""
    fields = await read_document(request, task.MIX_FIELDS)
    with _call(request) as call:
        space = gan_points.space_of(call.servable.manifest)
        asked = task.read_mix(fields, space, _max_pixels(request))
        coarse, fine = [await _place(call, request, point) for point in asked]
        w = task.mix(coarse, fine, space.sizes)
        images = await _synthesize(call, w)
    return await call.answer_images(images, lambda uris: {"images": uris, "latents": w})


@router.get("/v1/gan/directions", **documents.DIRECTIONS)
async def directions(request: Request) -> Response:
    """List the attributes along which a picture can be edited, and how well each was measured."""
    call = _call(request)
    return call.answer(lambda: {"directions": task.directions(call.servable.manifest)})


@router.post("/v1/gan/edit", **documents.EDIT)
async def edit(request: Request) -> Response:
    """Move a picture along a direction: thicker, more slanted, wider."""
    fields = await read_document(request, task.EDIT_FIELDS)
    with _call(request) as call:
        manifest = call.servable.manifest
        asked = task.read_edit(fields, manifest, _max_pixels(request))
        w = asked.apply(await _place(call, request, asked.point), manifest)
        images = await _synthesize(call, w)
    return await call.answer_images(images, lambda uris: {"images": uris, "latents": w})


@router.post("/v1/gan/discriminate", **documents.DISCRIMINATE)
async def discriminate(request: Request) -> Response:
    """Say how real the discriminator finds each picture."""
    with_input = query_choice(request, "return", ("input",), "") == "input"
    with Call(request, task.TASK, DEFAULT) as call:
        pictures = await call.decode(_into_form(request), await call.pictures())
        outputs = (await call.predict("discriminate", pictures.inputs)).outputs
    rows = partial(task.predictions, outputs, pictures, with_input=with_input)
    return call.answer(lambda: {"predictions": rows()})


@router.post("/v1/gan/project", **documents.PROJECT)
async def project(request: Request) -> Response:
    """Find the latent vector of each picture, whole or as a stream."""
    plan = Plan(
        query_integer(request, "steps", 1, projection.MAX_STEPS) or projection.DEFAULT_STEPS,
        query_choice(request, "loss", projection.LOSSES, "perceptual"),
        query_choice(request, "start", projection.STARTS, "encoder"),
    )
    with_input = query_choice(request, "return", ("input",), "") == "input"
    stream = query_choice(request, "stream", ("true", "false"), "")
    call = Call(request, task.TASK, DEFAULT)
    is_normalized = query_choice(request, "normalize", ("auto", "off"), "auto") == "auto"
    decode = partial(task.decode_query, normalize=is_normalized)
    pictures = await call.decode(decode, await call.pictures())
    shown: dict[str, Any] = {}
    if with_input:
        shown = {"inputs": [seen(canvas) for canvas in pictures.canvases]}
    if stream == "true" or (
        not stream and "text/event-stream" in request.headers.get("accept", "")
    ):
        return EventStream(call, _events(call, pictures, plan, shown))
    found: list[Projection] = []

    async def seek() -> None:
        found.append(await _begun(call, pictures, plan))
        while not found[0].is_done:
            await _advance(call, found[0], found[0].stride())

    await call.attend(seek)
    result = found[0].result()
    return await call.answer_images(
        found[0].images, lambda uris: {"images": uris, **result, **shown}
    )


async def _events(
    call: Call, pictures: Drawings, plan: Plan, shown: dict[str, Any]
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


async def _begun(call: Call, pictures: Drawings, plan: Plan) -> Projection:
    manifest = call.servable.manifest
    targets = pictures.inputs["images"]
    if plan.start == "mean":
        w: Latents = np.tile(np.array(manifest.w_mean, np.float32), (len(targets), 1))
    else:
        w = (await call.predict("encode", pictures.inputs)).outputs["w"]
    return Projection(targets, w, plan, manifest.batch_limit("project"))


async def _advance(call: Call, seeking: Projection, steps: int) -> None:
    """One run, after which others get their turn."""
    seeking.take((await call.predict("project", seeking.inputs(steps))).outputs, steps)


def _call(request: Request) -> Call:
    call = Call(request, task.TASK, DEFAULT)
    call.note_decoded()
    return call


def _max_pixels(request: Request) -> int:
    return state_of(request)["settings"].max_image_pixels


def _into_form(request: Request) -> partial[Drawings]:
    normalize = query_choice(request, "normalize", ("auto", "off"), "auto") == "auto"
    return partial(task.decode_pictures, normalize=normalize)


async def _synthesize(call: Call, w: Latents) -> Pixels:
    images: Pixels = (await call.predict("synthesize", {"w": w})).outputs["images"]
    return images


async def _place(call: Call, request: Request, point: gan_points.Point) -> Latents:
    """The w [W] of a point: a picture's is the encoder's guess."""
    if isinstance(point, Picture):
        pictures = await call.decode(_into_form(request), [point])
        outputs = (await call.predict("encode", pictures.inputs)).outputs
    elif isinstance(point, gan_points.Origin):
        outputs = (await call.predict("sample", point.inputs())).outputs
    else:
        return point
    w: Latents = outputs["w"][0]
    return w
