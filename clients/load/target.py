"""The service under load: a parsed base URL; other machines are refused unless allowed."""

import ipaddress
from typing import NamedTuple
from urllib.parse import urlsplit


class Target(NamedTuple):
    """Host, port and path prefix of a service that speaks plain HTTP/1.1, and a key if it wants one."""

    host: str
    port: int
    prefix: str
    key: str = ""

    @property
    def authority(self) -> str:
        """What a Host header says, such as 127.0.0.1:8000 or [::1]:8000."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end."""
        return f"http://{self.authority}{self.prefix}"


def parse_target(url: str, allow_remote: bool = False, key: str = "") -> Target:
    """Take a base URL apart; a URL that must not or cannot be loaded is a ValueError of one sentence.

    key: sent as `Authorization: Bearer`, visible ASCII; empty for none.
    """
    if not all("!" <= character <= "~" for character in key):
        raise ValueError("the key must have only visible ASCII characters, without spaces")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", 80 if parts.port is None else parts.port
    except ValueError:
        raise ValueError(f"{url!r} is not a URL such as http://127.0.0.1:8000") from None
    if parts.scheme != "http" or not host:
        raise ValueError(f"{url!r} is not a plain http:// URL such as http://127.0.0.1:8000")
    if not allow_remote and not _is_loopback(host):
        raise ValueError(
            f"{host} is not this machine; test only your own servers, with --allow-remote"
        )
    return Target(host, port, parts.path.rstrip("/"), key)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
