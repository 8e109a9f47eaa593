"""An opened Pillow image → exact uint8 array: transparency, 16 bits, palettes, CMYK, rotation.

Grey images keep one channel. This module exists because Pillow's own conversions clip 16-bit grey to two
levels, show the hidden colour of transparent pixels and misread the transparent grey of images with
2 or 4 bits.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
_map_buffer = Image.core.map_buffer  # type: ignore[attr-defined]  # as Pillow's `ImageFile` does

# Factor from a PNG's transparent grey to a grey level of the decoded image.
_KEY_SCALE = {"L;2": 85, "L;4": 17}
_DEPTHS = (8, 10, 12, 16)  # bits of a 16-bit sample that some cameras and scanners use
_WHITE, _BLACK = 255, 0
_OPAQUE_ENOUGH = 128  # minimum alpha of pixels that decide the background
_LIGHT = 128  # luminance of a light stroke
_MEAN_LIGHT = 170  # mean luminance of light strokes
_DARK_SHARE = 0.005  # maximum share of dark pixels among light strokes
_LUMINANCE = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, as Pillow
_SAMPLE = 500_000  # number of pixels sampled to choose the background


def image_and_pixels(mode: str, width: int, height: int) -> tuple[Any, Pixels]:
    """An image of Pillow's core for a decoder that sets every pixel, and its memory: uint8 [H, W, 1] for mode "L", else [H, W, 4].

    Pillow clears the memory of a new image, and copies grey pixels to bytes, while it holds the
    interpreter: 26 and 6 ms of 12 megapixels. With NumPy's memory it does neither.
    """
    pixels = np.empty((height, width, 1 if mode == "L" else 4), np.uint8)
    return _map_buffer(pixels, (width, height), "raw", 0, (mode, 0, 1)), pixels


def rasterize(image: Image.Image, orientation: int = 1, *, grey: bool = False) -> Pixels:
    """Decode an image; Pillow's exceptions for damaged bytes pass through.

    Args:
        image: opened, decoded or not; of an animation its first frame counts.
        orientation: EXIF's, 1 to 8.
        grey: colour may be converted to luminance if that saves work.

    Returns:
        uint8 [H, W, 1] for a grey image, else [H, W, 3]; upright, transparent parts laid on white
        (light strokes on a transparent background: on black); may be read-only.
    """
    rawmode = _rawmode(image)
    image.load()
    return upright(_pixels(image, rawmode, grey), orientation)


def _rawmode(image: Image.Image) -> str:
    """The sample format of a PNG, such as "L;4"; only known before the image is loaded."""
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
    if rawmode.endswith(";16B"):  # Pillow keeps the upper byte of each sample
        pixels = _stretched(pixels)
    # Pillow has no 16-bit grey with alpha and returns three equal colours.
    return np.ascontiguousarray(pixels[..., :1]) if rawmode == "LA;16B" else pixels


def _plain(image: Image.Image, grey: bool) -> Image.Image:
    """Convert any remaining mode to L or RGB (L if `grey`), without transparency."""
    if image.mode == "1":
        return image.convert("L")
    if image.mode not in ("LA", "RGBA"):
        return image.convert("RGB")
    opaque_mode = image.mode[:-1]
    alpha = np.frombuffer(image.getchannel("A").tobytes(), np.uint8)
    # A 32-bit BMP whose alpha is 0 everywhere has none: its fourth byte is unused.
    if alpha.min() == 255 or (image.format == "BMP" and not alpha.any()):
        return image.convert("L" if grey else opaque_mode)  # for RGBA the same as via RGB
    level = _background(*_alpha_and_luminance(image))
    ground = Image.new(opaque_mode, image.size, (level,) * len(opaque_mode))
    ground.paste(image, mask=image)
    return ground


def _alpha_and_luminance(image: Image.Image) -> tuple[NDArray[Any], NDArray[Any]]:
    """[H, W] each, of an LA or RGBA image."""
    return np.asarray(image.getchannel("A")), np.asarray(
        image.convert(image.mode[:-1]).convert("L")
    )


def _background(alpha: NDArray[Any], luminance: NDArray[Any]) -> int:
    """The background colour: white, or black for light strokes on a transparent background.

    alpha, luminance: [H, W], 0 to 255.
    """
    edge = np.concatenate((alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]))
    if 2 * np.count_nonzero(edge) > edge.size:
        return _WHITE
    step = max(1, round((alpha.size / _SAMPLE) ** 0.5))
    seen = luminance[::step, ::step][alpha[::step, ::step] >= _OPAQUE_ENOUGH]
    return _BLACK if _is_light(seen) else _WHITE


def _is_light(luminance: NDArray[Any]) -> bool:
    """Whether the visible pixels [N] are light strokes."""
    if not luminance.size or luminance.mean() < _MEAN_LIGHT:
        return False
    return bool(np.count_nonzero(luminance < _LIGHT) <= _DARK_SHARE * luminance.size)


def _stretched(upper: Pixels) -> Pixels:
    """Upper bytes of 16-bit samples, scaled up if only the lower bits of the samples are used."""
    depth = _depth(int(upper.max()) << 8 | 255)
    if depth == 16:
        return upper
    scaled: Pixels = np.rint(upper * (255 / (2 ** (depth - 8) - 1 or 1))).astype(np.uint8)
    return scaled


def _depth(largest: int) -> int:
    """The number of bits in use, from the largest value."""
    return next(depth for depth in _DEPTHS if largest < 1 << depth)


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
    """Look up colours in a palette without transparency; no compositing is needed."""
    colours = np.zeros((256, 3), np.uint32)
    given = np.array(image.getpalette("RGB") or [], np.uint32).reshape(-1, 3)[:256]
    colours[: len(given)] = given
    alpha = np.full((256, 1), 255, np.uint32)
    key = image.info.get("transparency")
    if isinstance(key, bytes):
        alpha[: len(key), 0] = np.frombuffer(key[:256], np.uint8)
    elif isinstance(key, int):
        alpha[key] = 0
    index = np.frombuffer(image.tobytes(), np.uint8).reshape(image.height, image.width)
    ground = _WHITE
    if alpha.min() < 255:
        ground = _background(alpha[index, 0], (colours @ _LUMINANCE).astype(np.uint8)[index])
    table = ((colours * alpha + ground * (255 - alpha) + 127) // 255).astype(np.uint8)
    if (table == table[:, :1]).all():
        table = table[:, :1]
    return table[index]


def _sixteen_bits(image: Image.Image) -> Pixels:
    values = np.asarray(image)
    if image.mode == "I":
        values = np.clip(values, 0, 65535)
    key = image.info.get("transparency")
    is_clear = values == key if isinstance(key, int) else None
    depth = _depth(
        int(values.max() if is_clear is None else values.max(initial=0, where=~is_clear))
    )
    most = (1 << depth) - 1
    scale = ((np.arange(most + 1) * 255 + most // 2) // most).astype(np.uint8)
    grey: Pixels = scale[np.minimum(values, most)]
    if is_clear is not None:
        grey[is_clear] = _background(np.where(is_clear, 0, 255), grey)
    return grey[..., np.newaxis]


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Undo the rotation and mirroring of an EXIF orientation, 1 to 8."""
    if orientation == 1:
        return pixels
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
