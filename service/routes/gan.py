"""`/v1/gan/*`."""

from starlette.requests import Request
from starlette.responses import Response

from service.asgi.requests import read_json, read_query
from service.asgi.routing import RawRouter
from service.asgi.state import state_of
from service.codecs.image import OpenedImage
from service.codecs.latents import Latents
from service.codecs.random_streams import random_seed_or_new
from service.routes.cached_images import sampled_image
from service.routes.prediction import Prediction, choose_model
from service.schemas import gan as schemas
from service.schemas.common import ImageQuery, NormalizeQuery
from service.tasks import gan_points, latent_points
from service.tasks import generate_image as task
from service.tasks.prepared_images import network_input

DEFAULT = "gan"

router = RawRouter(tags=["gan"])


@router.post("/v1/gan/sample", **schemas.SAMPLE)
async def sample(request: Request) -> Response:
    """Sample images, of one digit or of all."""
    body = await read_json(request, schemas.GanSampleRequest)
    with _call(request) as call:
        space = gan_points.space_of(call.servable.manifest)
        seed = random_seed_or_new(body.random_seed)
        inputs = task.sample(body, seed, space)
        outputs = await call.predict("sample", inputs)
    w = task.check_finite(outputs["w"])
    found = {"digits": inputs["digit"], "z": inputs["z"], "w": w}
    return await call.answer_images(
        outputs["images"],
        lambda uris: {"random_seed": seed, "images": uris, **found},
        **{"X-Random-Seed": str(seed)},
    )


@router.get("/v1/gan/sample.png", **schemas.SAMPLE_PNG)
async def sample_png(request: Request) -> Response:
    """Sample a grid of images as one PNG that has a URL."""
    call = _call(request)
    space = gan_points.space_of(call.servable.manifest)
    query = read_query(request, schemas.GanSamplePngQuery)
    seed = random_seed_or_new(query.random_seed)
    return await sampled_image(request, call, "sample", task.sample(query, seed, space), seed)


@router.post("/v1/gan/interpolate", **schemas.INTERPOLATE)
async def interpolate(request: Request) -> Response:
    """Interpolate between two points, through z or through w."""
    query = read_query(request, NormalizeQuery)
    body = await read_json(request, schemas.GanInterpolateRequest, has_images=True)
    with _call(request) as call:
        space = gan_points.space_of(call.servable.manifest)
        if body.space == "z":
            inputs = task.path_through_z(body, space)
            outputs = await call.predict("sample", inputs)
            images, found = outputs["images"], {"latents": outputs["w"], "z": inputs["z"]}
        else:
            fields = {"from": body.start, "to": body.end}
            ends = gan_points.read_points(fields, space, _max_pixels(request))
            start, end = [await _place(call, query, point) for point in ends]
            w = latent_points.interpolate(body.path, start, end, body.steps)
            images, found = await call.draw("synthesize", {"w": w}), {"latents": w}
    return await call.answer_images(images, lambda uris: {"images": uris, **found})


@router.post("/v1/gan/mix", **schemas.MIX)
async def mix(request: Request) -> Response:
    """Mix styles: the coarse layers of one image and the fine layers of another."""
    query = read_query(request, NormalizeQuery)
    body = await read_json(request, schemas.MixRequest, has_images=True)
    with _call(request) as call:
        space = gan_points.space_of(call.servable.manifest)
        fields = {"coarse": body.coarse, "fine": body.fine}
        points = gan_points.read_points(fields, space, _max_pixels(request))
        coarse, fine = [await _place(call, query, point) for point in points]
        w = task.mix(coarse, fine, space.sizes)
        images = await call.draw("synthesize", {"w": w})
    return await call.answer_images(images, lambda uris: {"images": uris, "latents": w})


@router.get("/v1/gan/directions", **schemas.DIRECTIONS)
async def directions(request: Request) -> Response:
    """List the attributes that can be edited, with their measured effect."""
    call = _call(request)
    return call.answer(lambda: {"directions": task.directions(call.servable.manifest)})


@router.post("/v1/gan/edit", **schemas.EDIT)
async def edit(request: Request) -> Response:
    """Edit an image along a direction: thicker, more slanted, wider."""
    query = read_query(request, NormalizeQuery)
    body = await read_json(request, schemas.EditRequest, has_images=True)
    with _call(request) as call:
        manifest = call.servable.manifest
        point = task.read_edit(body, manifest, _max_pixels(request))
        w = task.move(await _place(call, query, point), body, manifest)
        images = await call.draw("synthesize", {"w": w})
    return await call.answer_images(images, lambda uris: {"images": uris, "latents": w})


@router.post("/v1/gan/discriminate", **schemas.DISCRIMINATE)
async def discriminate(request: Request) -> Response:
    """Discriminate: the probability that each image is real."""
    query = read_query(request, ImageQuery)
    call = Prediction(request, choose_model(request, task.TASK, DEFAULT), query.on_error)
    images = await call.prepare(task.decode_images, query)
    return await call.answer_each("predictions", "discriminate", images, query, task.predictions)


def _call(request: Request) -> Prediction:
    call = Prediction(request, choose_model(request, task.TASK, DEFAULT))
    call.mark_decoded()
    return call


def _max_pixels(request: Request) -> int:
    return state_of(request)["settings"].max_image_pixels


async def _place(call: Prediction, query: NormalizeQuery, point: gan_points.Point) -> Latents:
    """The w [W] of a point; for an image, the encoder's estimate."""
    if isinstance(point, OpenedImage):
        images = await call.prepare(task.decode_images, query, [point])
        outputs = await call.predict("encode", network_input(images))
    elif isinstance(point, gan_points.LatentSource):
        outputs = await call.predict("sample", point.inputs())
    else:
        return point
    w: Latents = task.check_finite(outputs["w"])[0]
    return w
