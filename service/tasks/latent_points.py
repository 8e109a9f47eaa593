"""Points in a latent space in requests: vectors, random seeds, images, and paths between two points."""

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np

from service.codecs import latents
from service.codecs.image import OpenedImage
from service.codecs.json_fields import shown
from service.codecs.latents import Latents
from service.codecs.random_streams import MAX_SEED
from service.codecs.request_images import check_pixels, open_source
from service.errors import InvalidValue
from service.schemas.vae import MAX_COORDINATE


def interpolate(
    path: Literal["lerp", "slerp"], start: Latents, end: Latents, steps: int
) -> Latents:
    """Latent vectors along a path from start [Z] to end [Z]: [steps, Z]."""
    return latents.line(start, end, steps) if path == "lerp" else latents.arc(start, end, steps)


def whole_number(name: str, value: Any, most: int = MAX_SEED) -> int:
    """A number of a request, by default a random seed; InvalidValue unless it is a whole one from 0 to `most`."""
    if type(value) is not int or not 0 <= value <= most:
        raise InvalidValue(f"{name} must be a whole number from 0 to {most:,}, got {shown(value)}")
    return value


def read_point(name: str, value: Any, size: int, others: str) -> OpenedImage | Latents:
    """Read an image (base64, rows of pixels or {"image": …}; opened, not decoded) or a vector [size].

    others: for the error, what it may be besides.
    """
    if isinstance(value, dict) and value.keys() == {"image"}:
        return open_source(value["image"])
    if isinstance(value, str) or (isinstance(value, list) and value and type(value[0]) is list):
        return open_source(value)
    if isinstance(value, list):
        return vector(name, value, size)
    raise InvalidValue(
        f"{name} must be an image, a list of {size} values {others}, got {shown(value)}"
    )


def vector(name: str, value: Any, size: int) -> Latents:
    """Read a latent vector [size] with values in the allowed range."""
    if not isinstance(value, list) or len(value) != size:
        given = f"a list of {len(value)}" if isinstance(value, list) else shown(value)
        raise InvalidValue(
            f"{name} must be a latent vector of {size} values for this model, got {given}"
        )
    for number in value:
        if type(number) not in (int, float) or not -MAX_COORDINATE <= number <= MAX_COORDINATE:
            raise InvalidValue(
                f"{name} must have values from {-MAX_COORDINATE:,.0f} to {MAX_COORDINATE:,.0f}, "
                f"got {shown(number)}"
            )
    return np.array(value, np.float32)


def check_images(points: Iterable[object], max_pixels: int) -> None:
    """Raise ImageTooLarge if the images among the points have more pixels together."""
    check_pixels([point for point in points if isinstance(point, OpenedImage)], max_pixels)
