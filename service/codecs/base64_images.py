"""Images in JSON and forms: base64, as clients write it."""

import binascii
import re

from service.codecs.sniffing import excerpt
from service.errors import InvalidValue

_DATA_URI = re.compile(rb"data:[^,]{0,200};base64,", re.IGNORECASE)
_LINE_LENGTHS = frozenset((60, 64, 72, 76))  # of encoders' lines; a shell makes spaces of line ends
_MAX_LINES = 500_000  # no encoder's lines are that short; as objects they take 100 bytes each
_PLAIN = bytes.maketrans(b"-_ ", b"+/+")


def decode_base64(text: str) -> bytes:
    """Decode base64 or a `data:` URI; line ends, missing padding and `-_` are accepted.

    A space is read as a "+" that was sent unescaped in a form, unless it is where
    a line ended.

    Raises:
        InvalidValue: the text is neither.
    """
    if not text.isascii():  # looking at each character of such a string takes half a microsecond
        raise _invalid(text)
    encoded = text.encode().strip()
    if match := _DATA_URI.match(encoded):
        encoded = encoded[match.end() :]
    try:
        return binascii.a2b_base64(encoded, strict_mode=True)
    except ValueError:
        encoded = _without_spaces(encoded).rstrip(b"=").translate(_PLAIN)
    try:
        return _decode_unpadded(encoded)
    except ValueError as error:
        raise _invalid(text) from error


def _decode_unpadded(encoded: bytes) -> bytes:
    """Decode base64 without padding; only the last group is copied to be padded."""
    whole = len(encoded) - len(encoded) % 4
    last = encoded[whole:] + b"=" * (-len(encoded) % 4)
    if b"=" in encoded:
        raise ValueError("padding in the middle")
    decoded = binascii.a2b_base64(memoryview(encoded)[:whole], strict_mode=True)
    return decoded + binascii.a2b_base64(last, strict_mode=True) if last else decoded


def _invalid(text: str) -> InvalidValue:
    return InvalidValue(
        "an image must be base64 or data:image/png;base64,… (addresses are not fetched), "
        f"got {excerpt(text)}"
    )


def _without_spaces(encoded: bytes) -> bytes:
    """Without line ends, the spaces around them, and those that were some.

    Each step takes a time in proportion to the length, and no pattern is tried from every character on.
    """
    encoded = encoded.strip().replace(b"\r", b"\n")
    if 0 < encoded.count(b"\n") <= _MAX_LINES:
        encoded = b"".join([line.strip(b" \t") for line in encoded.split(b"\n")])
    return _unwrapped(encoded) if 0 < encoded.count(b" ") <= _MAX_LINES else encoded


def _unwrapped(encoded: bytes) -> bytes:
    """Without the spaces that were line ends."""
    lines = encoded.split()
    lengths = set(map(len, lines[:-1]))
    is_wrapped = len(lengths) == 1 and lengths <= _LINE_LENGTHS and len(lines[-1]) <= len(lines[0])
    return b"".join(lines) if is_wrapped else encoded
