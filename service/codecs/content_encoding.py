"""gzip and deflate: decompresses bodies up to a size limit, compresses answers for clients that accept it."""

import re
import zlib

from service.errors import BodyTooLarge, InvalidRequest

WINDOW = {"gzip": 31, "x-gzip": 31, "deflate": 15}
SMALLEST = 1024  # bytes of an answer: a smaller one would hardly shrink
FASTEST = 1  # zlib's level: tensors compress badly at any
Q_VALUE = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.ASCII)


def inflate(body: bytes, encoding: str, limit: int) -> bytes:
    """Decompress a body; at most `limit` bytes are produced."""
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


def choose_encoding(accepted: str) -> str:
    """Gzip or deflate, whichever an Accept-Encoding header prefers; empty if it wants neither.

    `*` and unknown encodings are ignored; identity is chosen if it is preferred.
    """
    qualities = {"gzip": 0.0, "deflate": 0.0, "identity": 0.0}
    for part in accepted.lower().split(","):
        name, _, parameter = (word.strip() for word in part.partition(";"))
        if name in qualities:
            quality = Q_VALUE.fullmatch(parameter)
            qualities[name] = float(quality[1]) if quality else float(not parameter)
    best = max(("gzip", "deflate"), key=lambda name: qualities[name])
    return best if qualities[best] > 0 and qualities[best] >= qualities["identity"] else ""


def compress(body: bytes, encoding: str) -> bytes:
    """Compress a body for `Content-Encoding: gzip` or `deflate`."""
    compressor = zlib.compressobj(FASTEST, zlib.DEFLATED, WINDOW[encoding])
    return compressor.compress(body) + compressor.flush()
