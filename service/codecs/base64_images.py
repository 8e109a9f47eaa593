"""Images in JSON and forms: base64, as clients write it."""

import binascii
import re

from service.codecs.sniffing import excerpt
from service.errors import InvalidValue

_DATA_URI = re.compile(r"\s*data:[^,]{0,200};base64,", re.IGNORECASE)
_LINE_ENDS = re.compile(r"[ \t]*[\r\n]+[ \t]*")
_LINE_LENGTHS = frozenset((60, 64, 72, 76))  # of encoders' lines; a shell makes spaces of line ends
_URL_SAFE = str.maketrans("-_", "+/")


def decode_base64(text: str) -> bytes:
    """Decode base64 or a `data:` URI; line ends, missing padding and `-_` are accepted.

    A space is read as a "+" that was sent unescaped in a form, unless it is where
    a line ended.

    Raises:
        InvalidValue: the text is neither.
    """
    encoded = text[match.end() :] if (match := _DATA_URI.match(text)) else text
    try:
        return binascii.a2b_base64(encoded, strict_mode=True)
    except ValueError:
        encoded = _without_spaces(encoded).rstrip("=").translate(_URL_SAFE)
    try:
        return binascii.a2b_base64(encoded + "=" * (-len(encoded) % 4), strict_mode=True)
    except ValueError as error:
        raise InvalidValue(
            "an image must be base64 or data:image/png;base64,… (addresses are not fetched), "
            f"got {excerpt(text)}"
        ) from error


def _without_spaces(encoded: str) -> str:
    encoded = _LINE_ENDS.sub("", encoded.strip())
    if " " not in encoded:
        return encoded
    lines = encoded.split()
    lengths = set(map(len, lines[:-1]))
    is_wrapped = len(lengths) == 1 and lengths <= _LINE_LENGTHS and len(lines[-1]) <= len(lines[0])
    return "".join(lines) if is_wrapped else encoded.replace(" ", "+")
