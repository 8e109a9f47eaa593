"""Start-up messages for the terminal: the models that are still loading, then the address.

It polls the service's own `/v2/health/ready`, so it works in any process layout.
"""

import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

ASK_SECONDS = 0.25
TIMEOUT_SECONDS = 5.0
STOPPING = "the service is stopping"
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not bound


def address(host: str, port: int, root_path: str = "", scheme: str = "http") -> str:
    """The URL that a browser on this machine opens."""
    host = ANY_ADDRESS.get(host, host)
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}{root_path}"


def announce(url: str, say: Callable[[str], None]) -> None:
    """Start a thread that prints the models being loaded and, last, the address."""
    threading.Thread(target=follow, args=(url, say), name="startup", daemon=True).start()


def follow(url: str, say: Callable[[str], None]) -> None:
    """Poll until every model has loaded or failed; print each change."""
    last_shown: list[str] | None = None
    while (waiting := not_ready(url)) is None or any(one.endswith(": loading") for one in waiting):
        if waiting and waiting != last_shown:
            last_shown = waiting
            names = ", ".join(line.partition("/")[0] for line in waiting)
            say(f"Loading {len(waiting)} more: {names}")
        time.sleep(ASK_SECONDS)
    if waiting == [STOPPING]:
        return
    for line in waiting:
        say(f"Not served: {line}")
    say(f"Vitrine answers at {url} (the page; the API is documented at {url}/docs)")


def not_ready(url: str) -> list[str] | None:
    """One sentence for each model that is not ready; None if the service does not answer."""
    parts = urlsplit(url)
    connection = _connect(parts.scheme, parts.hostname or "", parts.port)
    try:
        connection.request("GET", "/v2/health/ready")
        answer = json.load(connection.getresponse())
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    if answer.get("ready"):
        return []
    return str(answer.get("error", "")).removeprefix("not ready: ").split("; ")


def _connect(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(host, port, TIMEOUT_SECONDS)
    # A request to itself: the certificate may have another name and be self-signed.
    context = ssl._create_unverified_context()  # noqa: S323
    return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_SECONDS, context=context)
