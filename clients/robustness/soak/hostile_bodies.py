"""Bodies that are cheap to send and costly to process, which limits must refuse beforehand.

They are generated on demand and not stored in the repository.
"""

import struct
import zlib
from collections.abc import Callable

from PIL import Image

from clients.load.images import encoded

BOUNDARY = b"boundary"
FORM = "multipart/form-data; boundary=boundary"


def many_scans(side: int, scans: int) -> bytes:
    """A progressive JPEG whose last scan is repeated `scans` times."""
    content = encoded(Image.new("L", (side, side)), "JPEG", progressive=True)
    last = content.rindex(b"\xff\xda")
    return content[:-2] + content[last:-2] * scans + content[-2:]


def many_segments(count: int) -> bytes:
    """A JPEG with `count` empty comments before its first scan."""
    content = encoded(Image.new("L", (8, 8)), "JPEG")
    return content[:2] + b"\xff\xfe\0\2" * count + content[2:]


def fill_bytes(count: int) -> bytes:
    """A JPEG with `count` fill bytes before a marker."""
    content = encoded(Image.new("L", (8, 8)), "JPEG")
    return content[:2] + b"\xff" * count + content[2:]


def chunk(name: bytes, content: bytes = b"") -> bytes:
    """One chunk of a PNG."""
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def many_chunks(count: int, one: bytes = b"") -> bytes:
    """A PNG with `count` chunks, empty ones unless told, behind its header."""
    content = encoded(Image.new("L", (8, 8)))
    return content[:33] + (one or chunk(b"tEXt")) * count + content[33:]


def compressed_texts(count: int) -> bytes:
    """A PNG with `count` texts that inflate to a megabyte each."""
    return many_chunks(count, chunk(b"zTXt", b"k\0\0" + zlib.compress(b"x" * 2**20)))


def many_blocks(count: int) -> bytes:
    """A GIF with a comment of `count` blocks of one byte."""
    content = encoded(Image.new("L", (8, 8)), "GIF")
    start = 13 + 3 * (2 << (content[10] & 7))  # behind the palette
    return content[:start] + b"\x21\xfe" + b"\1x" * count + b"\0" + content[start:]


def run_lengths(side: int) -> bytes:
    """A BMP of run-length encoded pixels, every run one pixel long."""
    rows = (b"\1\5" * side + b"\0\0") * side + b"\0\1"
    start = 14 + 40 + 1024
    head = b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start)
    head += struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(rows), 0, 0, 256, 0)
    return head + bytes(1024) + rows


def bomb(kind: str, side: int) -> bytes:
    """A small file of an image of side × side pixels; one bit each and WebP's method 0 are written fastest."""
    return encoded(Image.new("1", (side, side)), kind, method=0)


def form(files: list[bytes]) -> bytes:
    """A form of these files."""
    head = b"--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    return b"\r\n".join(head + content for content in files) + b"\r\n--" + BOUNDARY + b"--\r\n"


IMAGES: dict[str, Callable[[], bytes]] = {
    "scans": lambda: many_scans(316, 100_000),
    "more scans": lambda: many_scans(316, 1_300_000),
    "scans of 25 megapixels": lambda: many_scans(4999, 700),
    "segments": lambda: many_segments(1_000_000),
    "fill bytes": lambda: fill_bytes(10_000_000),
    "chunks": lambda: many_chunks(1_000_000),
    "blocks": lambda: many_blocks(5_000_000),
    "run lengths": lambda: run_lengths(2500),
    "pixels of PNG": lambda: bomb("PNG", 20_000),
    "pixels of JPEG": lambda: bomb("JPEG", 12_000),
    "pixels of WebP": lambda: bomb("WEBP", 4_999),
    "60 files of segments": lambda: form([many_segments(60_000)] * 60),
    "20 files of chunks": lambda: form([many_chunks(62_000)] * 20),
    "60 files of texts": lambda: form([compressed_texts(60)] * 60),
}
_END = b"\r\n--" + BOUNDARY + b"--\r\n"
_HEAD = b"--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
OTHERS: dict[str, Callable[[int], bytes]] = {
    "lists of one": lambda size: b'{"instances": [' + b"[0]," * (size // 4) + b"[0]]}",
    "empty lists": lambda size: b'{"instances": [' + b"[]," * (size // 3) + b"[]]}",
    "nesting": lambda size: b'{"instances": ' + b"[" * (size // 2) + b"]" * (size // 2) + b"}",
    "names": lambda size: b"{" + b",".join(b'"%d":0' % n for n in range(size // 12)) + b"}",
    "numbers": lambda size: b'{"instances": [[' + b"0," * (size // 2) + b"0]]}",
    "strings": lambda size: b'{"images": [' + b'"a",' * (size // 4) + b'"a"]}',
    "quotes": lambda size: b"[" + b'""' * (size // 2),
    "escaped quotes": lambda size: b'{"image": "' + b'\\"' * (size // 2) + b'"}',
    "an endless string": lambda size: b'{"image": "' + b"A" * size,
    "base64 with spaces": lambda size: b'{"image": "A' + b" " * size + b'A"}',
    "base64 in short lines": lambda size: b'{"image": "' + b"A\\n" * (size // 3) + b'"}',
    "base64 with emoji": lambda size: '{"image": "\U0001f600'.encode() + b"A" * size + b'"}',
    "base64 with an escaped emoji": lambda size: b'{"image": "\\ud83d\\ude00' + b"A" * size + b'"}',
    "spaces": lambda size: b" " * size,
    "spaces and a list": lambda size: b" " * size + b"[]",
    "a list and spaces": lambda size: b"[" + b" " * size,
    "a form of line ends": lambda size: _HEAD + b"\r" * size + _END,
    "a form of boundaries": lambda size: (b"\r\n--" + BOUNDARY) * (size // 12) + _END,
    "a form of headers": lambda size: b"--" + BOUNDARY + b"\r\n" + b"a: b\r\n" * (size // 6) + _END,
    "a form of dashes": lambda size: _HEAD + b"\r\n--boundar" * (size // 11) + _END,
}


def body(name: str, size: int = 16_000_000) -> tuple[bytes, str]:
    """The body of this name and its content type: one of `IMAGES`, or one of `OTHERS` of about that many bytes."""
    if name in IMAGES:
        content = IMAGES[name]()
        return content, FORM if content.startswith(b"--") else "application/octet-stream"
    return OTHERS[name](size), FORM if name.startswith("a form") else "application/json"
