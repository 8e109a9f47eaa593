"""Decodes plain PNG files without Pillow's reader: header and compressed pixels only, 8 bits, not interlaced.

Most files of browsers, camera apps and image libraries are plain once their metadata is removed.
Pillow's decoder is called directly with the pixels, without the Python code that reads the file; the
result is the same. Source: the PNG specification (11.2.2 IHDR, 11.2.4 IDAT).
"""

import struct
import zlib
from typing import NamedTuple

import numpy as np
from PIL import Image
from zlib_ng import zlib_ng

from service.image_files.raster import Pixels

_START = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_HEADER = struct.Struct(">IIBB3sI")  # width, height, depth, colour type, three methods, CRC
_zip_decoder, _raw_encoder = Image.core.zip_decoder, Image.core.raw_encoder  # type: ignore[attr-defined]
_END = b"\0\0\0\0IEND\xaeB`\x82"
_INFLATED_HERE = range(
    2**14, 2**22
)  # bytes of pixels: fewer are not worth it, more would be there three times
_MODES = {0: "L", 2: "RGB", 6: "RGBA"}  # colour type → Pillow's mode
_HEADER_END = 33  # of signature and IHDR
_MOST_CHUNKS = 1000  # maximum IDAT chunks; files with more use Pillow's reader, which counts them


class PlainPng(NamedTuple):
    """The header's width, height and Pillow's mode, the compressed pixels, the file and its chunks."""

    width: int
    height: int
    mode: str
    compressed: bytes
    content: bytes
    chunks: int

    def load(self) -> Image.Image:
        """Decode; ValueError if the data do not match the header exactly."""
        size = (self.width, self.height)
        return Image.frombytes(self.mode, size, self._inflated(), "zip", self.mode)

    def grey_pixels(self) -> Pixels:
        """Decode an image of mode L, uint8 [H, W, 1], read-only; ValueError as `load`.

        The codecs of `Image.frombytes` and `tobytes`, in half of their time for a small image.
        """
        size = (self.width, self.height)
        box = (0, 0, *size)
        image = Image.core.new("L", size)  # type: ignore[attr-defined]  # as plugins do
        decoder = _zip_decoder("L", "L")
        decoder.setimage(image, box)
        consumed, problem = decoder.decode(self._inflated())
        if consumed >= 0 or problem:
            raise ValueError("the pixels are not those that the header states")
        encoder = _raw_encoder("L", "L")
        encoder.setimage(image, box)
        _, _, content = encoder.encode(self.width * self.height)
        return np.frombuffer(content, np.uint8).reshape(self.height, self.width, 1)

    def _inflated(self) -> bytes:
        """The pixels without compression, in zlib's format: zlib-ng inflates drawings many times faster than Pillow."""
        length = self.height * (1 + self.width * len(self.mode))
        if length not in _INFLATED_HERE:
            return self.compressed
        inflater = zlib_ng.decompressobj()
        try:
            rows = inflater.decompress(self.compressed, length + 1)
        except zlib_ng.error:  # type: ignore[misc]  # its stub states an instance
            return self.compressed  # Pillow decides
        return (
            zlib_ng.compress(rows, 0) if inflater.eof and len(rows) == length else self.compressed
        )


def read_plain_png(content: bytes) -> PlainPng | None:
    """The parts of a plain PNG; None if the file is of another kind, or invalid outside its pixels."""
    if not (content.startswith(_START) and content.endswith(_END)):
        return None
    width, height, depth, colour, methods, crc = _HEADER.unpack_from(content, 16)
    mode = _MODES.get(colour)
    if not (width and height and mode) or depth != 8 or methods != b"\0\0\0":
        return None
    if zlib.crc32(content[12:29]) != crc:
        return None
    parts = _pixel_chunks(content)
    if not parts:
        return None
    compressed = parts[0] if len(parts) == 1 else b"".join(parts)
    return PlainPng(width, height, mode, compressed, content, len(parts) + 2)


def _pixel_chunks(content: bytes) -> list[bytes]:
    """The content of the IDAT chunks; empty if there are other chunks, or too many."""
    parts: list[bytes] = []
    start, end = _HEADER_END, len(content) - len(_END)
    while start < end:
        if len(parts) == _MOST_CHUNKS or content[start + 4 : start + 8] != b"IDAT":
            return []
        data_end = start + 8 + int.from_bytes(content[start : start + 4], "big")
        parts.append(content[start + 8 : data_end])
        start = data_end + 4
    return parts if start == end else []
