"""Points in a GAN's latent spaces in requests.

The mapping network maps z to w; a point is a w, or a z that is mapped to one.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.codecs import latents
from service.codecs.image import OpenedImage
from service.codecs.json_fields import shown
from service.codecs.latents import Latents
from service.codecs.random_streams import uniforms
from service.errors import InvalidValue
from service.runtime.latent_space import LatentSizes
from service.runtime.manifest import Manifest
from service.schemas.gan import DEFAULT_TRUNCATION, MAX_TRUNCATION
from service.tasks import latent_points

SOURCE_FIELDS = {"random_seed", "z", "digit", "truncation"}


class Space(NamedTuple):
    """A model's latent spaces and digits, from its manifest."""

    sizes: LatentSizes
    digits: int


class LatentSource(NamedTuple):
    """A z [Z], its source, and the inputs of its mapping to a w."""

    z: Latents
    requested_digit: int | None  # requested digit
    sampled_digit: int | None  # digit sampled with the random seed
    truncation: float = DEFAULT_TRUNCATION

    def inputs(self) -> dict[str, np.ndarray]:
        """The inputs of the signature `sample`, one row."""
        digit = _first_digit(self.requested_digit, self.sampled_digit)
        return sample_inputs(self.z[np.newaxis], [digit], self.truncation)


Point = OpenedImage | Latents | LatentSource


def space_of(manifest: Manifest) -> Space:
    """The latent spaces of a model (the manifest was checked for them)."""
    assert manifest.latents is not None
    return Space(manifest.latents, len(manifest.labels))


def sample_inputs(
    z: Latents, digits: Any, truncation: float | NDArray[np.floating]
) -> dict[str, np.ndarray]:
    """The inputs of `sample` for z [N, Z]."""
    weights = np.full(len(z), truncation, np.float32)
    return {"z": z, "digit": np.array(digits, np.int32), "truncation": weights}


def sampled_digit(random_seed: int, index: int, space: Space) -> int:
    """The digit of sample `index`, from the random number after those of its z."""
    return int(uniforms(random_seed, index, space.sizes.z, 1)[0] * space.digits)


def _read_point(name: str, value: Any, space: Space) -> Point:
    """Parse a point: an image (opened), a w [W], or the source of one."""
    if isinstance(value, dict) and value.keys() != {"image"}:
        return read_source(name, value, space)
    others = '(w) or {"random_seed": 3, "digit": 4}'
    return latent_points.read_point(name, value, space.sizes.w, others)


def read_points(fields: dict[str, Any], space: Space, max_pixels: int) -> list[Point]:
    """Parse the points of a body, by the names of their fields; images are opened, not decoded."""
    points = [_read_point(name, value, space) for name, value in fields.items()]
    latent_points.check_images(points, max_pixels)
    return points


def read_source(name: str, value: Any, space: Space) -> LatentSource:
    """Parse a z, given or sampled with a random seed, with its digit and truncation."""
    if isinstance(value, list):
        value = {"z": value}
    keys = value.keys() if isinstance(value, dict) else set[str]()
    if not keys <= SOURCE_FIELDS or len(keys & {"random_seed", "z"}) != 1:
        raise InvalidValue(
            f'{name} must be {{"random_seed": 3, "digit": 4}} or {{"z": [{space.sizes.z} values], '
            f'"digit": 4}}, optionally with "truncation", got {shown(value)}; an image or a w needs '
            "space=w"
        )
    digit = value.get("digit")
    if digit is not None:
        latent_points.whole_number(f"{name}.digit", digit, space.digits - 1)
    weight = value.get("truncation", DEFAULT_TRUNCATION)
    if type(weight) not in (int, float) or not 0 <= weight <= MAX_TRUNCATION:
        raise InvalidValue(
            f"{name}.truncation must be a number from 0 to {MAX_TRUNCATION:g}, got {shown(weight)}"
        )
    if "z" in value:
        z = latent_points.vector(name, value["z"], space.sizes.z)
        return LatentSource(z, digit, None, weight)
    seed = latent_points.whole_number(f"{name}.random_seed", value["random_seed"])
    return LatentSource(
        latents.draw(seed, 1, space.sizes.z)[0], digit, sampled_digit(seed, 0, space), weight
    )


def common_digit(start: LatentSource, end: LatentSource) -> int:
    """The one digit of a path through z; InvalidValue if there are two, or none."""
    named = {source.requested_digit for source in (start, end)} - {None}
    if len(named) > 1:
        raise InvalidValue(
            "from and to must have the same digit if space is z, "
            f"got {' and '.join(sorted(map(str, named)))}: use space=w otherwise"
        )
    return _first_digit(*named, start.sampled_digit, end.sampled_digit)


def _first_digit(*digits: int | None) -> int:
    for digit in digits:
        if digit is not None:
            return digit
    raise InvalidValue('digit must be given with z, got only z: {"z": […], "digit": 4}')
