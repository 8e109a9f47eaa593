"""Images in JSON and forms: base64, as clients write it."""

import binascii
import re
from urllib.parse import unquote_to_bytes

from service.codecs.byte_counts import count_byte
from service.codecs.sniffing import excerpt
from service.errors import InvalidValue

_DATA_URI = re.compile(rb"data:[^,]{0,200};base64,", re.IGNORECASE)
_LINE_LENGTHS = frozenset((60, 64, 72, 76))  # of encoders' lines; a shell makes spaces of line ends
_MAX_LINES = 500_000  # no encoder's lines are that short; as objects they take 100 bytes each
_MAX_ESCAPES = (
    1_000_000  # of "+", "/" and "=", a thirtieth of the characters; as objects 100 bytes each
)
SHORT = 2**16  # characters
_TO_CHANGE = b" \n\r-_\t\v\f"
_PLAIN = bytes.maketrans(b"-_ ", b"+/+")


def decode_base64(text: str) -> bytes:
    """Decode base64 or a `data:` URI; line ends, missing padding, `-_` and percent-encoding are accepted.

    A space is read as a "+" that was sent unescaped in a form, unless it is where
    a line ended.

    Raises:
        InvalidValue: the text is neither.
    """
    if not text.isascii():  # looking at each character of such a string takes half a microsecond
        raise _invalid(text)
    encoded = text.encode().strip()
    try:
        return _decode(encoded)
    except ValueError as error:
        unescaped = _unescaped(encoded)
        if unescaped is None:
            raise _invalid(text) from error
    try:
        return _decode(unescaped)
    except ValueError as error:
        raise _invalid(text) from error


def _unescaped(encoded: bytes) -> bytes | None:
    """Without percent-encoding; None if there is none, or more than base64 can need."""
    return unquote_to_bytes(encoded) if 0 < count_byte(encoded, b"%") <= _MAX_ESCAPES else None


def _decode(encoded: bytes) -> bytes:
    if match := _DATA_URI.match(encoded):
        encoded = encoded[match.end() :]
    # After a comparison of len(encoded) decoding a kilobyte took a fifth longer.
    return _decode_long(encoded) if encoded[SHORT : SHORT + 1] else _decode_short(encoded)


def _decode_short(encoded: bytes) -> bytes:
    """Most texts need no change, and a second try costs little."""
    try:
        return binascii.a2b_base64(encoded, strict_mode=True)
    except ValueError:
        return _decode_unpadded(_changed(encoded))


def _decode_long(encoded: bytes) -> bytes:
    """Decode it once."""
    if _is_plain(encoded):
        return binascii.a2b_base64(encoded, strict_mode=True)
    return _decode_unpadded(_changed(encoded))


def _is_plain(encoded: bytes) -> bool:
    """Whether it can be decoded as it is, or not at all."""
    if len(encoded) % 4 or encoded.endswith(b"==="):
        return False
    return not any([character in encoded for character in _TO_CHANGE])


def _changed(encoded: bytes) -> bytes:
    """In the standard alphabet, without line ends and padding."""
    encoded = _without_spaces(encoded).rstrip(b"=")
    return encoded.translate(_PLAIN) if any([one in encoded for one in b"-_ "]) else encoded


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
    """Without line ends, the spaces around them, and those that were some; ValueError if there are too many.

    Each step takes a time in proportion to the length, and no pattern is tried from every character on.
    """
    encoded = encoded.strip().replace(b"\r", b"\n")
    if _has(encoded, b"\n"):
        if b" " in encoded or b"\t" in encoded:
            encoded = b"".join([line.strip(b" \t") for line in encoded.split(b"\n")])
        else:
            encoded = encoded.replace(b"\n", b"")
    return _unwrapped(encoded) if _has(encoded, b" ") else encoded


def _has(encoded: bytes, character: bytes) -> bool:
    """Whether there is this kind of space; ValueError if there are more than any encoder makes."""
    count = count_byte(encoded, character)
    if count > _MAX_LINES:
        raise ValueError("too many spaces")
    return count > 0


def _unwrapped(encoded: bytes) -> bytes:
    """Without the spaces that were line ends."""
    lines = encoded.split()
    lengths = set(map(len, lines[:-1]))
    is_wrapped = len(lengths) == 1 and lengths <= _LINE_LENGTHS and len(lines[-1]) <= len(lines[0])
    return b"".join(lines) if is_wrapped else encoded
