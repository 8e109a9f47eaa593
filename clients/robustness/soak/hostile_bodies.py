"""Bodies that are cheap to send and costly to read: what budgets have to refuse before the work.

Each is made anew, so that none is ever in the repository.
"""

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

BOUNDARY = b"boundary"
FORM = "multipart/form-data; boundary=boundary"
Bodies = dict[str, tuple[bytes, str]]  # name → body and content type


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The file of a Pillow image."""
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def many_scans(side: int, scans: int) -> bytes:
    """A progressive JPEG whose last scan is repeated so many times."""
    content = encoded(Image.new("L", (side, side)), "JPEG", progressive=True)
    last = content.rindex(b"\xff\xda")
    return content[:-2] + content[last:-2] * scans + content[-2:]


def many_segments(count: int) -> bytes:
    """A JPEG with so many empty comments before its first scan."""
    content = encoded(Image.new("L", (8, 8)), "JPEG")
    return content[:2] + b"\xff\xfe\0\2" * count + content[2:]


def fill_bytes(count: int) -> bytes:
    """A JPEG with so many fill bytes before a marker."""
    content = encoded(Image.new("L", (8, 8)), "JPEG")
    return content[:2] + b"\xff" * count + content[2:]


def chunk(name: bytes, content: bytes = b"") -> bytes:
    """One chunk of a PNG."""
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def many_chunks(count: int, one: bytes = b"") -> bytes:
    """A PNG with so many chunks, empty ones unless told, behind its header."""
    content = encoded(Image.new("L", (8, 8)))
    return content[:33] + (one or chunk(b"tEXt")) * count + content[33:]


def compressed_texts(count: int) -> bytes:
    """A PNG with so many texts that inflate to a megabyte each."""
    return many_chunks(count, chunk(b"zTXt", b"k\0\0" + zlib.compress(b"x" * 2**20)))


def many_blocks(count: int) -> bytes:
    """A GIF with a comment of so many blocks of one byte."""
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
    """A small file of an image of side × side pixels."""
    return encoded(Image.fromarray(np.zeros((side, side), np.uint8)), kind)


def form(files: list[bytes]) -> bytes:
    """A form of these files."""
    head = b"--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    return b"\r\n".join(head + content for content in files) + b"\r\n--" + BOUNDARY + b"--\r\n"


def images() -> Bodies:
    """Name → body and content type: the structures of images."""
    raw = {
        "scans": many_scans(316, 100_000),
        "more scans": many_scans(316, 1_300_000),
        "scans of 25 megapixels": many_scans(4999, 700),
        "segments": many_segments(1_000_000),
        "fill bytes": fill_bytes(10_000_000),
        "chunks": many_chunks(1_000_000),
        "blocks": many_blocks(5_000_000),
        "run lengths": run_lengths(2500),
        "pixels of PNG": bomb("PNG", 20_000),
        "pixels of JPEG": bomb("JPEG", 12_000),
        "pixels of WebP": bomb("WEBP", 4_999),
    }
    forms = {
        "60 files of segments": form([many_segments(60_000)] * 60),
        "20 files of chunks": form([many_chunks(62_000)] * 20),
        "60 files of texts": form([compressed_texts(60)] * 60),
    }
    found = {name: (body, "application/octet-stream") for name, body in raw.items()}
    return found | {name: (body, FORM) for name, body in forms.items()}


def others(size: int = 16_000_000) -> Bodies:
    """Name → body and content type: JSON, blanks, and forms of nothing."""
    end = b"\r\n--" + BOUNDARY + b"--\r\n"
    head = b"--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    json = {
        "lists of one": b'{"instances": [' + b"[0]," * (size // 4) + b"[0]]}",
        "empty lists": b'{"instances": [' + b"[]," * (size // 3) + b"[]]}",
        "nesting": b'{"instances": ' + b"[" * (size // 2) + b"]" * (size // 2) + b"}",
        "names": b"{" + b",".join(b'"%d":0' % n for n in range(size // 12)) + b"}",
        "numbers": b'{"instances": [[' + b"0," * (size // 2) + b"0]]}",
        "strings": b'{"images": [' + b'"a",' * (size // 4) + b'"a"]}',
        "spaces": b" " * size,
        "spaces and a list": b" " * size + b"[]",
        "a list and spaces": b"[" + b" " * size,
    }
    forms = {
        "a form of line ends": head + b"\r" * size + end,
        "a form of boundaries": (b"\r\n--" + BOUNDARY) * (size // 12) + end,
        "a form of headers": b"--" + BOUNDARY + b"\r\n" + b"a: b\r\n" * (size // 6) + end,
        "a form of dashes": head + b"\r\n--boundar" * (size // 11) + end,
    }
    found = {name: (body, "application/json") for name, body in json.items()}
    return found | {name: (body, FORM) for name, body in forms.items()}
