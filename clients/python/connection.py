"""How the service is reached: its address, the key, proxies, and what can go wrong on the way."""

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from clients.python.errors import InvalidSetting, TimedOut, Unreachable

DEFAULT_URL = "http://127.0.0.1:8000"
DEFAULT_TIMEOUT = httpx.Timeout(35.0, connect=5.0)  # the service gives itself 30 s
KEEP_ALIVE_SECONDS = 3.0  # less than the service's 5, so that it never hangs up on a request


def connect(
    url: str, key: str, timeout: httpx.Timeout, transport: httpx.AsyncBaseTransport | None
) -> httpx.AsyncClient:
    """An address and a key → an HTTP client that sends nothing for this machine to a proxy.

    Raises:
        InvalidSetting: The address, the key or a proxy in the environment cannot be used.
    """
    address, headers = _address(url), _headers(key)
    try:
        return httpx.AsyncClient(
            base_url=address,
            headers=headers,
            timeout=timeout,
            limits=httpx.Limits(keepalive_expiry=KEEP_ALIVE_SECONDS),
            transport=transport,
            trust_env=not _is_loopback(address.host),  # the environment's proxies, netrc
            verify=httpx.create_ssl_context(),  # reads SSL_CERT_FILE in either case
        )
    except (ImportError, ValueError) as error:
        raise InvalidSetting(
            f"the proxy that the environment names cannot be used: {error}"
        ) from error


@contextmanager
def translated_errors(url: httpx.URL) -> Iterator[None]:
    """The errors of the HTTP library → ours, each with what to do."""
    place = str(url.copy_with(userinfo=b""))
    try:
        yield
    except httpx.TimeoutException as error:
        raise TimedOut(f"{place} did not answer in time: is the service overloaded?") from error
    except httpx.ConnectError as error:
        start = "start the service with `make serve`, or " if _is_loopback(url.host) else ""
        raise Unreachable(
            f"nothing answers at {place} ({error}): {start}name its address with VITRINE_URL"
        ) from error
    except httpx.HTTPError as error:
        raise Unreachable(
            f"the connection to {place} broke: {str(error) or type(error).__name__}"
        ) from error


def _address(url: str) -> httpx.URL:
    try:
        address = httpx.URL(url.strip())
    except httpx.InvalidURL as error:
        raise InvalidSetting(f"the address {url!r} cannot be read: {error}") from error
    if address.scheme not in ("http", "https") or not address.host:
        raise InvalidSetting(f"an address looks like {DEFAULT_URL}, not like {url!r}")
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
        raise InvalidSetting("the API key holds characters that no header can carry")
    return {"User-Agent": "vitrine-python", "Accept": "application/json"} | (
        {"X-API-Key": key} if key else {}
    )
