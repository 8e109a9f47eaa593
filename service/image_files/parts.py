"""The chunks, segments and blocks that image files are made of.

Sources: the PNG specification (chunks), ITU T.81 (JPEG markers), RIFF (WebP), GIF89a (sub-blocks).
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
FILL = b"\xff"  # a JPEG may have any number of them before a marker
_WITHOUT_LENGTH = frozenset((0x01, *range(0xD0, 0xD9)))  # JPEG markers
_SCAN = 0xDA


class Part(NamedTuple):
    """A chunk, segment or block: its name, and the ranges of the part and its data."""

    name: bytes
    start: int
    data: int
    data_end: int
    end: int


def png_chunks(content: bytes) -> Iterator[Part]:
    """The chunks up to the first IEND."""
    start, name = len(PNG_SIGNATURE), b""
    while start + 12 <= len(content) and name != b"IEND":
        length, name = struct.unpack_from(">I4s", content, start)
        end = start + 12 + length
        yield Part(name, start, start + 8, end - 4, end)
        start = end


def jpeg_segments(content: bytes) -> Iterator[Part]:
    """The segments before the first scan; a fill byte is one of its own, named `FILL`."""
    start = 2
    while start + 4 <= len(content) and content[start] == 0xFF and content[start + 1] != _SCAN:
        marker = content[start + 1]
        if marker == 0xFF:
            data = end = start + 1
        elif marker in _WITHOUT_LENGTH:
            data = end = start + 2
        else:
            data = start + 4
            end = max(data, start + 2 + int.from_bytes(content[start + 2 : data], "big"))
        yield Part(bytes((marker,)), start, data, end, end)
        start = end


def webp_chunks(content: bytes) -> Iterator[Part]:
    """The chunks of the RIFF container."""
    start = 12
    while start + 8 <= len(content):
        name, length = struct.unpack_from("<4sI", content, start)
        data_end = start + 8 + length
        yield Part(name, start, start + 8, data_end, data_end + length % 2)
        start = data_end + length % 2


def gif_blocks(content: bytes) -> Iterator[Part]:
    """The extensions' introducers and sub-blocks before the first image."""
    start = 13
    if len(content) > 10 and content[10] & 0x80:
        start += 3 * (2 << (content[10] & 7))  # the palette
    while start < len(content) and content[start] not in (0x2C, 0x3B):
        data = start + 1
        end = start + 2 if content[start] == 0x21 else data + content[start]
        yield Part(content[start:data], start, data, end, end)
        start = end
