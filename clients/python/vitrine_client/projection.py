"""The answers of `/v1/gan/project`, whole or streamed."""

import json
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from vitrine_client._transport.decoding import decode
from vitrine_client.types import ModelAnswer, PreparedImage, PreparedImageOptions, Vector

Loss = Literal["perceptual", "pixel"]
Start = Literal["encoder", "mean"]


class ProjectionOptions(PreparedImageOptions, total=False):
    """Projection options; omitted ones, or None, have the service's defaults."""

    steps: int | None  # steps of gradient descent, 1 to 1000; default: 100
    loss: Loss | None  # loss to minimize; default: perceptual
    start: Start | None  # start from the encoder's estimate or the mean; default: encoder


@dataclass(frozen=True)
class ProjectionAnswer(ModelAnswer):
    """The closest latent vector of each image of a call, in order."""

    latents: tuple[Vector, ...] = field(repr=False)
    images: tuple[bytes, ...] = field(repr=False)  # PNG files: the images of the latents
    losses: Vector
    psnr: tuple[float | None, ...]  # decibels; None: identical images
    inputs: tuple[PreparedImage, ...] = ()  # with return_input


@dataclass(frozen=True)
class ProjectionStep:
    """The loss of the projection of image `index` after a number of steps."""

    index: int
    step: int
    loss: float
    image: bytes = field(repr=False)  # a PNG file
    body: str = field(default="", repr=False, compare=False)  # the service's JSON


ProjectionEvent: TypeAlias = ProjectionStep | ProjectionAnswer  # True for the last step


def projection_event(data: str) -> ProjectionEvent:
    """One event of a stream → a step, or the answer.

    Raises:
        ValueError, KeyError, TypeError: It is neither.
    """
    wire = json.loads(data)
    if "step" in wire:
        return decode(ProjectionStep, wire, body=data)
    return decode(ProjectionAnswer, wire, body=data.encode())
