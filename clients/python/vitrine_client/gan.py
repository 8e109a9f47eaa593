"""`/v1/gan/*`: generated digits; projection, edits along attributes, mixing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Unpack

from vitrine_client._transport.request import (
    PNG,
    Call,
    Stream,
    drop_none,
    get,
    post_images,
    post_json,
    split,
)
from vitrine_client._transport.response import Grid, answer_of, each_image, grid
from vitrine_client._transport.sync_async import Group, Mode, as_grid, endpoint, streaming_endpoint
from vitrine_client.image_files import ImagesLike
from vitrine_client.latents import (
    ImagesAnswer,
    InterpolationOptions,
    Point,
    is_image,
    post_points,
    post_way,
)
from vitrine_client.projection import (
    ProjectionAnswer,
    ProjectionEvent,
    ProjectionOptions,
    projection_event,
)
from vitrine_client.types import (
    ImageOptions,
    ModelAnswer,
    ModelChoice,
    PreparedImage,
    PreparedImageOptions,
    Vector,
)


class DigitSampling(ModelChoice, total=False):
    """Sampling options; omitted ones, or None, have the service's defaults."""

    n: int | None  # 1 to 256; default: 16
    random_seed: int | None  # the same seed gives the same images; default: random
    digit: int | None  # default: random for each image
    truncation: float | None  # lower values: more typical images; default: 0.7


class SpaceOptions(InterpolationOptions, total=False):
    """Interpolation options, with the latent space of the path."""

    space: Literal["w", "z"] | None  # with z, a list is a z; default: w


@dataclass(frozen=True)
class GeneratedAnswer(ModelAnswer):
    """Sampled digits in order, PNG files; z is the input of the mapping network, w its output."""

    random_seed: int
    images: tuple[bytes, ...] = field(repr=False)
    digits: tuple[int, ...]
    z: tuple[Vector, ...] = field(repr=False)
    w: tuple[Vector, ...] = field(repr=False)


@dataclass(frozen=True)
class RealPrediction:
    """The discriminator's prediction for one image."""

    probability_real: float
    input: PreparedImage | None = None  # with return_input


@dataclass(frozen=True)
class RealAnswer(ModelAnswer):
    """The predictions for all images of a call, in their order."""

    predictions: tuple[RealPrediction, ...]


@dataclass(frozen=True)
class Direction:
    """An attribute that can be edited, with its measured effect."""

    name: str
    sigma: float  # distance in w for a strength of 1
    unit: str = ""
    per_sigma: float | None = None  # change of the attribute for a strength of 1, in its unit
    rho: float | None = None  # correlation of the attribute with the strength
    leakage: Mapping[str, float] = field(default_factory=dict)  # change of the other attributes
    class_kept: Mapping[str, Any] = field(
        default_factory=dict
    )  # share of images that remain the same digit


@dataclass(frozen=True)
class DirectionsAnswer(ModelAnswer):
    """The directions of a model."""

    directions: tuple[Direction, ...]


class Gan(Group[Mode]):
    """`/v1/gan/*`. A point is a random seed, a `LatentSource`, a latent vector w or an image."""

    @endpoint
    def sample(self, **options: Unpack[DigitSampling]) -> Call[GeneratedAnswer]:
        """Generate `n` images, all of `digit` if it is given.

        Args:
            options: `n`, `random_seed`, `digit`, `truncation`; `model`, `version`, `version_label`.
        """
        fields, choice = split(options)
        return Call(
            post_json("v1/gan/sample", drop_none(**fields), choice), answer_of(GeneratedAnswer)
        )

    @endpoint
    def interpolate(
        self, start: Point, end: Point, **options: Unpack[SpaceOptions]
    ) -> Call[ImagesAnswer]:
        """Images between two points.

        Args:
            start: The first point.
            end: The last point.
            options: `steps`, `path`, `space`; `normalize`; `model`, `version`, `version_label`.
        """
        request = post_way("v1/gan/interpolate", start, end, options)
        return Call(request, answer_of(ImagesAnswer))

    @endpoint
    def mix(
        self, coarse: Point, fine: Point, **options: Unpack[ImageOptions]
    ) -> Call[ImagesAnswer]:
        """Combine one point's coarse layers with another's fine layers → one image."""
        request = post_points("v1/gan/mix", {"coarse": coarse, "fine": fine}, {}, options)
        return Call(request, answer_of(ImagesAnswer))

    @endpoint
    def edit(
        self,
        point: Point,
        direction: str,
        strength: float | Sequence[float],
        **options: Unpack[ImageOptions],
    ) -> Call[ImagesAnswer]:
        """Move a point along a direction: thicker, more slanted, wider.

        Args:
            point: The point to move.
            direction: A name from `directions`.
            strength: In standard deviations, -10 to 10; one image for each value.
            options: `normalize`, `model`, `version`, `version_label`.
        """
        name = "image" if is_image(point) else "latent"
        fields = {"direction": direction, "strength": strength}
        request = post_points("v1/gan/edit", {name: point}, fields, options)
        return Call(request, answer_of(ImagesAnswer))

    @endpoint
    def directions(self, **options: Unpack[ModelChoice]) -> Call[DirectionsAnswer]:
        """The attributes along which an image can be edited."""
        return Call(get("v1/gan/directions", options), answer_of(DirectionsAnswer))

    @endpoint
    def discriminate(
        self, images: ImagesLike, **options: Unpack[PreparedImageOptions]
    ) -> Call[RealAnswer]:
        """Images → the discriminator's probability that each is real."""
        return each_image("v1/gan/discriminate", images, options, RealAnswer)

    @endpoint
    def project(
        self, images: ImagesLike, **options: Unpack[ProjectionOptions]
    ) -> Call[ProjectionAnswer]:
        """Images of digits → their closest latent vectors.

        Args:
            images: One image or several; see `digits.classify`.
            options: `steps`, `loss`, `start`; `normalize`, `return_input`; `model`, `version`,
                `version_label`.
        """
        return each_image("v1/gan/project", images, options, ProjectionAnswer, "images")

    @streaming_endpoint
    def stream_projection(
        self, images: ImagesLike, **options: Unpack[ProjectionOptions]
    ) -> Stream[ProjectionEvent]:
        """As `project`, but yields a `ProjectionStep` per image every few steps, and finally the answer.

        Leaving the loop early stops the work.
        """
        query = {**options, "stream": "true"}
        return Stream(post_images("v1/gan/project", images, query), projection_event)

    sample_grid = as_grid(sample)
    interpolate_grid = as_grid(interpolate)
    mix_grid = as_grid(mix)
    edit_grid = as_grid(edit)
    project_grid = as_grid(project)

    @endpoint
    def sample_png(self, **options: Unpack[DigitSampling]) -> Call[Grid]:
        """A generated image with a URL (`sample.png`), which a page can show."""
        return Call(get("v1/gan/sample.png", options, PNG), grid)
