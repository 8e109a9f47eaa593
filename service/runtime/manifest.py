"""The manifest of a version, `assets.extra/manifest.json`, parsed and validated."""

import json
import math
from pathlib import Path
from typing import Final, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from service.engine import EngineName
from service.runtime.latent_space import Direction, LatentSizes
from service.runtime.signature import SignatureSpec

EXTRA = "assets.extra"
FORMAT: Final = 1  # version of the manifest's keys and their meaning; without the key it is 1
# Signatures used by the routes of a task, with the form of their tensors.
REQUIRED_SIGNATURES = {
    "autoencode_image": {
        "encode": {"images": "uint8 [B,28,28,1]"},
        "decode": {},
        "reconstruct": {"images": "uint8 [B,28,28,1]"},
    },
    "generate_image": {
        "sample": {"z": "float32 [B,{z}]", "digit": "int32 [B]", "truncation": "float32 [B]"},
        "synthesize": {"w": "float32 [B,{w}]"},
        "encode": {"images": "uint8 [B,28,28,1]"},
        "discriminate": {"images": "uint8 [B,28,28,1]"},
        "project": {
            "images": "uint8 [B,28,28,1]",
            **dict.fromkeys("wmv", "float32 [B,{w}]"),
            **dict.fromkeys(("step", "steps", "total_steps", "loss"), "int32 [B]"),
        },
    },
}


class ManifestError(Exception):
    """A version directory has no valid manifest, or does not match it."""


