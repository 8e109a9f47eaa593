"""Validates the manifest's description of a GAN's latent spaces.

The mapping network maps z to w; w is the input of the synthesis layers.
"""

import math
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator


class LatentSizes(BaseModel):
    """The dimensions of z and w, and the ranges of w for the coarse and the fine layers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    z: int = Field(ge=1)
    w: int = Field(ge=1)
    coarse: tuple[int, int]  # start and end of the range
    fine: tuple[int, int]

    @model_validator(mode="after")
    def _check_parts(self) -> "LatentSizes":
        for name, (start, end) in (("coarse", self.coarse), ("fine", self.fine)):
            if not 0 <= start < end <= self.w:
                raise ValueError(f"{name} is not a part of w's {self.w} numbers")
        return self


class Direction(BaseModel):
    """A direction in w that increases one attribute, with its measured effect."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vector: list[float]  # of unit length
    sigma: float = Field(gt=0)  # standard deviation of w along the direction
    unit: str = ""  # unit of the attribute
    per_sigma: float | None = None  # change of the attribute for one sigma
    rho: float | None = None  # Spearman correlation of strength and attribute
    leakage: dict[str, float] = {}  # the same for the other attributes
    class_kept: dict[str, Any] = {}

    @model_validator(mode="after")
    def _check_numbers(self) -> "Direction":
        if not all(map(math.isfinite, [*self.vector, self.sigma])):
            raise ValueError("a direction must have finite values")
        return self
