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
from vitrine_client._transport.response import Grid, answer_of, grid
from vitrine_client._transport.sync_async import Face, Group, as_grid, endpoint, streaming_endpoint
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
    """What to draw; what is left out, or None, is the service's default."""

    n: int | None  # 1 to 256; absent: 16
    random_seed: int | None  # the same number, the same images; absent: one is drawn
    digit: int | None  # absent: each image's own
    truncation: float | None  # lower: nearer to the typical; absent: 0.7


class SpaceOptions(InterpolationOptions, total=False):
    """The same, and the space that the way leads through."""

    space: Literal["w", "z"] | None  # in z, a list is a z; absent: w


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
    """How real the discriminator finds an image."""

    probability_real: float
    input: PreparedImage | None = None  # with return_input


@dataclass(frozen=True)
class RealAnswer(ModelAnswer):
    """The predictions for all images of a call, in their order."""

    predictions: tuple[RealPrediction, ...]


@dataclass(frozen=True)
class Direction:
    """An attribute along which an image can be edited, and how well it was measured."""

    name: str
    sigma: float  # how far in w a strength of 1 goes
    unit: str = ""
    per_sigma: float | None = None  # change of the attribute for a strength of 1, in its unit
    rho: float | None = None  # correlation of the attribute with the strength
    leakage: Mapping[str, float] = field(default_factory=dict)  # the same for other attributes
    class_kept: Mapping[str, Any] = field(default_factory=dict)  # share that stays the same digit


@dataclass(frozen=True)
class DirectionsAnswer(ModelAnswer):
    """The directions of a model."""

    directions: tuple[Direction, ...]


class Gan(Group[Face]):
    """`/v1/gan/*`. A point is a random seed, a `LatentSource`, a latent vector w or an image."""

    @endpoint
    def sample(self, **options: Unpack[DigitSampling]) -> Call[GeneratedAnswer]:
        """Draw `n` digits, all of them `digit` where one is given.

        Args:
            options: `n`, `random_seed`, `digit`, `truncation`; `model`, `version`, `version_label`.

        Raises:
            VitrineError: See the tree in `errors`.
        """
        fields, choice = split(options)
        return Call(
            post_json("v1/gan/sample", drop_none(**fields), choice), answer_of(GeneratedAnswer)
        )

    @endpoint
    def interpolate(
        self, start: Point, end: Point, **options: Unpack[SpaceOptions]
    ) -> Call[ImagesAnswer]:
        """From one point to another.

        Args:
            start: Where to begin.
            end: Where to arrive.
            options: `steps`, `path`, `space`; `normalize`; `model`, `version`, `version_label`.

        Raises:
            VitrineError: See the tree in `errors`.
        """
        request = post_way("v1/gan/interpolate", start, end, options)
        return Call(request, answer_of(ImagesAnswer))

    @endpoint
    def mix(
        self, coarse: Point, fine: Point, **options: Unpack[ImageOptions]
    ) -> Call[ImagesAnswer]:
        """One point's coarse layers with another's fine ones → one image.

        Raises:
            VitrineError: See the tree in `errors`.
        """
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
        """A point, moved along a direction: thicker, more slanted, wider.

        Args:
            point: Where to begin.
            direction: One of those that `directions` lists.
            strength: In sigmas, -10 to 10; several give an image each.
            options: `normalize`, `model`, `version`, `version_label`.

        Raises:
            VitrineError: See the tree in `errors`.
        """
        name = "image" if is_image(point) else "latent"
        fields = {"direction": direction, "strength": strength}
        request = post_points("v1/gan/edit", {name: point}, fields, options)
        return Call(request, answer_of(ImagesAnswer))

    @endpoint
    def directions(self, **options: Unpack[ModelChoice]) -> Call[DirectionsAnswer]:
        """The attributes along which an image can be edited.

        Raises:
            VitrineError: See the tree in `errors`.
        """
        return Call(get("v1/gan/directions", options), answer_of(DirectionsAnswer))

    @endpoint
    def discriminate(
        self, images: ImagesLike, **options: Unpack[PreparedImageOptions]
    ) -> Call[RealAnswer]:
        """Images → how real the discriminator finds each.

        Raises:
            VitrineError: See the tree in `errors`.
        """
        return Call(
            post_images("v1/gan/discriminate", images, options),
            answer_of(RealAnswer),
            count=lambda answer: len(answer.predictions),
        )

    @endpoint
    def project(
        self, images: ImagesLike, **options: Unpack[ProjectionOptions]
    ) -> Call[ProjectionAnswer]:
        """Images of digits → the latent vectors that come closest to them.

        Args:
            images: One image or several; see `digits.classify`.
            options: `steps`, `loss`, `start`; `normalize`, `return_input`; `model`, `version`,
                `version_label`.

        Raises:
            VitrineError: See the tree in `errors`.
        """
        return Call(
            post_images("v1/gan/project", images, options),
            answer_of(ProjectionAnswer),
            count=lambda answer: len(answer.images),
        )

    @streaming_endpoint
    def stream_projection(
        self, images: ImagesLike, **options: Unpack[ProjectionOptions]
    ) -> Stream[ProjectionEvent]:
        """As `project`, but a `ProjectionStep` of each image every few steps, and the answer at last.

        Leaving the loop early stops the work.

        Raises:
            VitrineError: See the tree in `errors`; also in mid-stream.
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
        """The image at the address `sample.png`, which a page can show by its `url`.

        Raises:
            VitrineError: See the tree in `errors`.
        """
        return Call(get("v1/gan/sample.png", options, PNG), grid)
