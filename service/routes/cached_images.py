"""URLs of generated images: one grid each, with an ETag and cache headers."""

import hashlib
import json
from collections.abc import Mapping

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from service.asgi.responses import is_unchanged
from service.asgi.state import state_of
from service.codecs.image_writing import encode_png, tile
from service.engine import Arrays
from service.routes.prediction import PNG, Prediction
from service.runtime.servable import Servable


async def cached_image(
    request: Request,
    call: Prediction,
    signature: str,
    inputs: Arrays,
    *,
    gap: int = 1,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The image that a signature generates, or 304; cached for ever if the URL names a version, otherwise revalidated.

    The inputs, together with the model's files, determine the image and its ETag.
    """
    tag = _entity_tag(call.servable, inputs, gap)
    scope = "private" if state_of(request)["settings"].api_keys else "public"
    is_named = "version" in request.query_params
    fresh = "max-age=31536000, immutable" if is_named else "no-cache"
    headers = {**(headers or {}), "ETag": tag, "Cache-Control": f"{scope}, {fresh}"}
    if is_unchanged(request, tag):
        return Response(status_code=304, headers=headers)
    return await _send_grid(call, signature, inputs, headers, gap=gap)


async def sampled_image(
    request: Request, call: Prediction, signature: str, inputs: Arrays, random_seed: int
) -> Response:
    """An image of samples; not stored if the URL has no random seed, and each request draws another one."""
    seed = {"X-Random-Seed": str(random_seed)}
    if "random_seed" in request.query_params:
        return await cached_image(request, call, signature, inputs, headers=seed)
    return await _send_grid(call, signature, inputs, {**seed, "Cache-Control": "no-store"})


async def _send_grid(
    call: Prediction, signature: str, inputs: Arrays, headers: Mapping[str, str], *, gap: int = 1
) -> Response:
    """Generate images and send them as a grid."""
    with call:
        images = await call.draw(signature, inputs)
    png = await call.encode(len(images), lambda: encode_png(tile(images, gap=gap)))
    return Response(png, 200, {**call.headers(), **headers}, PNG)


def _entity_tag(servable: Servable, inputs: Arrays, gap: int) -> str:
    manifest, engines = servable.manifest, servable.engines
    shapes = {name: array.shape for name, array in inputs.items()}
    whose = json.dumps([manifest.name, manifest.version, manifest.files, engines, shapes, gap])
    digest = hashlib.sha256(whose.encode())
    for array in inputs.values():
        digest.update(np.ascontiguousarray(array).tobytes())
    return f'"{digest.hexdigest()[:32]}"'
