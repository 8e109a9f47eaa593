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

RETIRE = "retire"  # stop without a pause for load balancers: other workers keep listening
METRICS = "metrics"
NOT_READY = "not ready"
STATISTICS = "statistics"
BEAT_SECONDS = 1.0  # interval of a worker's heartbeat
ANSWER_SECONDS = 5.0

Handler = Callable[[Any], Awaitable[Any]]


class Answers(NamedTuple):
    """The workers' answers (JSON values, in any order), and the reasons of failures."""

    answers: list[Any]
    failures: list[str]


class Peers:
    """A service of one process."""

    waits_until_ready = False  # whether it accepts no connection before its models are loaded

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    def on(self, question: str, handler: Handler) -> None:
        """Register a handler, which takes and returns JSON values."""
        self._handlers[question] = handler

    async def ask_all(
        self, question: str, payload: Any = None, seconds: float = ANSWER_SECONDS
    ) -> Answers:
        """Ask all workers and wait for their answers, with a timeout in seconds."""
        try:
            async with asyncio.timeout(seconds):
                return Answers([await self._handlers[question](payload)], [])
        except Exception as error:  # noqa: BLE001 - whatever it is, others may have answered
            return Answers([], [f"{type(error).__name__}: {error}"])

    async def start(self) -> None:
        """Start answering, after all handlers are registered."""

    def say_ready(self) -> None:
        """Report that this worker accepts connections."""

    async def stop(self) -> None:
        """Stop answering."""


class WorkerPeers(Peers):
    """A worker's end: the supervisor forwards requests to all workers and returns their answers."""

    def __init__(self, end: socket.socket, *, waits_until_ready: bool) -> None:
        super().__init__()
        self.waits_until_ready = waits_until_ready
        self._end = end
        self._is_ready = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start answering and sending heartbeats."""
        self._messages = await Messages.over(self._end)
        for work in (self._beat(), self._receive()):
            self._keep(work)

    async def ask_all(
        self, question: str, payload: Any = None, seconds: float = ANSWER_SECONDS
    ) -> Answers:
        """The answers of all workers, including this one."""
        asked = {"kind": "ask", "question": question, "payload": payload, "seconds": seconds}
        try:
            found = await self._messages.ask(asked, seconds + BEAT_SECONDS)
        except TimeoutError:
            return Answers([], ["the supervisor does not answer"])
        return Answers(found["answers"], found["failures"])

    def say_ready(self) -> None:
        """Report it immediately and with every heartbeat."""
        self._is_ready = True
        self._send_beat()

    async def stop(self) -> None:
        """Send the last metrics to the supervisor, then close."""
        if handler := self._handlers.get(METRICS):
            self._messages.send({"kind": "farewell", "metrics": await handler(None)})
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
                self._messages.resolve(message)
            else:
                self._keep(self._answer(message))
        os.kill(
            os.getpid(), signal.SIGTERM
        )  # the supervisor has exited: nothing else would stop this process

    async def _answer(self, message: Message) -> None:
        reply: Message = {"kind": "answer", "number": message["number"]}
        try:
            reply["answer"] = await self._handlers[message["question"]](message["payload"])
        except Exception as error:  # noqa: BLE001 - reported to the worker that asked
            reply["failure"] = f"{type(error).__name__}: {error}"
        self._messages.send(reply)
