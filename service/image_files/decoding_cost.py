"""Estimates the cost of decoding an image file from its structure, before any of it is decoded.

A file of a few kilobytes can keep a decoder busy for minutes: a JPEG with a hundred thousand scans,
or a PNG with as many chunks. The estimate is cheap, since it only reads lengths and markers.
Sources: the PNG specification (chunks), ITU T.81 (JPEG markers), GIF89a (sub-blocks), RIFF.
"""

import struct
from typing import NamedTuple

# Processor time on one core of 2025, rounded up from measurements of Pillow 13 with its libraries.
_NANOSECONDS_A_PIXEL = {"PNG": 40, "JPEG": 8, "WebP": 40, "GIF": 20, "BMP": 10}
_NANOSECONDS_A_SCAN_AND_PIXEL = 3
_NANOSECONDS_A_SCAN = 1_000
_NANOSECONDS_A_PIECE = 10_000
# Run-length encoded BMP files are decoded in Python: 94 ns per byte, measured, holding the interpreter lock.
_RLE_NANOSECONDS = 200
# Memory of a decoder: 25 megapixels took 98 MB as JPEG or PNG, 170 as progressive JPEG, 391 as WebP.
_BYTES_A_PIXEL = {"PNG": 4, "JPEG": 4, "WebP": 16, "GIF": 4, "BMP": 4}
_BYTES_A_PIXEL_PROGRESSIVE = 7
_PNG_SIGNATURE_LENGTH = 8
_START_OF_SCAN = b"\xff\xda"
_PROGRESSIVE = frozenset((0xC2, 0xC6, 0xCA, 0xCE))
_STANDALONE = frozenset(
    (0x01, 0xFF, *range(0xD0, 0xD9))
)  # markers, and fill bytes, without a length


class Cost(NamedTuple):
    """Estimated processor time and memory of decoding, and the number of parts of the file."""

    pieces: int = 0
    nanoseconds: int = 0
    bytes: int = 0


class TooManyPieces(Exception):
    """The file has more chunks, segments or blocks than allowed."""


def count_pieces(image_format: str, content: bytes, limit: int) -> int:
    """Count the chunks, segments or blocks that are read one by one.

    Raises:
        TooManyPieces: there are more than `limit`.
    """
    start = {"PNG": _PNG_SIGNATURE_LENGTH, "JPEG": 2, "WebP": 12, "GIF": 13}.get(image_format)
    if start is None:
        return 0
    if image_format == "GIF" and len(content) > 10 and content[10] & 0x80:
        start += 3 * (2 << (content[10] & 7))  # the palette
    end_of = {"PNG": _png_end, "JPEG": _jpeg_end, "WebP": _webp_end, "GIF": _gif_end}[image_format]
    pieces = 0
    while (end := end_of(content, start)) is not None:
        start, pieces = end, pieces + 1
        if pieces > limit:
            raise TooManyPieces
    return pieces


def estimate_cost(image_format: str, content: bytes, pixels: int, pieces: int) -> Cost:
    """Estimate the cost of decoding; `pixels` comes from the header."""
    bytes_a_pixel = _BYTES_A_PIXEL[image_format]
    nanoseconds = pixels * _NANOSECONDS_A_PIXEL[image_format] + pieces * _NANOSECONDS_A_PIECE
    if image_format == "JPEG":
        scans = content.count(_START_OF_SCAN)
        nanoseconds += scans * (pixels * _NANOSECONDS_A_SCAN_AND_PIXEL + _NANOSECONDS_A_SCAN)
        if _is_progressive(content):
            bytes_a_pixel = _BYTES_A_PIXEL_PROGRESSIVE
    elif image_format == "BMP" and content[30:31] in (b"\1", b"\2"):
        nanoseconds += (pixels + len(content)) * _RLE_NANOSECONDS
    return Cost(pieces, nanoseconds, pixels * bytes_a_pixel)


def _png_end(content: bytes, start: int) -> int | None:
    if start + 12 > len(content):
        return None
    length: int = struct.unpack_from(">I", content, start)[0]
    return start + 12 + length


def _jpeg_end(content: bytes, start: int) -> int | None:
    """Up to the first scan."""
    if start + 4 > len(content) or content[start] != 0xFF or content[start + 1] == 0xDA:
        return None
    if content[start + 1] in _STANDALONE:
        return start + (1 if content[start + 1] == 0xFF else 2)
    return start + 2 + max(2, int.from_bytes(content[start + 2 : start + 4], "big"))


def _webp_end(content: bytes, start: int) -> int | None:
    if start + 8 > len(content):
        return None
    length: int = struct.unpack_from("<I", content, start + 4)[0]
    return start + 8 + length + length % 2


def _gif_end(content: bytes, start: int) -> int | None:
    """An extension's introducer, or one of its sub-blocks; up to the first image."""
    if start >= len(content) or content[start] in (0x2C, 0x3B):
        return None
    if content[start] == 0x21:
        return start + 2
    return start + 1 + content[start]


def _is_progressive(content: bytes) -> bool:
    start: int | None = 2
    while start is not None and start + 1 < len(content):
        if content[start + 1] in _PROGRESSIVE:
            return True
        start = _jpeg_end(content, start)
    return False
