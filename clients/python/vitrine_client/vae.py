"""`/v1/vae/*`: encode, decode, sample and interpolate in a latent space."""

from dataclasses import dataclass, field
from typing import Unpack

from vitrine_client._transport.request import PNG, Call, drop_none, get, post_json
from vitrine_client._transport.response import Grid, answer_of, each_image, grid
from vitrine_client._transport.sync_async import Group, Mode, as_grid, endpoint
from vitrine_client.image_files import ImagesLike
from vitrine_client.latents import (
    End,
    ImagesAnswer,
    InterpolationOptions,
    Latents,
    post_way,
    vectors_on_wire,
)
from vitrine_client.types import (
    ModelAnswer,
    ModelChoice,
    PreparedImage,
    PreparedImageOptions,
    Vector,
)


@dataclass(frozen=True)
class Encoding:
    """The encoding of an image: a normal distribution over the latent space."""

    z_mean: Vector
    z_log_var: Vector
    kl: float  # divergence from the standard normal distribution, in nats
    input: PreparedImage | None = None  # with return_input


@dataclass(frozen=True)
class EncodingsAnswer(ModelAnswer):
    """The encodings of all images of a call, in their order."""

    encodings: tuple[Encoding, ...]


@dataclass(frozen=True)
class Reconstruction:
    """The reconstruction of an image, a PNG file; losses in nats, and their sum, the anomaly score."""

    image: bytes = field(repr=False)
    z: Vector
    noise: Vector
    reconstruction_loss: float
    kl: float
    anomaly_score: float
    input: PreparedImage | None = None  # with return_input


@dataclass(frozen=True)
class ReconstructionsAnswer(ModelAnswer):
    """The reconstructions of all images of a call, in their order."""

    reconstructions: tuple[Reconstruction, ...]
    random_seed: int | None = None  # None: z is the mean


class Vae(Group[Mode]):
    """`/v1/vae/*`."""

    @endpoint
    def sample(
        self,
        *,
        n: int | None = None,
        random_seed: int | None = None,
        scale: float | None = None,
        **options: Unpack[ModelChoice],
    ) -> Call[ImagesAnswer]:
        """Generate `n` images from standard normal latent vectors times `scale`.

        Args:
            n: 1 to 256; default: 16.
            random_seed: The same seed gives the same images; default: random.
            scale: Below 1: more typical images; default: 1.
            options: `model`, `version`, `version_label`.
        """
        fields = drop_none(n=n, random_seed=random_seed, scale=scale)
        return Call(post_json("v1/vae/sample", fields, options), answer_of(ImagesAnswer))

    @endpoint
    def encode(
        self, images: ImagesLike, **options: Unpack[PreparedImageOptions]
    ) -> Call[EncodingsAnswer]:
        """Images → their encodings in the latent space."""
        return each_image("v1/vae/encode", images, options, EncodingsAnswer, "encodings")

    @endpoint
    def decode(self, latents: Latents, **options: Unpack[ModelChoice]) -> Call[ImagesAnswer]:
        """Latent vectors → decoded images."""
        request = post_json("v1/vae/decode", {"latents": vectors_on_wire(latents)}, options)
        return Call(request, answer_of(ImagesAnswer))

    @endpoint
    def reconstruct(
        self,
        images: ImagesLike,
        *,
        random_seed: int | None = None,
        **options: Unpack[PreparedImageOptions],
    ) -> Call[ReconstructionsAnswer]:
        """Images → reconstructions; with a seed, z is sampled, otherwise it is the mean."""
        query = {"random_seed": random_seed, **options}
        return each_image(
            "v1/vae/reconstruct", images, query, ReconstructionsAnswer, "reconstructions"
        )

    @endpoint
    def interpolate(
        self, start: End, end: End, **options: Unpack[InterpolationOptions]
    ) -> Call[ImagesAnswer]:
        """Images between two points, each a random seed, latent vector or image.

        Args:
            start: The first point.
            end: The last point.
            options: `steps`, `path`; `normalize`; `model`, `version`, `version_label`.
        """
        request = post_way("v1/vae/interpolate", start, end, options)
        return Call(request, answer_of(ImagesAnswer))

    sample_grid = as_grid(sample)
    decode_grid = as_grid(decode)
    reconstruct_grid = as_grid(reconstruct)
    interpolate_grid = as_grid(interpolate)

    @endpoint
    def sample_png(
        self,
        *,
        n: int | None = None,
        random_seed: int | None = None,
        **options: Unpack[ModelChoice],
    ) -> Call[Grid]:
        """A generated image with a URL (`sample.png`), which a page can show."""
        query = {"n": n, "random_seed": random_seed, **options}
        return Call(get("v1/vae/sample.png", query, PNG), grid)

    @endpoint
    def manifold_png(
        self, *, size: int | None = None, **options: Unpack[ModelChoice]
    ) -> Call[Grid]:
        """A grid over the two-dimensional latent space, `size` × `size` images (2 to 40; default: 20)."""
        return Call(get("v1/vae/manifold.png", {"size": size, **options}, PNG), grid)
