"""Connects to the service: address, API key, proxies, and connection errors."""

import ipaddress
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from vitrine_client.errors import InvalidSetting, TimedOut, Unreachable

DEFAULT_URL = "http://127.0.0.1:8000"
# Less than the service's 5, so that the service never closes a connection in use
KEEP_ALIVE_SECONDS = 3.0
GRACE_SECONDS = 5.0  # time after the deadline to wait for the service's error
LONGEST_DEADLINE_SECONDS = 3600.0  # maximum accepted by the service

Client = TypeVar("Client", httpx.Client, httpx.AsyncClient)


@dataclass(frozen=True)
class Timeout:
    """How long to wait, in seconds.

    Args:
        connect: For opening a connection.
        answer: Until an answer begins, and then for each part of it; the service's deadline is 30 s.
        deadline: The service's deadline for a whole answer; None: its default.

    Raises:
        InvalidSetting: A value is not a valid duration.
    """

    connect: float = 5.0
    answer: float = 35.0
    deadline: float | None = None

    def __post_init__(self) -> None:
        for name, seconds in vars(self).items():
            if seconds is not None and not 0 < seconds < math.inf:
                raise InvalidSetting(f"{name} must be a number of seconds above 0, got {seconds}")
        if (self.deadline or 0) > LONGEST_DEADLINE_SECONDS:
            longest = f"{LONGEST_DEADLINE_SECONDS:g}"
            raise InvalidSetting(
                f"deadline must be at most {longest} seconds, got {self.deadline:g}"
            )

    @property
    def headers(self) -> dict[str, str]:
        """The header that sends the deadline to the service."""
        if self.deadline is None:
            return {}
        return {"X-Timeout-Ms": f"{1000 * self.deadline:g}"}

    @property
    def of_connection(self) -> httpx.Timeout:
        """The same for the HTTP library."""
        patience = 0.0 if self.deadline is None else self.deadline + GRACE_SECONDS
        return httpx.Timeout(max(self.answer, patience), connect=self.connect)


DEFAULT_TIMEOUT = Timeout()


def connect(
    kind: type[Client], url: str | None, key: str | None, timeout: Timeout, transport: Any
) -> Client:
    """An HTTP client for an address and a key; addresses of this machine never use a proxy.

    Args:
        kind: The HTTP library's client class, synchronous or asynchronous.
        url: The service's address; default: `VITRINE_URL`, or this machine.
        key: The API key; default: `VITRINE_API_KEY`, or none.
        timeout: The timeouts.
        transport: Replaces the network, for tests.

    Raises:
        InvalidSetting: The address, the key or a proxy in the environment cannot be used.
    """
    address = _address(url or os.environ.get("VITRINE_URL") or DEFAULT_URL)
    headers = _headers(key or os.environ.get("VITRINE_API_KEY") or "") | timeout.headers
    try:
        return kind(
            base_url=address,
            headers=headers,
            timeout=timeout.of_connection,
            limits=httpx.Limits(keepalive_expiry=KEEP_ALIVE_SECONDS),
            transport=transport,
            trust_env=not _is_loopback(address.host),  # the environment's proxies, netrc
            # Reads SSL_CERT_FILE in either case; loading the certificates takes 20 ms.
            verify=address.scheme == "https" and httpx.create_ssl_context(),
        )
    except (ImportError, ValueError) as error:
        raise InvalidSetting(f"the proxy in the environment cannot be used: {error}") from error


@contextmanager
def translated_errors(url: httpx.URL) -> Iterator[None]:
    """Translate the errors of the HTTP library into this package's errors, with a hint."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise TimedOut(
            f"{_place(url)} did not answer in time: is the service overloaded?"
        ) from error
    except httpx.ConnectError as error:
        start = "start the service with `make serve`, or " if _is_loopback(url.host) else ""
        raise Unreachable(
            f"nothing answers at {_place(url)} ({error}): {start}set its address with VITRINE_URL"
        ) from error
    except httpx.HTTPError as error:
        raise Unreachable(
            f"the connection to {_place(url)} broke: {str(error) or type(error).__name__}"
        ) from error


def _place(url: httpx.URL) -> str:
    return str(url.copy_with(userinfo=b""))


def _address(url: str) -> httpx.URL:
    try:
        address = httpx.URL(url.strip())
    except httpx.InvalidURL as error:
        raise InvalidSetting(f"the address {url!r} is invalid: {error}") from error
    if address.scheme not in ("http", "https") or not address.host:
        raise InvalidSetting(f"the address must look like {DEFAULT_URL}, got {url!r}")
    return address


def _is_loopback(host: str) -> bool:
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _headers(key: str) -> dict[str, str]:
    if not (key.isascii() and key.isprintable()):
        raise InvalidSetting("the API key must have only printable ASCII characters")
    return {"User-Agent": "vitrine-python", "Accept": "application/json"} | (
        {"X-API-Key": key} if key else {}
    )
