"""GANs: what a caller asks for → latent vectors, outputs → the answer. Knows no HTTP."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from service.codecs import latents
from service.codecs.image import Picture
from service.codecs.json_fields import Document
from service.codecs.latents import Latents
from service.codecs.random_streams import MAX_SEED
from service.codecs.request_images import check_pixels
from service.engine import Arrays
from service.errors import InvalidValue
from service.preprocessing.digit import fit_digit, normalize_digit
from service.runtime.latent_space import LatentSizes
from service.runtime.manifest import Manifest
from service.tasks import latent_points, prepared_images
from service.tasks.gan_points import (
    DEFAULT_TRUNCATION,
    MAX_TRUNCATION,
    Origin,
    Point,
    Space,
    common_digit,
    drawn_digit,
    read_origin,
    read_point,
    sample_inputs,
    space_of,
)

TASK = "generate_image"
MAX_COUNT, DEFAULT_COUNT = 256, 16  # samples of one request
MAX_STRENGTH, MAX_STRENGTHS = 10.0, 64
SAMPLE_FIELDS = ("n", "random_seed", "digit", "truncation")
INTERPOLATE_FIELDS = ("from", "to", "steps", "path", "space")
MIX_FIELDS = ("coarse", "fine")
EDIT_FIELDS = ("latent", "image", "direction", "strength")

decode_pictures = partial(prepared_images.decode, into_form=fit_digit)
decode_query = partial(prepared_images.decode, into_form=normalize_digit)


class Sample(NamedTuple):
    """Samples to draw; without a digit each sample's is drawn too."""

    n: int
    random_seed: int
    digit: int | None = None
    truncation: float = DEFAULT_TRUNCATION

    def inputs(self, space: Space) -> dict[str, np.ndarray]:
        """The signature's inputs; number i depends on (random_seed, i) alone."""
        z = latents.draw(self.random_seed, self.n, space.sizes.z)
        digits = [self.digit] * self.n
        if self.digit is None:
            digits = [drawn_digit(self.random_seed, i, space) for i in range(self.n)]
        return sample_inputs(z, digits, self.truncation)


class Interpolation(NamedTuple):
    """A way between two points, through z or through w."""

    ends: tuple[Point, Point]
    steps: int
    path: str
    space: str

    def between(self, start: Latents, end: Latents) -> Latents:
        """Latent vectors along the way, [steps, size]."""
        return latent_points.PATHS[self.path](start, end, self.steps)

    def inputs(self) -> dict[str, np.ndarray] | None:
        """The way through z as inputs of `sample`; None: it leads through w."""
        start, end = self.ends
        if self.space == "w" or not (isinstance(start, Origin) and isinstance(end, Origin)):
            return None
        z = self.between(start.z, end.z)
        truncation = np.linspace(start.truncation, end.truncation, self.steps)
        return sample_inputs(z, [common_digit(start, end)] * self.steps, truncation)


class Edit(NamedTuple):
    """A point to move along a direction, by so many sigmas each time."""

    point: Point
    direction: str
    strengths: list[float]

    def apply(self, w: Latents, manifest: Manifest) -> Latents:
        """From w [W] to a vector for each strength, [N, W]."""
        direction = manifest.directions[self.direction]
        steps = np.array(self.strengths, np.float32)[:, np.newaxis] * np.float32(direction.sigma)
        moved: Latents = w + steps * np.array(direction.vector, np.float32)
        return moved


def read_sample(fields: Document, space: Space) -> Sample:
    """A body of `/v1/gan/sample`."""
    truncation = fields.number("truncation", 0, MAX_TRUNCATION)
    return Sample(
        fields.integer("n", 1, MAX_COUNT) or DEFAULT_COUNT,
        latent_points.drawn_seed(fields.integer("random_seed", 0, MAX_SEED)),
        fields.integer("digit", 0, space.digits - 1),
        DEFAULT_TRUNCATION if truncation is None else truncation,
    )


def read_interpolate(fields: Document, space: Space, max_pixels: int) -> Interpolation:
    """A body of `/v1/gan/interpolate`; its pictures are opened, not decoded."""
    where = fields.choice("space", ("z", "w")) or "w"
    read = read_origin if where == "z" else read_point
    ends = read("from", fields.value("from"), space), read("to", fields.value("to"), space)
    check_pixels([end for end in ends if isinstance(end, Picture)], max_pixels)
    steps = (
        fields.integer("steps", latent_points.MIN_STEPS, latent_points.MAX_STEPS)
        or latent_points.DEFAULT_STEPS
    )
    path = fields.choice("path", tuple(latent_points.PATHS)) or "lerp"
    return Interpolation(ends, steps, path, where)


def read_mix(fields: Document, space: Space, max_pixels: int) -> tuple[Point, Point]:
    """A body of `/v1/gan/mix`: whose coarse and whose fine layers."""
    coarse = read_point("coarse", fields.value("coarse"), space)
    fine = read_point("fine", fields.value("fine"), space)
    check_pixels([end for end in (coarse, fine) if isinstance(end, Picture)], max_pixels)
    return coarse, fine


def mix(coarse: Latents, fine: Latents, sizes: LatentSizes) -> Latents:
    """The coarse part of one w [W] and the fine part of another, [1, W]."""
    mixed = coarse.copy()
    mixed[slice(*sizes.fine)] = fine[slice(*sizes.fine)]
    return mixed[np.newaxis]


def read_edit(fields: Document, manifest: Manifest, max_pixels: int) -> Edit:
    """A body of `/v1/gan/edit`."""
    given = [name for name in ("latent", "image") if name in fields]
    if len(given) != 1:
        came = "both" if given else "neither"
        raise InvalidValue(f"an edit starts from exactly one of latent and image, got {came}")
    value = fields.value(given[0])
    point = read_point(
        given[0], {"image": value} if given == ["image"] else value, space_of(manifest)
    )
    if isinstance(point, Picture):
        check_pixels([point], max_pixels)
    direction = fields.choice("direction", tuple(manifest.directions))
    if direction is None:
        raise InvalidValue(f"direction is one of {', '.join(manifest.directions)}; it is missing")
    strengths = fields.numbers("strength", -MAX_STRENGTH, MAX_STRENGTH)
    if not 1 <= len(strengths) <= MAX_STRENGTHS:
        raise InvalidValue(
            f"strength is a number or a list of 1 to {MAX_STRENGTHS}, got {len(strengths)}"
        )
    return Edit(point, direction, strengths)


def directions(manifest: Manifest) -> list[dict[str, Any]]:
    """Each direction and how well it was measured, without its vector."""
    return [
        {"name": name, **direction.model_dump(exclude={"vector"})}
        for name, direction in manifest.directions.items()
    ]


def predictions(
    outputs: Arrays, pictures: prepared_images.Drawings, *, with_input: bool
) -> list[dict[str, Any]]:
    """How real the discriminator finds each picture."""
    rows = [{"probability_real": value} for value in outputs["probability_real"].tolist()]
    if not with_input:
        return rows
    pairs = zip(rows, pictures.canvases, strict=True)
    return [{**row, "input": prepared_images.seen(canvas)} for row, canvas in pairs]
