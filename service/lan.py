"""`vitrine serve --lan`: the address in the local network, its QR code, and the access rights."""

import socket
from collections.abc import Callable

from service.settings import Settings

ANY_NETWORK = (
    "192.0.2.1",
    9,
)  # nothing is sent: it only selects one of this machine's addresses


def lan_address() -> str:
    """This machine's IPv4 address in the network that its default route leads to; OSError without one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(ANY_NETWORK)
        return str(probe.getsockname()[0])


def link(settings: Settings, host: str, port: int) -> str:
    """The address to open; it includes the first API key, which the page removes from the address."""
    scheme = "https" if settings.tls_cert else "http"
    key = f"#digits?key={settings.api_keys[0].get_secret_value()}" if settings.api_keys else ""
    return f"{scheme}://{host}:{port}{settings.root_path}/{key}"


def describe(settings: Settings, url: str) -> list[str]:
    """The lines for a teacher to read out or show."""
    needs_key = bool(settings.api_keys or settings.api_keys_file)
    has_admin = bool(settings.admin_key or settings.admin_key_file)
    return [
        f"On this network: {url}",
        *_qr_code(url),
        "The page and the API are open to "
        + ("everyone with the link" if needs_key else "everyone on this network, without a key")
        + "; models can be changed "
        + ("with the admin key" if has_admin else "by nobody"),
        *([] if settings.tls_cert else ["Cameras need HTTPS: see `vitrine certificate`"]),
    ]


def announce_lan(settings: Settings, port: int, say: Callable[[str], None]) -> None:
    """Print the address for other machines, or that this machine has no network."""
    try:
        host = lan_address()
    except OSError:
        say("This machine has no network: only this machine can reach the service")
        return
    for line in describe(settings, link(settings, host, port)):
        say(line)


def _qr_code(url: str) -> list[str]:
    try:
        import segno
    except ImportError:
        return ["(a QR code needs: python -m pip install segno)"]
    rows = [list(row) for row in segno.make(url, error="l").matrix_iter(border=2)]
    rows += [[0] * len(rows[0])] * (len(rows) % 2)
    blocks = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}  # light on a dark terminal
    return [
        "".join(blocks[bool(upper), bool(lower)] for upper, lower in zip(*pair, strict=True))
        for pair in zip(rows[::2], rows[1::2], strict=True)
    ]
