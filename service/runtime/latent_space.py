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


class MeasuredEffect(BaseModel):
    """The effect of moving w along a direction by its standard deviation, sigma, times a strength."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sigma: float = Field(gt=0, examples=[1.3], description="distance in w for a strength of 1")
    unit: str = Field("", examples=["px"], description="unit of the attribute")
    per_sigma: float | None = Field(
        None, examples=[0.4], description="change of the attribute for a strength of 1"
    )
    rho: float | None = Field(
        None, examples=[0.95], description="Spearman correlation with the strength"
    )
    leakage: dict[str, float] = Field({}, description="change of the other attributes")
    class_kept: dict[str, Any] = Field({}, description="share of images that stay the same digit")


class Direction(MeasuredEffect):
    """A direction in w that increases one attribute."""

    vector: list[float]  # of unit length

    @model_validator(mode="after")
    def _check_numbers(self) -> "Direction":
        if not all(map(math.isfinite, [*self.vector, self.sigma])):
            raise ValueError("a direction must have finite values")
        return self
