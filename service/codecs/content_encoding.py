"""Inflates gzip and deflate bodies, up to a size and no further."""

import zlib

from service.errors import BodyTooLarge, InvalidRequest

WINDOW = {"gzip": 31, "x-gzip": 31, "deflate": 15}


def inflate(body: bytes, encoding: str, limit: int) -> bytes:
    """The body as it was before `Content-Encoding`; at most `limit` bytes of it are ever made."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in WINDOW:
        raise InvalidRequest(
            f"Content-Encoding must be gzip, deflate or identity, got {encoding[:20]!r}"
        )
    inflater = zlib.decompressobj(WINDOW[encoding])
    try:
        plain = inflater.decompress(body, limit + 1)
    except zlib.error:
        raise InvalidRequest(
            f"the body must be whole {encoding} data, got bytes that are not"
        ) from None
    if len(plain) > limit:
        raise BodyTooLarge(f"the body must have at most {limit} bytes when inflated, got more")
    if not inflater.eof:
        raise InvalidRequest(f"the body must be whole {encoding} data, got a part of it")
    return plain
