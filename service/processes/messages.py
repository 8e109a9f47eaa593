"""Messages between the supervisor and a worker: one JSON object per line over a pair of sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import orjson

MAX_MESSAGE_BYTES = 64 * 2**20

Message = dict[str, Any]


class Messages:
    """One end of the pair, on the running event loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._pending: dict[int, asyncio.Future[Message]] = {}  # questions, by their number
        self._asked = 0

    @classmethod
    async def over(cls, end: socket.socket) -> "Messages":
        """Take over the socket."""
        reader, writer = await asyncio.open_connection(sock=end, limit=MAX_MESSAGE_BYTES)
        return cls(reader, writer)

    def send(self, message: Message) -> None:
        """Write without waiting; does nothing if the other end is closed."""
        if not self._writer.is_closing():
            self._writer.write(orjson.dumps(message) + b"\n")

    async def ask(self, question: Message, seconds: float) -> Message:
        """Send a message with a number of its own, and wait until `resolve` gets one with this number.

        Raises:
            TimeoutError: none arrives in time.
            CancelledError: this end was closed.
        """
        self._asked += 1
        number = self._asked
        self._pending[number] = asyncio.get_running_loop().create_future()
        self.send({**question, "number": number})
        try:
            async with asyncio.timeout(seconds):
                return await self._pending[number]
        finally:
            del self._pending[number]

    def resolve(self, answer: Message) -> None:
        """Give the answer to the question with its number, if that is still waiting."""
        future = self._pending.get(answer["number"])
        if future and not future.done():
            future.set_result(answer)

    async def drain(self) -> None:
        """Wait until all messages have been sent."""
        await self._writer.drain()

    async def received(self) -> AsyncIterator[Message]:
        """Yield messages until the other end is closed."""
        try:
            while line := await self._reader.readline():
                yield orjson.loads(line)
        except ConnectionError:
            return

    def close(self) -> None:
        """Close this end; questions are cancelled."""
        for future in self._pending.values():
            future.cancel()
        self._writer.close()
