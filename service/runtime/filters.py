"""The filters of a network's layers, `assets.extra/filters.npz`: how each value of a feature map is computed."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from service.runtime.manifest import EXTRA, Manifest, ManifestError

FILE = "filters.npz"
Floats = NDArray[np.float32]


class LayerFilter(BaseModel):
    """A convolution or a pooling, and its input layer."""

    model_config = ConfigDict(frozen=True, extra="ignore", arbitrary_types_allowed=True)

    kind: str
    below: str  # a layer, or "input"
    size: tuple[int, int]
    strides: tuple[int, int]
    padding: tuple[int, int]  # zero padding above and to the left
    relu: bool = False
    range: tuple[float, float] = (0.0, 1.0)  # of the network's input: the values of black and white
    kernel: Floats | None = None  # [h, w, C, N]; None: no weights
    bias: Floats | None = None  # [N]


def read_filters(directory: Path, manifest: Manifest) -> dict[str, LayerFilter]:
    """Layer → its filters, for a version with checked files; empty if it has none."""
    if f"{EXTRA}/{FILE}" not in manifest.files:
        return {}
    try:
        with np.load(directory / EXTRA / FILE, allow_pickle=False) as arrays:
            return {
                name: LayerFilter.model_validate(
                    {
                        **about,
                        "kernel": arrays.get(f"{name}/kernel"),
                        "bias": arrays.get(f"{name}/bias"),
                    }
                )
                for name, about in json.loads(str(arrays["about"])).items()
            }
    except (OSError, ValueError, KeyError, ValidationError) as error:
        raise ManifestError(f"{FILE} cannot be used: {error}") from None
