"""Requests of the soak, written out, on a keep-alive connection to a port of this machine."""

from clients.load import connection
from clients.load.connection import Answer, ask

SECONDS = 60.0  # no answer takes longer


def request(method: str, path: str, body: bytes = b"", head: str = "") -> bytes:
    """A request's bytes; `head` are further header lines, each with its line end."""
    text = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{head}\r\n"
    return text.encode("latin-1") + body


def metrics(port: int) -> str:
    """What /metrics says."""
    return ask(port, "GET", "/metrics").body.decode()


class Connection(connection.Connection):
    """One connection, opened again when the server closed it."""

    def __init__(self, port: int) -> None:
        super().__init__("127.0.0.1", port)

    async def send(self, method: str, path: str, body: bytes = b"", head: str = "") -> Answer:
        """One request and its answer; OSError if there was no whole one."""
        return await self.ask(request(method, path, body, head), SECONDS)
