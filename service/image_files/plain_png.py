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

from service.image_files.raster import Pixels, image_and_pixels

_START = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
# Alpha 255 after filtering: [in the first row or below, filter, in the first pixel or behind], in the place of RGBA's alpha.
_OPAQUE = (
    np.array(
        [
            [[255, 255], [255, 0], [255, 255], [255, 128], [255, 0]],
            [[255, 255], [255, 0], [0, 0], [128, 0], [0, 0]],
        ],
        np.uint32,
    )
    << 24
)
_HEADER = struct.Struct(">IIBB3sI")  # width, height, depth, colour type, three methods, CRC
_zip_decoder = Image.core.zip_decoder  # type: ignore[attr-defined]  # as plugins do
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

    def decode(self, *, grey: bool = False) -> Image.Image | Pixels:
        """Decode; ValueError if the data do not match the header exactly.

        Args:
            grey: whether an opaque image of grey colours may be decoded as a grey one.

        Returns:
            uint8 [H, W, 1] of a grey image; else Pillow's.
        """
        rows = self._inflated()
        if self.mode == "L":
            return self._grey_pixels(self.compressed if rows is None else _stored(rows))
        size = (self.width, self.height)
        if rows is None:  # Pillow inflates them, and decides what is wrong with them
            return Image.frombytes(self.mode, size, self.compressed, "zip", self.mode)
        if grey and self.mode == "RGBA" and (plane := _grey_plane(rows, *size)) is not None:
            return self._grey_pixels(_stored(plane))
        return Image.frombytes(self.mode, size, _stored(rows), "zip", self.mode)

    def _grey_pixels(self, compressed: bytes) -> Pixels:
        """The decoder of `Image.frombytes` of mode L, without its copies."""
        image, pixels = image_and_pixels("L", self.width, self.height)
        decoder = _zip_decoder("L", "L")
        decoder.setimage(image, (0, 0, self.width, self.height))
        consumed, problem = decoder.decode(compressed)
        if consumed >= 0 or problem:
            raise ValueError("the pixels are not those that the header states")
        return pixels

    def _inflated(self) -> bytes | None:
        """The filtered rows, if they are as long as the header states and not too few or too many for zlib-ng."""
        length = self.height * (1 + self.width * len(self.mode))
        if length not in _INFLATED_HERE:
            return None
        inflater = zlib_ng.decompressobj()
        try:
            rows = inflater.decompress(self.compressed, length + 1)
        except zlib_ng.error:  # type: ignore[misc]  # its stub states an instance
            return None
        return rows if inflater.eof and len(rows) == length else None


def _stored(rows: bytes | Pixels) -> bytes:
    """In zlib's format without compression, for Pillow: zlib-ng inflates drawings many times faster."""
    return zlib_ng.compress(rows, 0)


def _grey_plane(rows: bytes, width: int, height: int) -> Pixels | None:
    """The filtered rows of an opaque, grey RGBA image with one byte a pixel; None if it is another image.

    A filter takes each channel by itself, with the same channel of neighbours: what is equal in
    all channels is equal after filtering, and what is opaque becomes `_OPAQUE`.
    """
    lines = np.frombuffer(rows, np.uint8).reshape(height, 1 + 4 * width)
    filters = lines[:, 0]
    if filters.max() >= _OPAQUE.shape[1]:
        return None  # damaged
    pixels = np.ascontiguousarray(lines[:, 1:]).view("<u4")
    alpha = _OPAQUE[1, filters]
    alpha[0] = _OPAQUE[0, filters[0]]
    rest = pixels & np.uint32(0xFF)  # the lowest byte: red
    rest *= np.uint32(0x010101)
    rest ^= pixels  # of a grey pixel, its alpha
    if not ((rest[:, 0] == alpha[:, 0]).all() and (rest[:, 1:] == alpha[:, 1:]).all()):
        return None
    plane = np.empty((height, 1 + width), np.uint8)
    plane[:, 0] = filters
    plane[:, 1:] = pixels
    return plane


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
