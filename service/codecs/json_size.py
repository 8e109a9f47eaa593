"""Checks the size of a JSON body before it is parsed, because parsing cannot be interrupted.

A megabyte of brackets takes a parser as long as 20 MB of text. Separators are also counted inside
strings, because no route takes a string with that many commas.
"""

from service.codecs.byte_counts import count_byte, has_surrogate_escape
from service.errors import BodyTooLarge

CONTAINER_SHARE = 4  # parsing a list or object takes about this many times as long as a number
MAX_IRREGULAR_VALUES = 250_000  # of a body, outside of regular lists of numbers: 25 ms of parsing
MAX_WIDE_BYTES = 4 * 2**20  # of a text with emoji: as a string each of its characters takes 4 bytes
NAME_SHARE = 20  # and a field name many times as long; no route has more than a few
WAY_OUT = (
    "send images as files, or tensors as binary data (Inference-Header-Content-Length on "
    "/v2/models/{model}/infer)"
)


def check_json_size(body: bytes, max_values: int) -> None:
    """BodyTooLarge if the body has more values, lists and objects, strings or names than allowed."""
    if len(body) <= max_values // NAME_SHARE:
        return  # too short to have more of anything
    containers = count_byte(body, b"[") + count_byte(body, b"{")
    values = count_byte(body, b",") + containers
    names = count_byte(body, b":")
    for count, limit, what in (
        (values, max_values, "JSON values"),
        (containers, max_values // CONTAINER_SHARE, "JSON lists and objects"),
        (count_byte(body, b'"') // 2, max_values // CONTAINER_SHARE, "JSON strings"),
        (names, max_values // NAME_SHARE, "JSON names"),
    ):
        if count > limit:
            raise BodyTooLarge(
                f"the body must have at most {limit:,} {what}, got {count:,}: {WAY_OUT}"
            )
    if len(body) > MAX_WIDE_BYTES and _has_wide_characters(body):
        raise BodyTooLarge(
            f"a body with other characters than ASCII must have at most {MAX_WIDE_BYTES:,} bytes, "
            f"got {len(body):,}: {WAY_OUT}"
        )


def _has_wide_characters(body: bytes) -> bool:
    """Whether there are any, also escaped, apart from a byte order mark."""
    is_ascii = body.isascii() or body[4:].isascii()
    return not is_ascii or has_surrogate_escape(body)


def check_irregular_size(body: bytes | bytearray) -> None:
    """BodyTooLarge if more values are outside regular lists of numbers than can be parsed at once."""
    containers = count_byte(body, b"[") + count_byte(body, b"{")
    values = count_byte(body, b",") + containers
    for count, limit, what in (
        (values, MAX_IRREGULAR_VALUES, "JSON values"),
        (containers, MAX_IRREGULAR_VALUES // CONTAINER_SHARE, "JSON lists and objects"),
    ):
        if count > limit:
            raise BodyTooLarge(
                f"the body must have at most {limit:,} {what} outside regular lists of numbers "
                f"(inner lists of equal length), got {count:,}: {WAY_OUT}"
            )