class InputSpec(BaseModel):
    """The image a model takes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    height: int = Field(ge=1)
    width: int = Field(ge=1)
    channels: int = Field(ge=1, le=4)
    resize: Literal["bilinear"] = "bilinear"  # without antialiasing, as in tf.image.resize
    crop: float = Field(1.0, gt=0, le=1)  # fraction of a photo's shorter side that is kept


class Manifest(BaseModel):
    """Every key of a manifest of format 1.

    An unknown key is an error: a default in place of a renamed key would serve the model wrongly
    or slowly without an error. A new key needs a new field here, a changed meaning a new FORMAT.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = FORMAT
    name: str
    version: int = Field(ge=0)
    task: str
    framework: str = ""
    input: InputSpec | None = None
    labels: list[tuple[str, str]] = []
    vocabulary: list[str] = []  # the characters of a text model, in the order of their ids
    steps: int = Field(1, ge=1, le=4096)  # the size T of the time dimension of arrays
    signatures: dict[str, SignatureSpec]
    scores: str | None = None  # a classifier's scores: "probability" or "decision"
    compiled: bool = False  # the signatures are compiled with XLA
    engines: dict[str, EngineName] = {}  # signature → engine; default: tensorflow
    backbone: str | None = None  # signature whose outputs are inputs of the other ONNX graphs
    max_batch_size: int = Field(ge=1, le=1024)
    batch_sizes: list[int] = []  # allowed batch sizes; none: powers of two
    batch_limits: dict[str, int] = {}  # signature → maximum rows per run; default: max_batch_size
    tolerance: dict[str, float] = {}
    card: str | None = None
    origin: str | None = None  # released, trained, adopted or imported; checked by the next export
    release: str | None = None
    files: dict[str, str] = {}
    latents: LatentSizes | None = None
    w_mean: list[float] = []
    w_std: float | None = None  # root mean square of w's distance from its mean
    directions: dict[str, Direction] = {}

    @field_validator("vocabulary")
    @classmethod
    def _check_vocabulary(cls, characters: list[str]) -> list[str]:
        if any(len(character) != 1 for character in characters):
            raise ValueError("each entry must be one character")
        if len(set(characters)) != len(characters):
            raise ValueError("each character must occur once")
        return characters

    @model_validator(mode="after")
    def _check_batch_sizes(self) -> "Manifest":
        if self.batch_sizes and (
            min(self.batch_sizes) < 1 or max(self.batch_sizes) != self.max_batch_size
        ):
            raise ValueError("the largest of batch_sizes must be max_batch_size")
        for name, limit in self.batch_limits.items():
            if name not in self.signatures or not 1 <= limit <= self.max_batch_size:
                raise ValueError(f"batch_limits: {name} has no signature or no such limit")
        return self

    @model_validator(mode="after")
    def _check_backbone(self) -> "Manifest":
        if self.backbone is None:
            return self
        if self.backbone not in self.signatures:
            raise ValueError(f"backbone must be a signature, got {self.backbone!r}")
        inputs = self.signatures[self.backbone].inputs
        if any(signature.inputs != inputs for signature in self.signatures.values()):
            raise ValueError("with a backbone all signatures must have the backbone's inputs")
        return self

    @model_validator(mode="after")
    def _check_latents(self) -> "Manifest":
        if self.task != "generate_image":
            return self
        if self.latents is None or not self.labels:
            raise ValueError("a generate_image model must have latents and labels")
        vectors = [self.w_mean, *(direction.vector for direction in self.directions.values())]
        if any(len(vector) != self.latents.w for vector in vectors):
            raise ValueError(f"w_mean and each direction must have {self.latents.w} values")
        if not all(map(math.isfinite, self.w_mean)):
            raise ValueError("w_mean must have finite values")
        return self

    @model_validator(mode="after")
    def _check_signatures(self) -> "Manifest":
        sizes = self.latents.model_dump() if self.latents else {}
        for name, inputs in REQUIRED_SIGNATURES.get(self.task, {}).items():
            signature = self.signatures.get(name)
            if signature is None:
                raise ValueError(f"a {self.task} model needs the signature {name}")
            for key, form in inputs.items():
                expected = form.format(**sizes)
                if signature.inputs.get(key) != expected:
                    raise ValueError(
                        f"{name} takes {key} as {expected!r}, the manifest says {signature.inputs.get(key)!r}"
                    )
        return self

    @model_validator(mode="after")
    def _check_classifier(self) -> "Manifest":
        """Check that a classifier takes the described images and gives one value per label."""
        if self.task != "classify_image":
            return self
        taken, signature = self.input, self.signatures.get("serving_default")
        if taken is None or taken.channels not in (1, 3) or signature is None:
            raise ValueError(
                "a classify_image model must have an input of 1 or 3 channels and the signature "
                "serving_default"
            )
        expected = f"uint8 [B,{taken.height},{taken.width},{taken.channels}]"
        if signature.inputs != {"images": expected}:
            raise ValueError(
                f"serving_default takes images as {expected!r}, the manifest says {signature.inputs}"
            )
        scores = signature.outputs.get("probabilities") or signature.outputs.get("scores")
        if not self.labels or scores != f"float32 [B,{len(self.labels)}]":
            raise ValueError(
                "serving_default must give probabilities or scores, one value for each of the "
                f"{len(self.labels)} labels; the manifest says {signature.outputs}"
            )
        return self

    @property
    def reference(self) -> dict[str, str | int]:
        """Name and version, as in every answer."""
        return {"name": self.name, "version": self.version}

    def batch_limit(self, signature: str) -> int:
        """The maximum rows per run of the signature."""
        return self.batch_limits.get(signature, self.max_batch_size)


def read_manifest(directory: Path) -> Manifest:
    """Parse the manifest of a version directory, and check its name and version."""
    path = directory / EXTRA / "manifest.json"
    try:
        manifest = Manifest.model_validate(json.loads(path.read_bytes()))
    except FileNotFoundError:
        raise ManifestError(f"{EXTRA}/manifest.json is missing") from None
    except ValidationError as error:
        raise ManifestError(f"{EXTRA}/manifest.json: {_sentence(error)}") from None
    except (OSError, ValueError) as error:
        raise ManifestError(f"{EXTRA}/manifest.json cannot be read: {error}") from None
    placed = (directory.parent.name, directory.name)
    if (manifest.name, str(manifest.version)) != placed:
        raise ManifestError(
            f"the manifest is of {manifest.name}/{manifest.version}, the directory {'/'.join(placed)}"
        )
    return manifest


def _sentence(error: ValidationError) -> str:
    """The first error of a manifest, as a sentence."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if where == "format":
        return (
            f"format must be {FORMAT}, got {first['input']!r}: a newer version of Vitrine exported "
            "this model; update the service"
        )
    if first["type"] == "extra_forbidden":
        return (
            f"{where} must be a key of format {FORMAT}, got an unknown one; export the model again, "
            "or update the service"
        )
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" if where else message
