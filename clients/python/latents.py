"""What the service answers about latent spaces, as typed values. Pictures are the bytes of PNG files."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias, cast

from clients.python.pictures import Picture, encode_pictures
from clients.python.types import ModelVersion

Vector: TypeAlias = tuple[float, ...]
End: TypeAlias = "int | Sequence[float] | Picture"  # a random seed, a latent vector or a picture


@dataclass(frozen=True)
class PicturesAnswer:
    """Pictures in order, with the latent vectors they stand for where the service tells them."""

    model: ModelVersion
    images: tuple[bytes, ...] = field(repr=False)
    latents: tuple[Vector, ...]
    random_seed: int | None  # that gives the same again; None: nothing was drawn
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
            tuple(png(image) for image in answer["images"]),
            tuple(vector(z) for z in answer.get("latents", ())),
            answer.get("random_seed"),
            body,
        )


@dataclass(frozen=True)
class Encoding:
    """Where a picture lies: a normal distribution over the latent space."""

    z_mean: Vector
    z_log_var: Vector
    kl: float  # nats from the standard normal distribution

    @classmethod
    def from_wire(cls, encoding: Mapping[str, Any]) -> Self:
        """One element of the answer's `encodings` → an encoding."""
        return cls(vector(encoding["z_mean"]), vector(encoding["z_log_var"]), float(encoding["kl"]))


@dataclass(frozen=True)
class Reconstruction:
    """A picture after the bottleneck; the losses are in nats, their sum is the anomaly score."""

    image: bytes = field(repr=False)
    z: Vector
    noise: Vector
    reconstruction_loss: float
    kl: float
    anomaly_score: float

    @classmethod
    def from_wire(cls, row: Mapping[str, Any]) -> Self:
        """One element of the answer's `reconstructions` → a reconstruction."""
        return cls(
            png(row["image"]),
            vector(row["z"]),
            vector(row["noise"]),
            float(row["reconstruction_loss"]),
            float(row["kl"]),
            float(row["anomaly_score"]),
        )


@dataclass(frozen=True)
class EncodingsAnswer:
    """The encodings of all pictures of a call, in their order."""

    model: ModelVersion
    encodings: tuple[Encoding, ...]
    body: bytes = field(repr=False, compare=False)

    @classmethod
    def from_wire(cls, body: bytes) -> Self:
        """The body of an answer → a typed answer; raises as `PicturesAnswer.from_wire`."""
        answer = json.loads(body)
        rows = tuple(Encoding.from_wire(each) for each in answer["encodings"])
        return cls(ModelVersion.from_wire(answer["model"]), rows, body)


@dataclass(frozen=True)
class ReconstructionsAnswer:
    """The reconstructions of all pictures of a call, in their order."""

    model: ModelVersion
    reconstructions: tuple[Reconstruction, ...]
    body: bytes = field(repr=False, compare=False)

    @classmethod
    def from_wire(cls, body: bytes) -> Self:
        """The body of an answer → a typed answer; raises as `PicturesAnswer.from_wire`."""
        answer = json.loads(body)
        rows = tuple(Reconstruction.from_wire(each) for each in answer["reconstructions"])
        return cls(ModelVersion.from_wire(answer["model"]), rows, body)


def end_on_wire(end: "End") -> Any:
    """One end of a way as the service takes it."""
    if isinstance(end, int):
        return {"random_seed": end}
    if isinstance(end, list | tuple):
        return [float(number) for number in end]
    [file] = encode_pictures(cast("Picture", end))
    return base64.b64encode(file).decode()


def png(uri: str) -> bytes:
    """The file in a data URI."""
    return base64.b64decode(uri.partition(",")[2], validate=True)


def vector(numbers: Sequence[Any]) -> Vector:
    """A list of numbers off the wire."""
    return tuple(float(number) for number in numbers)
