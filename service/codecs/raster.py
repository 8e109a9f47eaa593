"""An opened Pillow image → uint8 array, exactly: transparency, 16 bits, palettes, CMYK, rotation.

It knows no bytes, no HTTP and no model. Grey pictures keep one channel. Pillow's own conversions
clip 16-bit grey to two levels, show the hidden colour of transparent pixels and misread the
transparent grey of pictures with 2 or 4 bits; hence this module.
"""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

_ORIENTATION = 0x0112
_SHORT = 3
_MOST_TAGS = 1000
# 65535 → 255: v · 255 / 65535 = v / 257, rounded.
_EIGHT_BITS = ((np.arange(65536) + 128) // 257).astype(np.uint8)
# What a PNG's transparent grey is multiplied with to name a grey of the decoded picture.
_KEY_SCALE = {"L;2": 85, "L;4": 17}


def rasterize(image: Image.Image, *, grey: bool = False) -> Pixels:
    """Decode an image; whatever Pillow raises on damaged bytes passes through.

    Args:
        image: opened, decoded or not; of an animation its first frame counts.
        grey: colour may come out as its luminance where that saves work.

    Returns:
        uint8 [H, W, 1] for a grey image, else [H, W, 3]; upright, laid on white; may be read-only.
    """
    rawmode = _rawmode(image)
    image.load()
    exif = image.info.get("exif")
    pixels = _pixels(image, rawmode, grey)
    return _upright(pixels, orientation(exif)) if isinstance(exif, bytes) else pixels


def orientation(exif: bytes) -> int:
    """Read the EXIF orientation, 1 to 8; 1 (upright) when EXIF is broken or says nothing."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, start)
        for entry in range(start + 2, start + 2 + 12 * min(count, _MOST_TAGS), 12):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, entry)
            if tag == _ORIENTATION:
                return int(value) if kind == _SHORT and 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def _rawmode(image: Image.Image) -> str:
    """Name the sample format inside a PNG, such as "L;4"; it is gone once the image is loaded."""
    tiles: list[Any] = getattr(image, "tile", [])
    return tiles[0][3] if image.format == "PNG" and tiles else ""


def _pixels(image: Image.Image, rawmode: str, grey: bool) -> Pixels:
    if image.mode == "P":
        return _paletted(image)
    if image.mode.startswith("I"):
        return _sixteen_bits(image)
    if "transparency" in image.info and image.mode in ("1", "L", "RGB"):
        image = _with_key_as_alpha(image, rawmode)
    if image.mode not in ("L", "RGB"):
        image = _plain(image, grey)
    if grey and image.mode == "RGB":
        image = image.convert("L")
    pixels = np.frombuffer(image.tobytes(), np.uint8).reshape(image.height, image.width, -1)
    # Pillow has no 16-bit grey with alpha and hands it out as three equal colours.
    return np.ascontiguousarray(pixels[..., :1]) if rawmode == "LA;16B" else pixels


def _plain(image: Image.Image, grey: bool) -> Image.Image:
    """Bring any remaining mode to L or RGB (L if `grey`), transparent parts laid on white."""
    if image.mode == "1":
        return image.convert("L")
    if image.mode not in ("LA", "RGBA"):
        return image.convert("RGB")
    opaque_mode = image.mode[:-1]
    if image.getchannel("A").tobytes() == b"\xff" * (image.width * image.height):
        return image.convert("L" if grey else opaque_mode)
    white = Image.new(opaque_mode, image.size, "white")
    white.paste(image, mask=image)
    return white


def _with_key_as_alpha(image: Image.Image, rawmode: str) -> Image.Image:
    """Turn the one transparent grey or colour of an image into an alpha channel."""
    key = image.info["transparency"]
    if rawmode == "RGB;16B":
        key = tuple(value >> 8 for value in key)
    elif isinstance(key, int):
        key = key * _KEY_SCALE.get(rawmode, 1) & 255
    else:
        key = tuple(value & 255 for value in key)
    image.info["transparency"] = key
    return image.convert("RGBA" if image.mode == "RGB" else "LA")


def _paletted(image: Image.Image) -> Pixels:
    """Look colours up in a palette that is laid on white first, so that no pixel has to be."""
    colours = np.zeros((256, 3), np.uint32)
    given = np.array(image.getpalette("RGB") or [], np.uint32).reshape(-1, 3)[:256]
    colours[: len(given)] = given
    alpha = np.full((256, 1), 255, np.uint32)
    key = image.info.get("transparency")
    if isinstance(key, bytes):
        alpha[: len(key), 0] = np.frombuffer(key[:256], np.uint8)
    elif isinstance(key, int):
        alpha[key] = 0
    table = ((colours * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    if (table == table[:, :1]).all():
        table = table[:, :1]
    index = np.frombuffer(image.tobytes(), np.uint8).reshape(image.height, image.width)
    return table[index]


def _sixteen_bits(image: Image.Image) -> Pixels:
    values = np.asarray(image)
    if image.mode == "I":
        values = np.clip(values, 0, 65535)
    grey: Pixels = _EIGHT_BITS[values]
    key = image.info.get("transparency")
    if isinstance(key, int):
        grey[values == key] = 255
    return grey[..., np.newaxis]


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """Undo the rotation and mirroring that an EXIF orientation, 1 to 8, stands for."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
