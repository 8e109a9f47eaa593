"""What a request's head must be beyond what the parser checks, its id, and how an offer to upgrade is declined.

Pure functions of names and values, in lower case as the parser's callbacks collect them. Source:
RFC 9110 (7.2 Host, 7.8 Upgrade) and RFC 9112 (3.2, 6.1).
"""

import random
import re
from collections.abc import Iterable

from service.errors import MalformedRequest

Header = tuple[bytes, bytes]

END_OF_HEAD = b"\r\n\r\n"

_HOST = re.compile(rb"[\w.~!$&'()*+,;=:%\[\]-]*")
_REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")
_CHECKED = frozenset((b"host", b"transfer-encoding", b"expect"))
_OFFERS = (b"upgrade", b"http2-settings")


def check_head(method: bytes, version: str, headers: Iterable[Header]) -> bool:
    """Whether its client waits for `100 Continue`; MalformedRequest if servers could differ in understanding it."""
    if version not in ("1.0", "1.1"):
        raise MalformedRequest(f"the request must be HTTP/1.1, got HTTP/{version[:10]}")
    if method == b"CONNECT":
        raise MalformedRequest(
            "the method must be one for a resource, got CONNECT: this is no proxy"
        )
    found = [(name, value.strip().lower()) for name, value in headers if name in _CHECKED]
    hosts = [value for name, value in found if name == b"host"]
    codings = [value for name, value in found if name == b"transfer-encoding"]
    if len(hosts) > 1 or (not hosts and version == "1.1"):
        raise MalformedRequest(f"the request must have one Host header, got {len(hosts) or 'none'}")
    if hosts and not _HOST.fullmatch(hosts[0]):
        raise MalformedRequest("the Host header must be a name or address, got other characters")
    if codings and (codings != [b"chunked"] or version == "1.0"):
        raise MalformedRequest(
            "the Transfer-Encoding must be chunked, sent once and with HTTP/1.1, got another"
        )
    return (b"expect", b"100-continue") in found


def request_id_of(headers: Iterable[Header]) -> str:
    """The caller's id if it can stand in a header and a log line, else a new one."""
    for name, value in headers:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return value.decode()
    return new_request_id()


def new_request_id() -> str:
    """An id that is unique, not secret, and takes no system call."""
    return f"{random.getrandbits(128):032x}"


def head_without_upgrade(method: bytes, url: bytes, headers: Iterable[Header]) -> bytes:
    """The head as it would have been sent without the offer of another protocol."""
    lines = [method + b" " + url + b" HTTP/1.1"]
    for name, value in headers:
        if name in _OFFERS:
            continue
        if name == b"connection":
            tokens = [token.strip() for token in value.split(b",")]
            value = b", ".join(token for token in tokens if token.lower() not in _OFFERS)
            if not value:
                continue
        lines.append(name + b": " + value)
    return b"\r\n".join(lines) + b"\r\n\r\n"


def length_of_head(data: bytes) -> int:
    """The number of bytes up to the body, 0 if the head is not whole."""
    end = data.find(END_OF_HEAD)
    return 0 if end < 0 else end + len(END_OF_HEAD)
