"""Points of a latent space in requests, and the images decoded from them."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from numbers import Integral
from typing import Any, Literal, TypeAlias, cast

from vitrine_client._transport.request import Content, Request, drop_none, json_content
from vitrine_client.image_files import Array, ImageLike, are_files, encode_images, is_array
from vitrine_client.types import ImageOptions, ModelAnswer, Vector, query_of

Latent: TypeAlias = "Sequence[float] | Array"  # a list, or an array [Z]
Latents: TypeAlias = "Sequence[Latent] | Array"  # several, or an array [N, Z]


@dataclass(frozen=True)
class LatentSource:
    """The source of a GAN's image: a random seed or a z, a digit, and a truncation."""

    random_seed: int | None = None
    digit: int | None = None  # None: sampled with the random seed
    truncation: float | None = None  # None: the service's default, 0.7
    z: "Latent | None" = None  # instead of a random seed


End: TypeAlias = "int | Latent | ImageLike"  # a random seed, a latent vector or an image
Point: TypeAlias = "End | LatentSource"


@dataclass(frozen=True)
class ImagesAnswer(ModelAnswer):
    """Images in order, as PNG files, with their latent vectors if the service returns them."""

    images: tuple[bytes, ...] = field(repr=False)
    latents: tuple[Vector, ...] = field(default=(), repr=False)
    random_seed: int | None = None  # seed that reproduces the images; None: nothing was random
    z: tuple[Vector, ...] = field(default=(), repr=False)  # of a path through a GAN's z


class InterpolationOptions(ImageOptions, total=False):
    """Interpolation options; omitted ones, or None, have the service's defaults."""

    steps: int | None  # number of images, including both ends: 2 to 64; default: 9
    path: Literal["lerp", "slerp"] | None  # a straight line, or an arc; default: lerp


def post_way(path: str, start: "Point", end: "Point", options: Mapping[str, object]) -> Request:
    """A request for an interpolation."""
    query = {name: options[name] for name in ImageOptions.__annotations__ if name in options}
    fields = {name: value for name, value in options.items() if name not in query}
    return post_points(path, {"from": start, "to": end}, drop_none(**fields), query)


def post_points(
    path: str,
    points: Mapping[str, "Point"],
    fields: Mapping[str, Any],
    options: Mapping[str, object],
) -> Request:
    """A request whose body is points and other fields."""
    encode = partial(_points_content, points, fields)
    images = [point for point in points.values() if is_image(point)]
    is_quick = are_files(cast("list[ImageLike]", images))
    return Request(path, query_of(options), encode() if is_quick else encode)


def is_image(point: "Point") -> bool:
    """Whether a point is an image."""
    if is_array(point):
        return cast("Array", point).ndim != 1
    return not isinstance(point, Integral | LatentSource | list | tuple)


def vectors_on_wire(latents: "Latents") -> list[list[float]]:
    """Latent vectors in the service's format."""
    return [_vector_on_wire(latent) for latent in latents]


def _points_content(points: Mapping[str, "Point"], fields: Mapping[str, Any]) -> Content:
    return json_content({name: _on_wire(point) for name, point in points.items()} | dict(fields))


def _on_wire(point: "Point") -> Any:
    if is_image(point):
        [file] = encode_images(cast("ImageLike", point))
        return base64.b64encode(file).decode()
    if isinstance(point, Integral):
        return {"random_seed": int(point)}
    if isinstance(point, LatentSource):
        z = None if point.z is None else _vector_on_wire(point.z)
        return drop_none(**{**vars(point), "z": z})
    return _vector_on_wire(cast("Latent", point))


def _vector_on_wire(latent: "Latent") -> list[float]:
    return [float(number) for number in latent]
