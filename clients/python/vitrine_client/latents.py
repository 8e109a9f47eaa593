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
    """What a GAN draws an image from: a random seed or a z, a digit, and how typical it is to be."""

    random_seed: int | None = None
    digit: int | None = None  # None: the random seed's
    truncation: float | None = None  # None: the service's default, 0.7
    z: "Latent | None" = None  # in place of a random seed


End: TypeAlias = "int | Latent | ImageLike"  # a random seed, a latent vector or an image
Point: TypeAlias = "End | LatentSource"


@dataclass(frozen=True)
class ImagesAnswer(ModelAnswer):
    """Images in order, PNG files, with the latent vectors they stand for where the service tells them."""

    images: tuple[bytes, ...] = field(repr=False)
    latents: tuple[Vector, ...] = field(default=(), repr=False)
    random_seed: int | None = None  # that gives the same again; None: nothing was drawn
    z: tuple[Vector, ...] = field(default=(), repr=False)  # of a way through a GAN's z


class InterpolationOptions(ImageOptions, total=False):
    """How to go from one point to another; what is left out, or None, is the service's default."""

    steps: int | None  # images, both ends among them: 2 to 64; absent: 9
    path: Literal["lerp", "slerp"] | None  # a straight line, or an arc; absent: lerp


def post_way(path: str, start: "Point", end: "Point", options: Mapping[str, object]) -> Request:
    """A request for what lies between two points."""
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
    """Whether it is an image, and not a place."""
    if is_array(point):
        return cast("Array", point).ndim != 1
    return not isinstance(point, Integral | LatentSource | list | tuple)


def vectors_on_wire(latents: "Latents") -> list[list[float]]:
    """Latent vectors as the service takes them."""
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
