"""Detects the type of data from its first bytes, to choose a reader and to describe the data in errors.

It decodes nothing and raises nothing.
"""

import re

from service.image_files.parts import PNG_SIGNATURE

_EXCERPT_LENGTH = 56
_LOOKED_AT = 2000  # number of bytes needed to detect the type
_FORMATS = (
    (re.compile(rb"\x89PNG"), "PNG"),
    (re.compile(rb"\xff\xd8\xff"), "JPEG"),
    (re.compile(rb"RIFF(?s:.{4})WEBP"), "WebP"),
    (re.compile(rb"GIF8[79]a"), "GIF"),
    (re.compile(rb"BM"), "BMP"),
)
_BASE64 = rb"(?:data:|iVBORw0KGgo|/9j/|R0lGOD|UklGR)"
_BASE64_IMAGE = re.compile(rb"(?i:\s*data:image/)|\s*(?:iVBORw0KGgo|/9j/|R0lGOD|UklGR)")
_OTHERS = (
    (re.compile(rb"(?s).{4}ftyp(?:avif|avis)"), "an AVIF image"),
    (re.compile(rb"(?s).{4}ftyp(?:hei|hev|mif1|msf1)"), "a HEIC image"),
    (re.compile(rb"(?s).{4}ftyp"), "a video"),
    (re.compile(rb"II\*\0|MM\0\*"), "a TIFF image"),
    (re.compile(rb"\0\0\x01\0"), "an icon"),
    (re.compile(rb"(?s)\0\0\0.jP  |\xff\x4f\xff\x51"), "a JPEG 2000 image"),
    (re.compile(rb"8BPS"), "a Photoshop document"),
    (re.compile(rb"%PDF"), "a PDF"),
    (re.compile(rb"\x1f\x8b|PK\x03\x04|\x28\xb5\x2f\xfd"), "a compressed archive"),
    (re.compile(rb"\x93NUMPY"), "a NumPy array"),
    (re.compile(rb"(?is)\s*(?:<\?xml.{0,999})?<svg"), "an SVG drawing"),
    (re.compile(rb"(?i)\s*<(?:!doctype|html)"), "a web page"),
    (re.compile(rb"--[^\r\n]+\r?\nContent-"), "a form whose Content-Type names no boundary"),
    (
        re.compile(rb"\s*\"?" + _BASE64),
        'base64 text: send it as JSON, {"image": "…"}, or decode it first',
    ),
)


def image_format(content: bytes) -> str | None:
    """The accepted image format of the bytes, damaged or not; None for other data."""
    if content.startswith(PNG_SIGNATURE):
        return "PNG"
    for pattern, name in _FORMATS:
        if pattern.match(content):
            return name
    return None


def is_base64_image(content: bytes) -> bool:
    """Whether some bytes are the text of an image: base64, or a data URI."""
    return _BASE64_IMAGE.match(content[:_LOOKED_AT]) is not None


def describe(content: bytes) -> str:
    """Describe bytes that are not an accepted image."""
    if not content:
        return "nothing: it is empty"
    start = content[:_LOOKED_AT]
    for pattern, name in _OTHERS:
        if pattern.match(start):
            return name
    return f"{len(content)} bytes that start with {excerpt(content)}"


def excerpt(value: bytes | str) -> str:
    """Quote the start of an input for a message: printable ASCII, at most 60 characters."""
    start = value[:_EXCERPT_LENGTH]
    text = start.decode("latin-1") if isinstance(start, bytes) else start
    quoted = ascii(text)
    if len(value) <= _EXCERPT_LENGTH and len(quoted) <= _EXCERPT_LENGTH:
        return quoted
    return quoted[:_EXCERPT_LENGTH].rstrip(quoted[0]) + "…" + quoted[0]
