"""The input scale of a network: a range of pixel values, or the preprocessing of its `keras.applications` family."""

import difflib
from collections.abc import Callable
from typing import Any

from training.pretrained import backbone

Preprocess = Callable[[Any], Any]  # float32 [B, H, W, C] in 0..255 → float32 of the same shape
RANGES: dict[str, tuple[float, float]] = {  # scale, offset
    "0..255": (1.0, 0.0),
    "0..1": (1 / 255, 0.0),
    "-1..1": (1 / 127.5, -1.0),
}


def preprocessing(name: str, channels: int) -> Preprocess:
    """Find the preprocessing of that name; one that there is not, or not for grey, is a ValueError."""
    if name in RANGES:
        scale, offset = RANGES[name]
        return lambda pixels: pixels * scale + offset
    known = backbone.architectures()
    if name not in known:
        near = difflib.get_close_matches(name, known, 3, 0.5)
        meant = f"; did you mean {' or '.join(near)}?" if near else ""
        raise ValueError(
            f"--input-range must be one of {', '.join(RANGES)}, or a network of keras.applications such as "
            f"MobileNetV2, got {name!r}{meant}"
        )
    if channels != 3:
        raise ValueError(
            f"--input-range must be one of {', '.join(RANGES)} for images of {channels} channel, got {name}"
        )
    return lambda pixels: backbone.preprocess(name, pixels)
