"""Decodes JPEG files without Pillow's reader: one frame of 8 bits, grey or of three components.

Pillow's decoder, which is libjpeg, is called directly with the whole file, without the Python code that reads it; the
result is the same. Source: ITU T.81 (B.2.2, frame header).
"""

import struct
from typing import NamedTuple

import numpy as np
from PIL import Image

from service.image_files.raster import Pixels, image_and_pixels

_FRAMES = frozenset((0xC0, 0xC1, 0xC2))  # baseline, extended and progressive, of Huffman codes
_OTHER_FRAMES = frozenset((0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)))
_WITHOUT_LENGTH = frozenset((0x01, 0xFF, *range(0xD0, 0xDA)))
_SCAN = 0xDA
_FRAME_HEADER = struct.Struct(">BHHB")  # bits, height, width, components
_MODES = {1: "L", 3: "RGB"}  # components → Pillow's mode
_SCALES = (8, 4, 2)
_jpeg_decoder, _raw_encoder = Image.core.jpeg_decoder, Image.core.raw_encoder  # type: ignore[attr-defined]


class PlainJpeg(NamedTuple):
    """The frame header's width and height, Pillow's mode, and the file."""

    width: int
    height: int
    mode: str
    content: bytes

    def decode(self, at_least: int | None = None, *, grey: bool = False) -> Pixels:
        """Decode; ValueError if libjpeg does not reach the end of the image.

        Args:
            at_least: pixels of the shorter side, down to which the image may be scaled by 1/2, 1/4 or 1/8.
            grey: whether colours are converted to luminance.

        Returns:
            uint8 [H, W, 1] or [H, W, 3], the latter read-only.
        """
        scale = self._scale(at_least) if at_least else 1
        width, height = -(-self.width // scale), -(-self.height // scale)
        image, pixels = image_and_pixels(self.mode, width, height)
        decoder = _jpeg_decoder(self.mode, self.mode, "", scale, 0)
        box = (0, 0, width, height)
        decoder.setimage(image, box)
        consumed, problem = decoder.decode(self.content)
        if consumed >= 0 or problem:
            raise ValueError("the file ends before the image does, or is damaged")
        if self.mode == "L":
            return pixels
        if grey:
            luminance, pixels = image_and_pixels("L", width, height)
            luminance.paste(image.convert("L"), box)
            return pixels
        encoder = _raw_encoder(self.mode, self.mode)
        encoder.setimage(image, box)
        _, _, content = encoder.encode(width * height * len(self.mode))
        return np.frombuffer(content, np.uint8).reshape(height, width, len(self.mode))

    def _scale(self, at_least: int) -> int:
        """As `JpegImageFile.draft`."""
        most = min(self.width, self.height) // at_least
        return next((scale for scale in _SCALES if scale <= most), 1)


def read_plain_jpeg(content: bytes) -> PlainJpeg | None:
    """The frame of a JPEG; None if the file is of another kind, or unusual before its first scan."""
    found, start = None, 2
    while start + 10 <= len(content) and content[start] == 0xFF:
        marker = content[start + 1]
        if marker == _SCAN:
            return found
        if marker in _WITHOUT_LENGTH or marker in _OTHER_FRAMES:
            return None
        if marker in _FRAMES:
            bits, height, width, components = _FRAME_HEADER.unpack_from(content, start + 4)
            mode = _MODES.get(components)
            if found or bits != 8 or not (width and height and mode):
                return None
            found = PlainJpeg(width, height, mode, content)
        start += 2 + max(2, int.from_bytes(content[start + 2 : start + 4], "big"))
    return None
