"""Images in any supported form → the bytes of an image file.

Pillow and NumPy are only imported if the caller passes one of their objects.
"""

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from vitrine_client.errors import UnreadableImage

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

Array: TypeAlias = "np.ndarray[Any, Any]"
ImageLike: TypeAlias = "str | os.PathLike[str] | bytes | Image.Image | Array"
ImagesLike: TypeAlias = "ImageLike | Sequence[ImageLike]"


def encode_images(images: ImagesLike) -> list[bytes]:
    """One image, several, or an array [N, H, W] or [N, H, W, C] → one file's bytes for each.

    Raises:
        UnreadableImage: There is no image, or one cannot be read.
    """
    separate = _separate(images)
    if not separate:
        raise UnreadableImage("at least one image must be given, got none")
    return [_encode(image) for image in separate]


def are_files(images: ImagesLike) -> bool:
    """Whether all images are already bytes of files."""
    sequence = images if isinstance(images, list | tuple) else [images]
    return all(isinstance(image, bytes) for image in sequence)


def _separate(images: ImagesLike) -> list[ImageLike]:
    if is_array(images):
        array = cast("Array", images)
        return list(array) if _holds_several(array) else [array]
    if isinstance(images, list | tuple):
        return list(images)
    return [cast("ImageLike", images)]


def _holds_several(array: Array) -> bool:
    return array.ndim == 4 or (array.ndim == 3 and array.shape[-1] not in (1, 3))


def _encode(image: ImageLike) -> bytes:
    if isinstance(image, bytes | bytearray | memoryview):
        return bytes(image)
    if isinstance(image, str | os.PathLike):
        return _read(Path(image))
    if is_array(image):
        return _png_of_array(cast("Array", image))
    if callable(getattr(image, "save", None)):
        return _png(cast("Image.Image", image))
    raise UnreadableImage(
        f"an image must be a path, bytes, a Pillow image or a NumPy array, got {type(image).__name__}"
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableImage(f"{path} cannot be read: {reason}") from error


def _png(image: "Image.Image") -> bytes:
    file = io.BytesIO()
    try:
        image.save(file, "PNG")
    except (OSError, ValueError):  # a mode that PNG does not support, such as CMYK
        file = io.BytesIO()
        image.convert("RGB").save(file, "PNG")
    return file.getvalue()


def _png_of_array(array: Array) -> bytes:
    try:
        from PIL import Image
    except ImportError as error:
        raise UnreadableImage("an array needs the package Pillow: pip install pillow") from error
    if array.ndim == 3 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.size == 0 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[-1] == 3)):
        raise UnreadableImage(
            f"an array must have the shape [H, W], [H, W, 1] or [H, W, 3], got {list(array.shape)}"
        )
    return _png(Image.fromarray(_bytes_of(array)))


def _bytes_of(array: Array) -> Array:
    """Convert numbers of any dtype to uint8; refuse values outside 0…255."""
    if array.dtype.kind == "b":
        return array.astype("uint8") * 255
    if array.dtype.kind not in "uif":
        raise UnreadableImage(f"pixels must be numbers, got {array.dtype}")
    low, high = float(array.min()), float(array.max())
    if not 0 <= low <= high <= 255:  # also refuses NaN
        raise UnreadableImage(f"pixels must be from 0 to 255, got {low:g} to {high:g}")
    if array.dtype.kind == "f" and 0 < high <= 1:
        raise UnreadableImage(
            f"pixels must be from 0 to 255, got at most {high:g}: multiply by 255"
        )
    return array.round().astype("uint8")


def is_array(candidate: object) -> bool:
    """Whether the object is a NumPy array (NumPy is then already imported)."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(candidate, numpy.ndarray)
