"""Images in every form a caller has them → the bytes of an image file.

Knows no service: what an image shows, and whether its format is accepted, is decided there.
Pillow and NumPy are touched only when the caller brings one of their objects.
"""

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from vitrine_client.errors import UnreadablePicture

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

Array: TypeAlias = "np.ndarray[Any, Any]"
Picture: TypeAlias = "str | os.PathLike[str] | bytes | Image.Image | Array"
Pictures: TypeAlias = "Picture | Sequence[Picture]"


def encode_pictures(images: Pictures) -> list[bytes]:
    """One image, several, or an array [N, H, W] or [N, H, W, C] → one file's bytes for each.

    Raises:
        UnreadablePicture: There is none, or one cannot be read.
    """
    pictures = _separate(images)
    if not pictures:
        raise UnreadablePicture("no picture was given: pass at least one")
    return [_encode(picture) for picture in pictures]


def are_files(images: Pictures) -> bool:
    """Whether they are the bytes of files already, so that nothing has to be read or encoded."""
    pictures = images if isinstance(images, list | tuple) else [images]
    return all(isinstance(picture, bytes) for picture in pictures)


def _separate(images: Pictures) -> list[Picture]:
    if is_array(images):
        array = cast("Array", images)
        return list(array) if _holds_several(array) else [array]
    if isinstance(images, list | tuple):
        return list(images)
    return [cast("Picture", images)]


def _holds_several(array: Array) -> bool:
    return array.ndim == 4 or (array.ndim == 3 and array.shape[-1] not in (1, 3))


def _encode(picture: Picture) -> bytes:
    if isinstance(picture, bytes | bytearray | memoryview):
        return bytes(picture)
    if isinstance(picture, str | os.PathLike):
        return _read(Path(picture))
    if is_array(picture):
        return _png_of_array(cast("Array", picture))
    if callable(getattr(picture, "save", None)):
        return _png(cast("Image.Image", picture))
    raise UnreadablePicture(
        f"a picture is a path, bytes, a Pillow image or a NumPy array, not {type(picture).__name__}"
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadablePicture(f"{path} cannot be read: {reason}") from error


def _png(picture: "Image.Image") -> bytes:
    file = io.BytesIO()
    try:
        picture.save(file, "PNG")
    except (OSError, ValueError):  # a mode that PNG has no word for, such as CMYK
        file = io.BytesIO()
        picture.convert("RGB").save(file, "PNG")
    return file.getvalue()


def _png_of_array(array: Array) -> bytes:
    try:
        from PIL import Image
    except ImportError as error:
        raise UnreadablePicture("an array needs Pillow to become a PNG: install pillow") from error
    if array.ndim == 3 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.size == 0 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[-1] == 3)):
        raise UnreadablePicture(
            f"an array is a picture when its shape is [H, W], [H, W, 1] or [H, W, 3], "
            f"not {list(array.shape)}"
        )
    return _png(Image.fromarray(_bytes_of(array)))


def _bytes_of(array: Array) -> Array:
    """Numbers of any kind → uint8, refusing what is not on the scale 0…255."""
    if array.dtype.kind == "b":
        return array.astype("uint8") * 255
    if array.dtype.kind not in "uif":
        raise UnreadablePicture(f"pixels are numbers, not {array.dtype}")
    low, high = float(array.min()), float(array.max())
    if not 0 <= low <= high <= 255:  # also refuses NaN
        raise UnreadablePicture(f"pixels go from 0 to 255, these from {low:g} to {high:g}")
    if array.dtype.kind == "f" and 0 < high <= 1:
        raise UnreadablePicture(f"pixels go from 0 to 255, these only to {high:g}: multiply by 255")
    return array.round().astype("uint8")


def is_array(candidate: object) -> bool:
    """Whether it is NumPy's; who has an array has imported NumPy."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(candidate, numpy.ndarray)
