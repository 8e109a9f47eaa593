"""Estimates the cost of decoding an image file from its structure, before any of it is decoded.

A file of a few kilobytes can keep a decoder busy for minutes: a JPEG with a hundred thousand scans,
or a PNG with as many chunks. The estimate is cheap, since it only reads lengths and markers.
"""

from itertools import islice
from typing import NamedTuple

from service.image_files.parts import gif_blocks, jpeg_segments, png_chunks, webp_chunks

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
_START_OF_SCAN = b"\xff\xda"
_PROGRESSIVE = frozenset((b"\xc2", b"\xc6", b"\xca", b"\xce"))
_PARTS = {"PNG": png_chunks, "JPEG": jpeg_segments, "WebP": webp_chunks, "GIF": gif_blocks}


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
    if image_format not in _PARTS:
        return 0
    pieces = sum(1 for _ in islice(_PARTS[image_format](content), limit + 1))
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
        if any(part.name in _PROGRESSIVE for part in jpeg_segments(content)):
            bytes_a_pixel = _BYTES_A_PIXEL_PROGRESSIVE
    elif image_format == "BMP" and content[30:31] in (b"\1", b"\2"):
        nanoseconds += (pixels + len(content)) * _RLE_NANOSECONDS
    return Cost(pieces, nanoseconds, pixels * bytes_a_pixel)
