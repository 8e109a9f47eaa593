"""Removes the metadata of an image file, and reads the only part that matters: the orientation.

Text, profiles, EXIF and checksums of optional parts are often damaged or huge although the pixels are
intact, and a decoder that reads them refuses the whole file. Only the parts needed for the pixels are
kept. Sources: the PNG specification, JFIF, EXIF, and the WebP container specification.
"""

import struct
import zlib
from typing import NamedTuple

from service.image_files.parts import (
    FILL,
    PNG_SIGNATURE,
    Part,
    jpeg_segments,
    png_chunks,
    webp_chunks,
)

UPRIGHT = 1  # the EXIF orientation of an image that needs no rotation

_PNG_TRANSPARENCY = {0: (2,), 2: (6,), 3: range(1, 257)}  # colour type → lengths of tRNS
_JFIF, _ADOBE = 0xE0, 0xEE  # application segments that describe the colour encoding
_WEBP_PIXELS = frozenset((b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"))
_WEBP_METADATA_FLAGS = 0x20 | 0x08 | 0x04  # of VP8X: profile, EXIF, XMP
_ORIENTATION = 0x0112
_FORMATS = {1: "B", 3: "H", 4: "I", 8: "h", 9: "i"}  # EXIF types of whole numbers
_MAX_TAGS = 1000


class Stripped(NamedTuple):
    """An image file without its metadata, and its EXIF orientation, 1 to 8."""

    content: bytes
    orientation: int


def strip_metadata(content: bytes) -> Stripped:
    """Remove the metadata of a PNG, JPEG or WebP; anything else is returned as it is.

    A file that ends early or has no valid structure keeps everything from there on, for the decoder
    to refuse.
    """
    if content.startswith(PNG_SIGNATURE):
        return _strip_png(content)
    if content.startswith(b"\xff\xd8\xff"):
        return _strip_jpeg(content)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _strip_webp(content)
    return Stripped(content, UPRIGHT)


def read_orientation(exif: bytes) -> int:
    """Read the orientation, 1 to 8, of EXIF data; 1 if they are damaged or have none."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return UPRIGHT
    try:
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, start)
        for entry in range(start + 2, start + 2 + 12 * min(count, _MAX_TAGS), 12):
            tag, kind = struct.unpack_from(order + "HH", tiff, entry)
            if tag == _ORIENTATION:
                (value,) = struct.unpack_from(order + _FORMATS[kind], tiff, entry + 8)
                return int(value) if 1 <= value <= 8 else UPRIGHT
    except (struct.error, KeyError):
        pass
    return UPRIGHT


def _strip_png(content: bytes) -> Stripped:
    kept, orientation = [PNG_SIGNATURE], UPRIGHT
    end = len(PNG_SIGNATURE)
    colour_type = content[25] if len(content) > 25 else 0
    for part in png_chunks(content):
        if part.end > len(content):
            break
        end = part.end
        if part.name == b"eXIf":
            orientation = read_orientation(content[part.data : part.data_end])
        if part.name[0] & 0x20 and not _is_transparency(content, part, colour_type):
            continue
        kept.append(content[part.start : part.end])
    return _stripped(content, [*kept, content[end:]], orientation)


def _is_transparency(content: bytes, part: Part, colour_type: int) -> bool:
    """Whether an optional chunk is a whole tRNS, the only one that changes pixels."""
    if part.name != b"tRNS":
        return False
    if part.data_end - part.data not in _PNG_TRANSPARENCY.get(colour_type, ()):
        return False
    checksum = zlib.crc32(content[part.start + 4 : part.data_end])
    return checksum.to_bytes(4, "big") == content[part.data_end : part.end]


def _strip_jpeg(content: bytes) -> Stripped:
    kept, orientation = [content[:2]], UPRIGHT
    end = 2
    for part in jpeg_segments(content):
        if part.end > len(content):
            break
        end = part.end
        data = content[part.data : part.data_end]
        if data.startswith(b"Exif\0\0") and part.name[0] == 0xE1 and orientation == UPRIGHT:
            orientation = read_orientation(data)
        if part.name == FILL or _is_jpeg_metadata(part.name[0], data):
            continue
        kept.append(content[part.start : part.end])
    return _stripped(content, [*kept, content[end:]], orientation)


def _is_jpeg_metadata(marker: int, data: bytes) -> bool:
    if marker == _JFIF:
        return not (data.startswith(b"JFIF\0") and len(data) >= 14)
    if marker == _ADOBE:
        return not (data.startswith(b"Adobe") and len(data) >= 12)
    return 0xE0 <= marker <= 0xEF or marker == 0xFE


def _strip_webp(content: bytes) -> Stripped:
    kept, orientation = [b"WEBP"], UPRIGHT
    for part in webp_chunks(content):
        data = content[part.data : part.data_end]
        if part.name == b"EXIF":
            orientation = read_orientation(data)
        elif part.name == b"VP8X" and data:
            flags = data[0] & ~_WEBP_METADATA_FLAGS
            kept += [
                content[part.start : part.data],
                bytes((flags,)),
                content[part.data + 1 : part.end],
            ]
        elif part.name in _WEBP_PIXELS:
            kept.append(content[part.start : part.end])
    size = sum(map(len, kept))
    return Stripped(b"".join((b"RIFF", size.to_bytes(4, "little"), *kept)), orientation)


def _stripped(content: bytes, kept: list[bytes], orientation: int) -> Stripped:
    """The joined parts, or the file itself if nothing was removed."""
    if sum(map(len, kept)) == len(content):
        return Stripped(content, orientation)
    return Stripped(b"".join(kept), orientation)
