"""`/v1/vae/*`."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from service.asgi.requests import read_json, read_query
from service.asgi.routing import RawRouter
from service.asgi.state import state_of
from service.codecs.image import OpenedImage
from service.codecs.latents import Latents, plane
from service.codecs.random_streams import random_seed_or_new
from service.errors import InvalidValue
from service.image_files.raster import Pixels
from service.routes.cached_images import cached_image, sampled_image
from service.routes.prediction import Prediction, choose_model
from service.schemas import vae as schemas
from service.schemas.common import ImageQuery, NormalizeQuery
from service.tasks import autoencode_image as task
from service.tasks import latent_points
from service.tasks.prepared_images import check_finite, network_input, sliced, with_inputs

DEFAULT = "vae"
DEFAULT_PLANE = "vae-2d"

router = RawRouter(tags=["vae"])


@router.post("/v1/vae/sample", **schemas.SAMPLE)
async def sample(request: Request) -> Response:
    """Sample latent vectors from the prior, and decode them."""
    body = await read_json(request, schemas.VaeSampleRequest)
    seed = random_seed_or_new(body.random_seed)
    with _call(request) as call:
        z = task.sample(seed, body.n, task.latent_size(call.servable.manifest), body.scale)
        images = await call.draw("decode", {"z": z})
    return await call.answer_images(
        images,
        lambda uris: {"random_seed": seed, "images": uris, "latents": z},
        **{"X-Random-Seed": str(seed)},
    )


@router.post("/v1/vae/encode", **schemas.ENCODE)
async def encode(request: Request) -> Response:
    """Encode each image: a mean and a variance for each latent dimension."""
    query = read_query(request, ImageQuery)
    call = Prediction(request, choose_model(request, task.TASK, DEFAULT), query.on_error)
    images = await call.prepare(task.decode_images, query)
    return await call.answer_each("encodings", "encode", images, query, task.encodings)


@router.post("/v1/vae/decode", **schemas.DECODE)
async def decode(request: Request) -> Response:
    """Decode latent vectors to images."""
    body = await read_json(request, schemas.VaeDecodeRequest)
    with _call(request) as call:
        z = task.read_decode(body, task.latent_size(call.servable.manifest))
        images = await call.draw("decode", {"z": z})
    return await call.answer_images(images, lambda uris: {"images": uris})


@router.post("/v1/vae/reconstruct", **schemas.RECONSTRUCT)
async def reconstruct(request: Request) -> Response:
    """Reconstruct each image from its latent vector, with the losses."""
    query = read_query(request, schemas.ReconstructQuery)
    call = Prediction(request, choose_model(request, task.TASK, DEFAULT), query.on_error)
    images = await call.prepare(task.decode_images, query)
    size = task.latent_size(call.servable.manifest)
    noise = task.noise(query.random_seed, len(images), size)
    with call:
        encoded = await call.predict_images("encode", images)
        returned = await call.predict_images("reconstruct", images, noise=noise)

    def encode(rows: slice) -> Iterator[tuple[Pixels, dict[str, Any]]]:
        found = task.reconstructions(sliced(encoded, rows), sliced(returned, rows), noise[rows])
        shown = with_inputs(found, images[rows], query.return_)
        return zip(returned["images"][rows], shown, strict=True)

    kept = call.report.keep(encode)
    seed = {} if query.random_seed is None else {"random_seed": query.random_seed}
    return await call.answer_images(
        np.array([image for image, _ in kept]),
        lambda uris: {
            **seed,
            "reconstructions": call.report.fill(
                {"image": uri, **row} for uri, (_, row) in zip(uris, kept, strict=True)
            ),
        },
    )


@router.post("/v1/vae/interpolate", **schemas.INTERPOLATE)
async def interpolate(request: Request) -> Response:
    """Interpolate between two images or latent vectors."""
    query = read_query(request, NormalizeQuery)
    body = await read_json(request, schemas.VaeInterpolateRequest, has_images=True)
    with _call(request) as call:
        size = task.latent_size(call.servable.manifest)
        ends = task.read_ends(body, size, state_of(request)["settings"].max_image_pixels)
        start, end = [await _place(call, query, one) for one in ends]
        z = latent_points.interpolate(body.path, start, end, body.steps)
        images = await call.draw("decode", {"z": z})
    return await call.answer_images(images, lambda uris: {"images": uris, "latents": z})


@router.get("/v1/vae/sample.png", **schemas.SAMPLE_PNG)
async def sample_png(request: Request) -> Response:
    """Sample a grid of images as one PNG that has a URL."""
    query = read_query(request, schemas.SamplePngQuery)
    seed = random_seed_or_new(query.random_seed)
    call = _call(request)
    z = task.sample(seed, query.n, task.latent_size(call.servable.manifest))
    return await sampled_image(request, call, "decode", {"z": z}, seed)


@router.get("/v1/vae/manifold.png", **schemas.MANIFOLD_PNG)
async def manifold_png(request: Request) -> Response:
    """A grid over the two-dimensional latent space (manifold plot)."""
    side = read_query(request, schemas.ManifoldQuery).size
    call = _call(request, DEFAULT_PLANE)
    size = task.latent_size(call.servable.manifest)
    if size != 2:
        raise InvalidValue(
            f"model must have 2 latent dimensions for a manifold, got {call.servable.manifest.name} "
            f"with {size}: omit ?model=, or select a model with 2"
        )
    return await cached_image(request, call, "decode", {"z": plane(side)}, gap=0)


def _call(request: Request, default: str = DEFAULT) -> Prediction:
    call = Prediction(request, choose_model(request, task.TASK, default))
    call.mark_decoded()
    return call


async def _place(call: Prediction, query: NormalizeQuery, end: OpenedImage | Latents) -> Latents:
    """The latent vector [Z] of one end of a path."""
    if not isinstance(end, OpenedImage):
        return end
    images = await call.prepare(task.decode_images, query, [end])
    outputs = await call.predict("encode", network_input(images))
    mean: Latents = check_finite(outputs["z_mean"])[0]
    return mean
