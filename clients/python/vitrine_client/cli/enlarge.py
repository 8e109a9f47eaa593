"""Enlarges a PNG of the service by an integer factor, without an image library."""

import struct
import zlib

from vitrine_client.errors import UnexpectedAnswer

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3}  # by PNG's colour type: grey, RGB


def enlarge_png(png: bytes, scale: int) -> bytes:
    """Repeat each pixel `scale` times across and down.

    Args:
        png: 8 bits per channel, grey or RGB, rows without a filter, as written by the service.
        scale: At least 1.

    Raises:
        UnexpectedAnswer: It is another kind of PNG.
    """
    if scale == 1:
        return png
    width, height, colour_type, data = _read(png)
    channels = _CHANNELS[colour_type]
    stride = 1 + width * channels
    rows = []
    for start in range(0, height * stride, stride):
        if data[start] != 0:
            raise _refuse("its rows use PNG filters")
        pixels = data[start + 1 : start + stride]
        wide = b"".join(
            pixels[at : at + channels] * scale for at in range(0, len(pixels), channels)
        )
        rows.append((b"\0" + wide) * scale)
    header = struct.pack(">IIBBBBB", width * scale, height * scale, 8, colour_type, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(name, content) for name, content in chunks)


def _read(png: bytes) -> tuple[int, int, int, bytes]:
    """Width, height, colour type and decompressed rows."""
    if not png.startswith(_SIGNATURE):
        raise _refuse("it is not a PNG")
    chunks: dict[bytes, bytes] = {}
    at = len(_SIGNATURE)
    while at + 8 <= len(png):
        length, name = struct.unpack_from(">I4s", png, at)
        chunks[name] = chunks.get(name, b"") + png[at + 8 : at + 8 + length]
        at += 12 + length
    try:
        width, height, depth, colour_type, *_, interlaced = struct.unpack(
            ">IIBBBBB", chunks[b"IHDR"]
        )
        data = zlib.decompress(chunks[b"IDAT"])
    except (KeyError, struct.error, zlib.error):
        raise _refuse("it is damaged") from None
    if depth != 8 or colour_type not in _CHANNELS or interlaced:
        raise _refuse("it is neither grey nor RGB with 8 bits a channel")
    if len(data) != height * (1 + width * _CHANNELS[colour_type]):
        raise _refuse("it is damaged")
    return width, height, colour_type, data


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(content, zlib.crc32(name))
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def _refuse(why: str) -> UnexpectedAnswer:
    return UnexpectedAnswer(f"the image of the answer cannot be enlarged: {why}; omit --scale")
