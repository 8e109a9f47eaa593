"""Places in a latent space as callers write them: vectors, random seeds, pictures, ways between two."""

import secrets
from typing import Any

from service.codecs import latents
from service.codecs.image import Picture
from service.codecs.pixel_lists import kind_of
from service.codecs.random_streams import MAX_SEED
from service.codecs.request_images import open_source
from service.errors import InvalidValue

LARGEST = 1_000.0  # of a latent vector's numbers
MIN_STEPS, MAX_STEPS, DEFAULT_STEPS = 2, 64, 9  # of a way
PATHS = {"lerp": latents.line, "slerp": latents.arc}


def drawn_seed(given: int | None) -> int:
    """The caller's random seed, else a new one."""
    return secrets.randbelow(MAX_SEED + 1) if given is None else given


def random_seed(name: str, value: Any) -> int:
    """The random seed of the point that the field `name` holds."""
    if type(value) is not int or not 0 <= value <= MAX_SEED:
        raise InvalidValue(
            f"{name}.random_seed is a whole number from 0 to {MAX_SEED:,}, got {shown(value)}"
        )
    return value


def picture(value: Any) -> Picture | None:
    """The opened picture that `value` is (base64, rows of pixels or {"image": one}); None: it is none."""
    if isinstance(value, dict) and value.keys() == {"image"}:
        return open_source(value["image"])
    if isinstance(value, str) or (isinstance(value, list) and value and type(value[0]) is list):
        return open_source(value)
    return None


def vector(name: str, value: Any, size: int) -> list[float]:
    """A latent vector of `size` numbers, none of them beyond what a network can bear."""
    if not isinstance(value, list) or len(value) != size:
        came = f"a list of {len(value)}" if isinstance(value, list) else shown(value)
        raise InvalidValue(f"a latent vector of this model has {size} numbers; {name} holds {came}")
    for number in value:
        if type(number) not in (int, float) or not -LARGEST <= number <= LARGEST:
            raise InvalidValue(
                f"{name} holds numbers from {-LARGEST:,.0f} to {LARGEST:,.0f}, got {shown(number)}"
            )
    return value


def shown(value: Any) -> str:
    """A wrong number as it came, anything else by its kind."""
    return f"{value:.15g}" if type(value) in (int, float) else kind_of(value)
