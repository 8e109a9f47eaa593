"""`/v1/gan/*`."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from service.asgi.requests import query_choice, query_integer, query_number, read_document
from service.asgi.routing import DirectRouter
from service.asgi.state import state_of
from service.codecs.image import Picture
from service.codecs.latents import Latents
from service.codecs.random_streams import MAX_SEED
from service.codecs.raster import Pixels
from service.openapi import gan as documents
from service.routes.cached_images import NOT_STORED, cached_picture, picture
from service.routes.prediction import Call
from service.tasks import gan_points, latent_points
from service.tasks import generate_image as task
from service.tasks.prepared_images import Drawings

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
        latent_points.drawn_seed(given),
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
    fields = await read_document(request, task.INTERPOLATE_FIELDS, has_images=True)
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
    fields = await read_document(request, task.MIX_FIELDS, has_images=True)
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
    fields = await read_document(request, task.EDIT_FIELDS, has_images=True)
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
    call = Call(request, task.TASK, DEFAULT)
    pictures = await call.decode(_into_form(request), await call.pictures())
    with call:
        outputs = (await call.predict("discriminate", pictures.inputs)).outputs
    rows = partial(task.predictions, outputs, pictures, with_input=with_input)
    return call.answer(lambda: {"predictions": rows()})


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
