"""GANs: request → latent vectors, outputs → answer."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from service.codecs import latents
from service.codecs.image import OpenedImage
from service.codecs.json_fields import shown
from service.codecs.latents import Latents
from service.codecs.request_images import check_pixels
from service.engine import Arrays
from service.errors import InvalidValue
from service.preprocessing.digit import fit_digit, normalize_digit
from service.runtime.latent_space import LatentSizes
from service.runtime.manifest import Manifest
from service.schemas.gan import (
    DEFAULT_TRUNCATION,
    EditRequest,
    GanInterpolateRequest,
    GanSampleRequest,
    MixRequest,
)
from service.tasks import latent_points, prepared_images
from service.tasks.gan_points import (
    LatentSource,
    Point,
    Space,
    check_digit,
    common_digit,
    read_point,
    read_source,
    sample_inputs,
    sampled_digit,
    space_of,
)
from service.tasks.prepared_images import PreparedImages, with_inputs

TASK = "generate_image"

decode_images = partial(prepared_images.decode, preprocess=fit_digit)
decode_query = partial(prepared_images.decode, preprocess=normalize_digit)


class Sample(NamedTuple):
    """Samples to generate; without a digit, each sample's digit is random."""

    n: int
    random_seed: int
    digit: int | None = None
    truncation: float = DEFAULT_TRUNCATION

    def inputs(self, space: Space) -> dict[str, np.ndarray]:
        """The signature's inputs; sample i depends only on (random_seed, i)."""
        z = latents.draw(self.random_seed, self.n, space.sizes.z)
        digits = [self.digit] * self.n
        if self.digit is None:
            digits = [sampled_digit(self.random_seed, i, space) for i in range(self.n)]
        return sample_inputs(z, digits, self.truncation)


class Interpolation(NamedTuple):
    """A path between two points, through z or through w."""

    ends: tuple[Point, Point]
    steps: int
    path: str
    space: str

    def between(self, start: Latents, end: Latents) -> Latents:
        """Latent vectors along the path, [steps, size]."""
        return latent_points.PATHS[self.path](start, end, self.steps)

    def inputs(self) -> dict[str, np.ndarray] | None:
        """A path through z as inputs of `sample`; None for a path through w."""
        start, end = self.ends
        if self.space == "w" or not (
            isinstance(start, LatentSource) and isinstance(end, LatentSource)
        ):
            return None
        z = self.between(start.z, end.z)
        truncation = np.linspace(start.truncation, end.truncation, self.steps)
        return sample_inputs(z, [common_digit(start, end)] * self.steps, truncation)


class Edit(NamedTuple):
    """A point to move along a direction, with strengths in sigmas."""

    point: Point
    direction: str
    strengths: list[float]

    def apply(self, w: Latents, manifest: Manifest) -> Latents:
        """Move w [W] by each strength: [N, W]."""
        direction = manifest.directions[self.direction]
        steps = np.array(self.strengths, np.float32)[:, np.newaxis] * np.float32(direction.sigma)
        moved: Latents = w + steps * np.array(direction.vector, np.float32)
        return moved


def read_sample(body: GanSampleRequest, space: Space) -> Sample:
    """A body of `/v1/gan/sample`."""
    seed = latent_points.random_seed_or_new(body.random_seed)
    return Sample(body.n, seed, check_digit(body.digit, space), body.truncation)


def read_interpolate(body: GanInterpolateRequest, space: Space, max_pixels: int) -> Interpolation:
    """A body of `/v1/gan/interpolate`; its images are opened, not decoded."""
    read = read_source if body.space == "z" else read_point
    ends = read("from", body.start, space), read("to", body.end, space)
    check_pixels([end for end in ends if isinstance(end, OpenedImage)], max_pixels)
    return Interpolation(ends, body.steps, body.path, body.space)


def read_mix(body: MixRequest, space: Space, max_pixels: int) -> tuple[Point, Point]:
    """A body of `/v1/gan/mix`: the points for the coarse and the fine layers."""
    coarse = read_point("coarse", body.coarse, space)
    fine = read_point("fine", body.fine, space)
    check_pixels([end for end in (coarse, fine) if isinstance(end, OpenedImage)], max_pixels)
    return coarse, fine


def mix(coarse: Latents, fine: Latents, sizes: LatentSizes) -> Latents:
    """The coarse part of one w [W] and the fine part of another, [1, W]."""
    mixed = coarse.copy()
    mixed[slice(*sizes.fine)] = fine[slice(*sizes.fine)]
    return mixed[np.newaxis]


def read_edit(body: EditRequest, manifest: Manifest, max_pixels: int) -> Edit:
    """A body of `/v1/gan/edit`."""
    if (body.latent is None) == (body.image is None):
        given = "neither" if body.latent is None else "both"
        raise InvalidValue(f"exactly one of latent and image must be given, got {given}")
    name, value = (
        ("image", {"image": body.image}) if body.latent is None else ("latent", body.latent)
    )
    point = read_point(name, value, space_of(manifest))
    if isinstance(point, OpenedImage):
        check_pixels([point], max_pixels)
    if body.direction not in manifest.directions:
        names = " or ".join(map(repr, manifest.directions))
        raise InvalidValue(f"direction must be {names}, got {shown(body.direction)}")
    strengths = body.strength if isinstance(body.strength, list) else [body.strength]
    return Edit(point, body.direction, strengths)


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


def predictions(outputs: Arrays, shown: PreparedImages | None) -> list[dict[str, Any]]:
    """The discriminator's probability that each image is real; shown: for their inputs."""
    real = prepared_images.check_finite(outputs["probability_real"])
    return with_inputs([{"probability_real": value} for value in real.tolist()], shown)
