"""One worker from the supervisor's side: a forked process, its messages, its heartbeat."""

import asyncio
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

from service.processes.messages import Message, Messages
from service.processes.peers import METRICS, WorkerPeers

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
RunWorker = Callable[[socket.socket, WorkerPeers], int]


class WorkerProcess:
    """Started by `start`; `exited` is set when the process exits."""

    def __init__(self, listening: socket.socket, run: RunWorker, *, is_replacement: bool) -> None:
        self.is_replacement = is_replacement
        self.is_wanted = True  # a replacement starts when it exits
        self.is_ready = False
        self.became_ready = asyncio.Event()
        self.exited = asyncio.Event()
        self.started_at = self.last_beat = time.monotonic()
        self.has_beaten = False
        self.last_metrics: Any = None
        self._listening = listening
        self._run = run

    async def start(
        self, siblings: Iterable["WorkerProcess"], on_message: Callable[[Message], None]
    ) -> None:
        """Fork; the child closes the supervisor's ends of its siblings' sockets."""
        self._ours, theirs = socket.socketpair()
        inherited = [self._ours.fileno(), *(w.fileno() for w in siblings if not w.exited.is_set())]
        context = multiprocessing.get_context("fork")
        self._process = context.Process(target=self._child, args=(theirs, inherited), name="worker")
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        theirs.close()
        asyncio.get_running_loop().add_reader(self._process.sentinel, self._on_exit)
        self._messages = await Messages.over(self._ours)
        self._receiving = asyncio.create_task(self._receive(on_message))

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid or 0

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._process.exitcode

    def fileno(self) -> int:
        """The descriptor of the supervisor's end."""
        return self._ours.fileno()

    def kill(self, number: signal.Signals) -> None:
        """Send a signal, if the process is running."""
        if not self.exited.is_set():
            os.kill(self.pid, number)

    def send(self, message: Message) -> None:
        """Send a message."""
        self._messages.send(message)

    async def ask(self, question: str, payload: Any, seconds: float) -> Message | None:
        """The worker's answer or error; None if it exits meanwhile."""
        asked = {"kind": "question", "question": question, "payload": payload}
        try:
            answer = await self._messages.ask(asked, seconds)
        except TimeoutError:
            return {"failure": f"worker {self.pid} did not answer within {seconds:g} s"}
        except asyncio.CancelledError:
            if not self.exited.is_set():
                raise
            return None
        if question == METRICS and "answer" in answer:
            self.last_metrics = answer["answer"]
        return answer

    def _child(self, theirs: socket.socket, inherited: list[int]) -> None:
        signal.set_wakeup_fd(-1)
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        os.setpgid(0, 0)  # Ctrl-C is handled by the supervisor, which passes it on
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a descriptor is needed
            for descriptor in inherited:  # Python objects of the parent still refer to the numbers
                os.dup2(nothing.fileno(), descriptor)
        peers = WorkerPeers(theirs, waits_until_ready=self.is_replacement)
        raise SystemExit(self._run(self._listening, peers))

    async def _receive(self, on_message: Callable[[Message], None]) -> None:
        async for message in self._messages.received():
            if message["kind"] == "beat":
                self.last_beat, self.has_beaten = time.monotonic(), True
                self.is_ready = message["is_ready"]
                if self.is_ready:
                    self.became_ready.set()
            elif message["kind"] == "answer":
                self._messages.resolve(message)
            elif message["kind"] == "farewell":
                self.last_metrics = message["metrics"]
            else:
                on_message(message)

    def _on_exit(self) -> None:
        asyncio.get_running_loop().remove_reader(self._process.sentinel)
        self._process.join()
        self.exited.set()
        self._messages.close()
