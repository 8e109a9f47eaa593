"""What the service answers about its GAN, as typed values. Pictures are the bytes of PNG files."""

import json
from dataclasses import dataclass, field
from typing import Self

from clients.python.latents import Vector, png, vector
from clients.python.types import ModelVersion


@dataclass(frozen=True)
class GeneratedAnswer:
    """Drawn digits in order; z went into the mapping network, w came out."""

    model: ModelVersion
    random_seed: int
    images: tuple[bytes, ...] = field(repr=False)
    digits: tuple[int, ...]
    z: tuple[Vector, ...] = field(repr=False)
    w: tuple[Vector, ...] = field(repr=False)
    body: bytes = field(repr=False, compare=False)  # the service's own words

    @classmethod
    def from_wire(cls, body: bytes) -> Self:
        """The body of an answer → a typed answer.

        Raises:
            ValueError, KeyError, TypeError: The body is not such an answer.
        """
        answer = json.loads(body)
        return cls(
            ModelVersion.from_wire(answer["model"]),
            int(answer["random_seed"]),
            tuple(png(uri) for uri in answer["images"]),
            tuple(int(digit) for digit in answer["digits"]),
            tuple(vector(row) for row in answer["z"]),
            tuple(vector(row) for row in answer["w"]),
            body,
        )


@dataclass(frozen=True)
class ProjectionAnswer:
    """For each picture of a call, in order, the latent vector that comes closest to it."""

    model: ModelVersion
    latents: tuple[Vector, ...]
    images: tuple[bytes, ...] = field(repr=False)
    losses: tuple[float, ...]
    psnr: tuple[float | None, ...]  # decibels; None: no difference at all
    body: bytes = field(repr=False, compare=False)

    @classmethod
    def from_wire(cls, body: bytes) -> Self:
        """The body of an answer → a typed answer; raises as `GeneratedAnswer.from_wire`."""
        answer = json.loads(body)
        return cls(
            ModelVersion.from_wire(answer["model"]),
            tuple(vector(row) for row in answer["latents"]),
            tuple(png(uri) for uri in answer["images"]),
            tuple(float(loss) for loss in answer["losses"]),
            tuple(None if value is None else float(value) for value in answer["psnr"]),
            body,
        )
