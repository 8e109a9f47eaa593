"""HTTP/1.1 on one keep-alive connection, with little overhead."""

import asyncio
import contextlib
import http.client
import json
import time
from typing import Any, NamedTuple

SECONDS = 60.0  # no answer takes longer


class Answer(NamedTuple):
    """A whole answer; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float = 0.0

    def json(self) -> Any:
        """The body's value."""
        return json.loads(self.body)


def ask(port: int, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
    """One request on a connection of its own, waited for."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response.read())
    finally:
        connection.close()


class Connection:
    """One connection to a port of this machine, opened again when the server closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, method: str, path: str, body: bytes = b"", head: str = "") -> Answer:
        """One request; `head` are further header lines, each with its line end.

        Raises:
            OSError, asyncio.IncompleteReadError, TimeoutError: there was no whole answer.
        """
        started = time.monotonic()
        text = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{head}\r\n"
        async with asyncio.timeout(SECONDS):
            reader, writer = await self._open()
            writer.write(text.encode("latin-1") + body)
            try:
                answer = await read_answer(reader)
            except BaseException:
                await self.close()
                raise
        if answer.headers.get("connection", "").lower() == "close":
            await self.close()
        return answer._replace(seconds=time.monotonic() - started)

    async def open(self) -> bool:
        """Whether there is a connection, or a new one can be had."""
        try:
            await self._open()
        except OSError:
            return False
        return True

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is None or self._writer is None or self._reader.at_eof():
            await self.close()
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self._reader, self._writer

    async def close(self) -> None:
        """Close it; the next request opens another."""
        writer, self._reader, self._writer = self._writer, None, None
        if writer:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """A whole answer, by its length or in chunks."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.lower()] = value.strip()
    status = int(first.split(" ", 2)[1])
    if headers.get("transfer-encoding") == "chunked":
        return Answer(status, headers, await _read_chunks(reader))
    return Answer(status, headers, await reader.readexactly(int(headers.get("content-length", 0))))


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).strip(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return body
