"""GANs: request → latent vectors, outputs → answer."""

from functools import partial
from typing import Any

import numpy as np

from service.codecs import latents
from service.codecs.json_fields import shown
from service.codecs.latents import Latents
from service.engine import Arrays
from service.errors import InvalidValue
from service.preprocessing.digit import fit_digit, normalize_digit
from service.runtime.latent_space import LatentSizes
from service.runtime.manifest import Manifest
from service.schemas.gan import (
    EditRequest,
    GanInterpolateRequest,
    GanSamplePngQuery,
    GanSampleRequest,
)
from service.tasks import latent_points, prepared_images
from service.tasks.gan_points import (
    Point,
    Space,
    common_digit,
    read_points,
    read_source,
    sample_inputs,
    sampled_digit,
    space_of,
)

TASK = "generate_image"

decode_images = partial(prepared_images.decode, preprocess=fit_digit)
decode_query = partial(prepared_images.decode, preprocess=normalize_digit)


def sample(
    asked: GanSampleRequest | GanSamplePngQuery, random_seed: int, space: Space
) -> dict[str, np.ndarray]:
    """The inputs of `sample`; sample i depends only on (random_seed, i), its digit too if none is requested."""
    digit = asked.digit
    if digit is not None:
        latent_points.whole_number("digit", digit, space.digits - 1)
    digits = [
        sampled_digit(random_seed, i, space) if digit is None else digit for i in range(asked.n)
    ]
    return sample_inputs(
        latents.draw(random_seed, asked.n, space.sizes.z), digits, asked.truncation
    )


def path_through_z(body: GanInterpolateRequest, space: Space) -> dict[str, np.ndarray]:
    """The inputs of `sample` for a path through z."""
    start, end = read_source("from", body.start, space), read_source("to", body.end, space)
    z = latent_points.interpolate(body.path, start.z, end.z, body.steps)
    truncation = np.linspace(start.truncation, end.truncation, body.steps)
    return sample_inputs(z, [common_digit(start, end)] * body.steps, truncation)


def mix(coarse: Latents, fine: Latents, sizes: LatentSizes) -> Latents:
    """The coarse part of one w [W] and the fine part of another, [1, W]."""
    mixed = coarse.copy()
    mixed[slice(*sizes.fine)] = fine[slice(*sizes.fine)]
    return mixed[np.newaxis]


def read_edit(body: EditRequest, manifest: Manifest, max_pixels: int) -> Point:
    """The point that a body of `/v1/gan/edit` moves; InvalidValue if it has no such direction."""
    if (body.latent is None) == (body.image is None):
        given = "neither" if body.latent is None else "both"
        raise InvalidValue(f"exactly one of latent and image must be given, got {given}")
    field = {"image": {"image": body.image}} if body.latent is None else {"latent": body.latent}
    [point] = read_points(field, space_of(manifest), max_pixels)
    if body.direction not in manifest.directions:
        names = " or ".join(map(repr, manifest.directions))
        raise InvalidValue(f"direction must be {names}, got {shown(body.direction)}")
    return point


def move(w: Latents, body: EditRequest, manifest: Manifest) -> Latents:
    """Move w [W] along the direction by each strength, in sigmas: [N, W]."""
    direction = manifest.directions[body.direction]
    steps = np.array(body.strength, np.float32).reshape(-1, 1) * np.float32(direction.sigma)
    moved: Latents = w + steps * np.array(direction.vector, np.float32)
    return moved


def check_finite(w: Latents) -> Latents:
    """Check latent vectors from a model; InvalidValue if some are not finite."""
    if not np.isfinite(w).all():
        raise InvalidValue(
            "the model must return finite latent vectors, got NaN or infinity: use another random_seed, "
            "image or truncation, or another model"
        )
    return w


def directions(manifest: Manifest) -> list[dict[str, Any]]:
    """Each direction with its measurements, without its vector."""
    return [
        {"name": name, **direction.model_dump(exclude={"vector"})}
        for name, direction in manifest.directions.items()
    ]


def predictions(outputs: Arrays) -> list[dict[str, Any]]:
    """The discriminator's probability that each image is real."""
    real = prepared_images.check_finite(outputs["probability_real"])
    return [{"probability_real": value} for value in real.tolist()]
