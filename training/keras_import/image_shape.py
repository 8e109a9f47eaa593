"""The shape of a network's images, from its input and the command line."""

import math
from pathlib import Path

Shape = tuple[int, int, int]  # height, width, channels


def image_shape(path: Path, found: tuple[int | None, ...], wanted: Shape | None) -> Shape:
    """The images' shape: `found` of the network, completed by `wanted` of the command line."""
    text = "[" + ", ".join("free" if size is None else str(size) for size in found) + "]"
    flat = _unflattened(found, wanted)
    if flat is not None:
        return flat
    if len(found) != 4:
        raise ValueError(
            f"{path} must take a batch of images [free, height, width, channels], got {text}; for a "
            "network of flat images give --image-shape 28x28x1"
        )
    if found[0] is not None and not (found[0] == 1 and path.is_file()):  # Keras does not insist
        raise ValueError(
            f"{path} must take any number of images, got {text}; build it with a free batch size"
        )
    if None in found[1:] and wanted is None:
        raise ValueError(
            f"{path} must have images of a known size, got {text}; give it, such as --image-shape 180x180x3"
        )
    shape = wanted or found[1:]
    if any(size not in (None, given) for size, given in zip(found[1:], shape, strict=True)):
        given_shape = "x".join(str(size) for size in shape)
        raise ValueError(
            f"--image-shape must be a shape that {path} takes, {text}, got {given_shape}"
        )
    height, width, channels = (int(size or 0) for size in shape)
    if channels not in (1, 3):
        hint = "; channels must be last" if found[1] in (1, 3) else ""
        raise ValueError(f"{path} must take images of 1 or 3 channels, got {text}{hint}")
    return height, width, channels


def _unflattened(found: tuple[int | None, ...], wanted: Shape | None) -> Shape | None:
    """The images' shape where the network takes [height, width] or [height · width · channels]."""
    if wanted is None or len(found) not in (2, 3) or None in found[1:]:
        return None
    is_grey = wanted[2] == 1 and found[1:] == wanted[:2]
    return wanted if is_grey or (len(found) == 2 and found[1] == math.prod(wanted)) else None


def input_shape(found: tuple[int | None, ...], shape: Shape) -> tuple[int, ...]:
    """The shape of one input: the network's own, or that of the images where it is free."""
    return shape if len(found) == 4 else tuple(int(size or 0) for size in found[1:])
