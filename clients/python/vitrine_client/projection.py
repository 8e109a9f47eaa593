"""The answers of `/v1/gan/project`, whole or streamed."""

import json
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from vitrine_client._transport.decoding import decode
from vitrine_client.types import ModelAnswer, PreparedImage, PreparedImageOptions, Vector

Loss = Literal["perceptual", "pixel"]
Start = Literal["encoder", "mean"]


class ProjectionOptions(PreparedImageOptions, total=False):
    """How to seek; what is left out, or None, is the service's default."""

    steps: int | None  # of gradient descent, 1 to 1000; absent: 100
    loss: Loss | None  # what is compared; absent: perceptual
    start: Start | None  # begin with the encoder's guess or in the middle; absent: encoder


@dataclass(frozen=True)
class ProjectionAnswer(ModelAnswer):
    """For each image of a call, in order, the latent vector that comes closest to it."""

    latents: tuple[Vector, ...] = field(repr=False)
    images: tuple[bytes, ...] = field(repr=False)  # PNG files: what is drawn of the latents
    losses: Vector
    psnr: tuple[float | None, ...]  # decibels; None: no difference at all
    inputs: tuple[PreparedImage, ...] = ()  # with return_input


@dataclass(frozen=True)
class ProjectionStep:
    """The loss of the projection of image `index` after a number of steps."""

    index: int
    step: int
    loss: float
    image: bytes = field(repr=False)  # a PNG file
    body: str = field(default="", repr=False, compare=False)  # the service's own words


ProjectionEvent: TypeAlias = ProjectionStep | ProjectionAnswer  # the answer is the last one


def projection_event(data: str) -> ProjectionEvent:
    """One event of a stream → a step, or the answer.

    Raises:
        ValueError, KeyError, TypeError: It is neither.
    """
    wire = json.loads(data)
    if "step" in wire:
        return decode(ProjectionStep, wire, body=data)
    return decode(ProjectionAnswer, wire, body=data.encode())
