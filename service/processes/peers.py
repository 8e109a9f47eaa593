"""Sends a request to all workers of the service, including the current one.

A single process has the same interface, so callers do not depend on the number of workers.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from service.processes.messages import Message, Messages

RETIRE = "retire"  # end without a pause for balancers: others go on listening
METRICS = "metrics"
NOT_READY = "not ready"
STATISTICS = "statistics"
BEAT_SECONDS = 1.0  # a worker says so often that its event loop turns
ANSWER_SECONDS = 5.0

Handler = Callable[[Any], Awaitable[Any]]


class Answers(NamedTuple):
    """What the workers said: JSON values, in no particular order, and why some said nothing."""

    answers: list[Any]
    failures: list[str]


class Peers:
    """A service of one process."""

    waits_until_ready = False  # whether it takes no connection before its models are loaded

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    def on(self, question: str, handler: Handler) -> None:
        """Answer a question with what the handler returns; it may take and give JSON values."""
        self._handlers[question] = handler

    async def ask_all(
        self, question: str, payload: Any = None, seconds: float = ANSWER_SECONDS
    ) -> Answers:
        """The answers of all workers, at most so many seconds later."""
        try:
            async with asyncio.timeout(seconds):
                return Answers([await self._handlers[question](payload)], [])
        except Exception as error:  # noqa: BLE001 - whatever it is, others may have answered
            return Answers([], [f"{type(error).__name__}: {error}"])

    async def start(self) -> None:
        """Begin to answer; every handler is known."""

    def say_ready(self) -> None:
        """This worker takes connections from now on."""

    async def stop(self) -> None:
        """Answer nothing any more."""


class WorkerPeers(Peers):
    """A worker's end: the supervisor passes questions on to all workers, and their answers back."""

    def __init__(self, end: socket.socket, *, waits_until_ready: bool) -> None:
        super().__init__()
        self.waits_until_ready = waits_until_ready
        self._end = end
        self._waiting: dict[int, asyncio.Future[Answers]] = {}
        self._asked = 0
        self._is_ready = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to answer and to beat."""
        self._messages = await Messages.over(self._end)
        for work in (self._beat(), self._receive()):
            self._keep(work)

    async def ask_all(
        self, question: str, payload: Any = None, seconds: float = ANSWER_SECONDS
    ) -> Answers:
        """The answers of all workers, this one included."""
        self._asked += 1
        number = self._asked
        future: asyncio.Future[Answers] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        self._messages.send(
            {"kind": "ask", "number": number, "question": question, "payload": payload}
            | {"seconds": seconds}
        )
        try:
            async with asyncio.timeout(seconds + BEAT_SECONDS):
                return await future
        except TimeoutError:
            return Answers([], ["the supervisor does not answer"])
        finally:
            del self._waiting[number]

    def say_ready(self) -> None:
        """Tell it with the next beat, and at once."""
        self._is_ready = True
        self._send_beat()

    async def stop(self) -> None:
        """Leave the last figures with the supervisor, then close."""
        if handler := self._handlers.get(METRICS):
            answers = {METRICS: await handler(None)}
            self._messages.send({"kind": "farewell", "answers": answers})
        for task in self._tasks:
            task.cancel()
        await self._messages.drain()
        self._messages.close()

    def _keep(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _beat(self) -> None:
        while True:
            self._send_beat()
            await asyncio.sleep(BEAT_SECONDS)

    def _send_beat(self) -> None:
        self._messages.send({"kind": "beat", "is_ready": self._is_ready})

    async def _receive(self) -> None:
        async for message in self._messages.received():
            if message["kind"] == "answers":
                future = self._waiting.get(message["number"])
                if future and not future.done():
                    future.set_result(Answers(message["answers"], message["failures"]))
            else:
                self._keep(self._answer(message))
        os.kill(
            os.getpid(), signal.SIGTERM
        )  # the supervisor is gone: nobody could stop this process

    async def _answer(self, message: Message) -> None:
        reply: Message = {"kind": "answer", "number": message["number"]}
        try:
            reply["answer"] = await self._handlers[message["question"]](message["payload"])
        except Exception as error:  # noqa: BLE001 - the asker is told
            reply["failure"] = f"{type(error).__name__}: {error}"
        self._messages.send(reply)
